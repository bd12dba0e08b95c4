"""What is attacked and how: the inspector of the Attack room."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.choice import STRIP, TEST, Choice, parse_counts
from sip_explorer.qt.rooms.attacks.fields import combo, fill, spin, track
from sip_explorer.qt.rooms.attacks.threat_models import THREAT_MODELS
from sip_explorer.qt.rooms.attacks.variant import Variant
from sip_explorer.qt.rooms.attacks.words import LOSSES, NORMS, PRECISIONS, REDUCTIONS, STEPS, whole_radius
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.model_list import CurrentModelBox, ModelCheckList
from sip_explorer.qt.widgets.section import Section
from sip_explorer.records.epsilon import parse_epsilons
from sip_explorer.state import Session

DEFAULT_EPSILONS = "2/255, 4/255, 8/255, 16/255, 0.1"
DEFAULT_BATCH_SIZES = "1, 16, 64, 256"
OWN = ""
"""The threat model that is none of the usual ones."""


class AttackForm(QWidget):
    """Fills an `Inspector` with sections that all views share; each view adds one of its own.

    Signals
    -------
    changed()
        The choice may be another one.
    """

    changed = Signal()

    def __init__(self, session: Session, inspector: Inspector) -> None:
        super().__init__(inspector)
        self.hide()  # only its fields are shown, in the inspector's sections
        self._inspector = inspector
        self._filling = False
        self._fill_models(session)
        self._fill_images()
        self._fill_conditions()
        self._fill_attack()
        self._fill_more()
        self._read()

    def add_section(self, title: str, *, folded: bool = False, after: Section | None = None) -> Section:
        """Add a section of one view, hidden until the view is on show; by default right under the models."""
        section = Section(title, folded=folded)
        column = self._inspector.widget().layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(1 if after is None else column.indexOf(after) + 1, section)
        section.hide()
        return section

    def choice(self) -> Choice:
        """Return the form's values.

        Raises
        ------
        ValueError
            With a sentence that names the field.
        """
        return Choice(
            self.norm.currentData(),
            self.radii(),
            parse_counts(self.batch_sizes.text(), "Batch size", "1, 16, 256"),
            self.variant,
            self.images.currentData(),
            self.count.value(),
            self.steps.value(),
            self.seed.value(),
        )

    def radii(self) -> tuple[float, ...]:
        """Return the epsilons; ValueError where the list cannot be read."""
        largest = 1.0 if self.norm.currentData() == "linf" else math.inf
        return parse_epsilons(self.epsilons.text(), largest)

    @property
    def variant(self) -> Variant:
        """The attack on show, in the preview and first in a sweep."""
        return Variant(
            self.loss.currentData(),
            self.reduction.currentData(),
            self.precision.currentData(),
            self.step.currentData(),
            self.restarts.value(),
        )

    @property
    def usual_epsilon(self) -> float | None:
        """The epsilon that the threat model is named after; None where it has no name."""
        model = THREAT_MODELS.get(self.threat.currentData())
        return None if model is None else model.epsilon

    def has_models(self) -> bool:
        """Whether there is any model to tick."""
        return self._models.count() > 0

    # ---- making ---------------------------------------------------------------------------

    def _fill_models(self, session: Session) -> None:
        section = self._inspector.add_section("Models")
        self._models = ModelCheckList(session)
        section.add_widget(self._models)
        section.add_row("On show", CurrentModelBox(session), tip="The model whose perturbations are shown")

    def _fill_images(self) -> None:
        section = self._inspector.add_section("Images")
        self.images = combo({TEST: "test images", STRIP: "film strip"})
        self.count = spin(1, 100_000, 100)
        section.add_row("From", self.images, tip="Spread evenly over the chosen images")
        track(section.add_row("How many", self.count), self.count)

    def _fill_conditions(self) -> None:
        section = self._inspector.add_section("Epsilons and batch sizes")
        self.threat = combo({OWN: "as written below"} | {k: m.words for k, m in THREAT_MODELS.items()})
        section.add_row("Threat model", self.threat, tip="A usual one fills the norm and the epsilons")
        self.norm = combo(NORMS)
        track(section.add_row("Norm", self.norm, tip="How the size of a change is measured"), self.norm)
        self.epsilons = QLineEdit(DEFAULT_EPSILONS)
        self.batch_sizes = QLineEdit(DEFAULT_BATCH_SIZES)
        for label, edit, tip in (
            (
                "Epsilons",
                self.epsilons,
                "L∞: the largest change of a pixel value in [0, 1], as n/255 or a fraction. "
                "L2: the length of the whole change",
            ),
            (
                "Batch sizes",
                self.batch_sizes,
                "How many images share one mini-batch of the attack; "
                "a sweep of fewer images weighs them as in a full one",
            ),
        ):
            track(section.add_row(label, edit, tip=tip), edit)
            edit.textChanged.connect(self._edited)
            edit.setCursorPosition(0)
        self._reading = QLabel()
        self._reading.setWordWrap(True)
        section.add_widget(self._reading)
        self.threat.currentIndexChanged.connect(self._take_threat)
        self.norm.currentIndexChanged.connect(self._norm_changed)

    def _fill_attack(self) -> None:
        section = self._inspector.add_section("Attack (PGD)")
        self.loss = combo(LOSSES)
        self.reduction = combo(REDUCTIONS)
        self.precision = combo(PRECISIONS)
        self.steps = spin(1, 1000, 10)
        for label, editor, tip in (
            ("Loss", self.loss, "What the attack climbs"),
            ("Reduction", self.reduction, "A mean divides every image's gradient by the batch size"),
            ("Precision", self.precision, "Arithmetic of the model while it is attacked"),
            ("Steps", self.steps, "Each 2.5 · ε / steps long; a raw one is the gradient itself"),
        ):
            track(section.add_row(label, editor, tip=tip), editor)
        for box in (self.loss, self.reduction, self.precision):
            box.currentIndexChanged.connect(self._read)
        self.steps.valueChanged.connect(self._read)

    def _fill_more(self) -> None:
        more = self._inspector.add_section("More", folded=True)
        self.step = combo(STEPS["linf"])
        tip = "A mean shrinks the raw gradient with the batch size"
        track(more.add_row("Each step", self.step, tip=tip), self.step)
        self.restarts = spin(1, 50, 1)
        self.seed = spin(0, 2**31 - 1, 0)
        for label, editor in (("Restarts", self.restarts), ("Seed", self.seed)):
            track(more.add_row(label, editor), editor)
            editor.valueChanged.connect(self._read)
        self.step.currentIndexChanged.connect(self._read)

    # ---- reading --------------------------------------------------------------------------

    def _take_threat(self, *_: object) -> None:
        model = THREAT_MODELS.get(self.threat.currentData())
        if model is None:
            return
        self._filling = True
        self.norm.setCurrentIndex(self.norm.findData(model.norm))
        self.epsilons.setText(model.epsilons)
        self.epsilons.setCursorPosition(0)
        self._filling = False
        self._read()

    def _norm_changed(self, *_: object) -> None:
        step = self.step.currentData()
        self.step.blockSignals(True)
        fill(self.step, STEPS[self.norm.currentData()])
        self.step.setCurrentIndex(max(0, self.step.findData(step)))
        self.step.blockSignals(False)
        self._edited()

    def _edited(self, *_: object) -> None:
        """Norm or epsilons were changed by hand: they are no named threat model any more."""
        if self._filling:
            return
        model = THREAT_MODELS.get(self.threat.currentData())
        if model is not None and (self.norm.currentData(), self.epsilons.text()) != (
            model.norm, model.epsilons,
        ):  # fmt: skip
            self.threat.setCurrentIndex(0)
        self._read()

    def _read(self, *_: object) -> None:
        try:
            choice = self.choice()
        except ValueError as error:
            text, role = str(error), "bad"
        else:
            text, role = "ε " + "; ".join(whole_radius(e, choice.norm) for e in choice.epsilons), "caption"
        self._reading.setText(text)
        if self._reading.property("role") != role:
            self._reading.setProperty("role", role)
            self._reading.style().unpolish(self._reading)
            self._reading.style().polish(self._reading)
        self.changed.emit()
