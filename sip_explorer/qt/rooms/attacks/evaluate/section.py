"""Which standard attacks: the Evaluate view's section of the inspector."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QCheckBox, QLabel

from sip_explorer.qt.rooms.attacks.epsilon_choice import EpsilonChoice
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS, LONG
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.records import SipError
from sip_explorer.state import Session

_TIPS = {
    "pgd": "Quick; the weakest of the four",
    "apgd": "PGD that halves its own steps, until an image breaks",
    "apgd-ce+t": "The first two parts of AutoAttack, ours: some twenty times the work of PGD",
    "autoattack": "The judge: APGD on CE, APGD on targeted DLR, FAB and Square, in their authors' own code",
}


class EvaluationSection(QObject):
    """Ticks of the attacks, and how much that is before it starts."""

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(form)
        self._session, self._form = session, form
        self.section = form.add_section("Evaluation")
        self.ticks: dict[str, QCheckBox] = {}
        for name, words in ATTACKS.items():
            tick = QCheckBox(words)
            tick.setToolTip(_TIPS[name])
            tick.setChecked(name != LONG)
            tick.toggled.connect(self.read)
            self.section.add_widget(tick)
            self.ticks[name] = tick
        self.keep = QCheckBox("Keep the adversarial images")
        self.keep.setToolTip("On disk beside the figures, to be exported")
        self.section.add_widget(self.keep)
        self._amount = QLabel()
        self._amount.setWordWrap(True)
        self._amount.setProperty("role", "caption")
        self.section.add_widget(self._amount)
        self.ball = EpsilonChoice(form)
        tip = "The ball that images made elsewhere must keep to, to count"
        self.section.add_row("Judge at ε", self.ball, tip=tip)
        form.changed.connect(self.read)
        form.count.valueChanged.connect(self.read)
        session.selection.models_changed.connect(self.read)
        self.read()

    @property
    def attacks(self) -> tuple[str, ...]:
        """Names of the ticked attacks; SipError where there is none."""
        names = tuple(name for name, tick in self.ticks.items() if tick.isChecked())
        if not names:
            raise SipError("No attack is chosen: tick at least one under “Evaluation”.")
        return names

    def amount(self, images: int) -> str:
        """Return how much ``images`` images would be; ValueError where the form cannot be read."""
        models, epsilons = len(self._session.selection.models), len(self._form.radii())
        attacks = sum(tick.isChecked() for tick in self.ticks.values())
        parts = ((models, "model"), (attacks, "attack"), (epsilons, "epsilon"))
        words = " × ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts)
        each = models * epsilons * images
        text = f"{words} on {images:,} image{'' if images == 1 else 's'}"
        if self.ticks[LONG].isChecked():
            text += (
                f". AutoAttack takes long: it reads each of {each:,} images (all models and epsilons) up to "
                "thousands of times. Cancel keeps what is done, Continue goes on with it"
            )
        return f"{text}."

    def read(self, *_: object) -> None:
        """Say how much an evaluation would be."""
        try:
            self._amount.setText(self.amount(self._form.count.value()))
        except ValueError as error:
            self._amount.setText(str(error))
