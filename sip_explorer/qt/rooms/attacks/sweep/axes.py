"""What a sweep compares beside the attack on show: its sections of the inspector."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit

from sip_explorer.qt.rooms.attacks.choice import Choice, parse_counts
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.multi_choice import MultiChoice
from sip_explorer.qt.rooms.attacks.variant import Variant, compared
from sip_explorer.qt.rooms.attacks.words import LOSSES, PRECISIONS, REDUCTIONS, STEPS
from sip_explorer.state import Session

AS_BELOW = "as below"


class SweepAxes(QObject):
    """Ticked values of each axis, in every combination, beside those of the attack on show."""

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(form)
        self._selection = session.selection
        self._form = form
        section = form.add_section("Compared in the sweep")
        more = form.add_section("More to compare", folded=True, after=section)
        self.sections = (section, more)
        self.compare = QCheckBox("CE mean with log-odds sum,\nin float32 and bfloat16")
        self.compare.setAccessibleName("Compare CE mean with log-odds sum, in float32 and bfloat16")
        self.compare.setChecked(True)
        self.compare.setToolTip("Attacks the images with these four attacks beside the one chosen below")
        section.add_widget(self.compare)
        self.losses, self.reductions, self.precisions, self.steps = (MultiChoice(AS_BELOW) for _ in range(4))
        for box, choices in (
            (self.losses, LOSSES),
            (self.reductions, REDUCTIONS),
            (self.precisions, PRECISIONS),
            (self.steps, STEPS["linf"]),
        ):
            box.set_choices(choices)
            box.changed.connect(self.read)
        self.restarts = QLineEdit()
        self.restarts.setPlaceholderText(AS_BELOW)
        self.restarts.textChanged.connect(self.read)
        for label, editor in (
            ("Losses", self.losses),
            ("Reductions", self.reductions),
            ("Precisions", self.precisions),
            ("Each step", self.steps),
            ("Restarts", self.restarts),
        ):
            more.add_row(label, editor, tip="Swept beside the one chosen below, in every combination")
        self._count = QLabel()
        self._count.setProperty("role", "caption")
        self._count.setWordWrap(True)
        section.add_widget(self._count)
        self.compare.toggled.connect(self.read)
        form.changed.connect(self.read)
        session.selection.models_changed.connect(self.read)
        self.read()

    def choice(self) -> Choice:
        """Return the form's choice with what it is compared with.

        Raises
        ------
        ValueError
            With a sentence that names the field.
        """
        choice = self._form.choice()
        one = choice.variant
        more = self.restarts.text().strip()
        restarts = parse_counts(more, "Number of restarts", "1, 5") if more else ()
        others = [
            Variant(*values)
            for values in product(
                dict.fromkeys((one.loss, *self.losses.chosen)),
                dict.fromkeys((one.reduction, *self.reductions.chosen)),
                dict.fromkeys((one.precision, *self.precisions.chosen)),
                dict.fromkeys((one.step, *self.steps.chosen)),
                dict.fromkeys((one.restarts, *restarts)),
            )
        ]
        if self.compare.isChecked():
            others += compared(one.step, one.restarts)
        return replace(choice, others=tuple(others))

    def read(self, *_: object) -> None:
        """Say how much a sweep would be."""
        self.steps.set_choices(STEPS[self._form.norm.currentData()])
        try:
            choice = self.choice()
        except ValueError as error:
            self._count.setText(str(error))
            return
        counts = (
            (len(self._selection.models), "model"),
            (len(choice.variants), "attack"),
            (len(choice.epsilons), "epsilon"),
            (len(choice.batch_sizes), "batch size"),
        )
        cells = 1
        for count, _ in counts:
            cells *= count
        parts = " × ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
        self._count.setText(f"{parts}: {cells:,} cell{'' if cells == 1 else 's'}")
