"""Which standard attacks: the Evaluate view's section of the inspector."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QCheckBox, QLabel

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.qt.rooms.attacks.epsilon_choice import EpsilonChoice
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS, LONG, REGION_WORDS
from sip_explorer.qt.rooms.attacks.fields import fill
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.multi_choice import MultiChoice
from sip_explorer.records import SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.records.sweeps import REGIONS
from sip_explorer.state import Session
from sip_explorer.workspace.folders import folder_title

EVERYWHERE = REGIONS[0]

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
        self.regions = MultiChoice("choose at least one")
        self.regions.set_choices(REGION_WORDS)
        self.regions.set_chosen([EVERYWHERE])
        self.regions.changed.connect(self.read)
        tip = "Which pixels the attacks may move; regions are those of the images' salience"
        self.section.add_row("Where", self.regions, tip=tip)
        self.salience = ElidedBox()
        tip = "What the regions are made from"
        self._salience_row = self.section.add_row("Salience", self.salience, tip=tip)
        self.list_salience()
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

    @property
    def where(self) -> tuple[str, ...]:
        """The chosen regions; SipError where there is none."""
        if not self.regions.chosen:
            raise SipError("No region is chosen: tick at least everywhere under “Evaluation”, “Where”.")
        return self.regions.chosen

    def list_salience(self) -> None:
        """Offer what the open workspace has; what was chosen and is still there stays."""
        workspace, before = self._session.workspace, self.salience.currentData()
        choices = {"": "object masks, else painted", "segmentation": "object masks of the data"}
        if workspace is not None:
            for one in workspace.annotators(None):
                words = f"painted by {one.name}" if one.kind == "person" else one.name
                choices[f"painted:{one.name}"] = words
            runs = [run for run in workspace.run_folders() if RunFolder(run).salience_path.exists()]
            choices |= {run.name: f"run {folder_title(run)}" for run in reversed(runs)}
        fill(self.salience, choices)
        self.salience.setCurrentIndex(max(0, self.salience.findData(before)))

    def amount(self, images: int) -> str:
        """Return how much ``images`` images would be; ValueError where the form cannot be read."""
        models, epsilons = len(self._session.selection.models), len(self._form.radii())
        attacks = sum(tick.isChecked() for tick in self.ticks.values())
        regions = len(self.regions.chosen)
        parts = [(models, "model"), (attacks, "attack"), (epsilons, "epsilon")]
        if regions != 1:
            parts.append((regions, "region"))
        words = " × ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts)
        each = models * epsilons * regions * images
        text = f"{words} on {images:,} image{'' if images == 1 else 's'}"
        if self.ticks[LONG].isChecked():
            text += (
                f". AutoAttack takes long: it reads each of {each:,} images (all models, epsilons and "
                "regions) up to thousands of times. Cancel keeps what is done, Continue goes on with it"
            )
        return f"{text}."

    def read(self, *_: object) -> None:
        """Say how much an evaluation would be."""
        self._salience_row.set_visible(self.regions.chosen not in ((), (EVERYWHERE,)))
        try:
            self._amount.setText(self.amount(self._form.count.value()))
        except ValueError as error:
            self._amount.setText(str(error))
