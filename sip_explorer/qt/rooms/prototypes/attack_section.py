"""How the flow is attacked: the inspector's section that the panes of the Attack view share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSpinBox

from sip_explorer.qt.widgets.section import Section
from sip_explorer.records.epsilon import format_epsilon, parse_epsilons

if TYPE_CHECKING:
    from sip_explorer.attacks import PGD

EPSILONS = "2/255, 4/255, 8/255, 16/255"
PATHS = {"latent": "the prototypes alone", "image": "the whole likelihood"}


@dataclass(frozen=True)
class AttackSettings:
    """A valid form. ``epsilons`` ascend and are above 0; ``path`` and ``draws`` as in `FlowClassifier`."""

    epsilons: tuple[float, ...]
    steps: int
    path: str
    draws: int
    count: int
    seed: int

    def attack(self, micro_batch: int) -> PGD:
        """Return PGD in L∞, for batches of this shape; the radius is set for each epsilon."""
        from sip_explorer.attacks import PGD

        return PGD(steps=self.steps, seed=self.seed, micro_batch=micro_batch)

    @property
    def words(self) -> str:
        """The attack in words."""
        return f"PGD with {self.steps} step{'' if self.steps == 1 else 's'}, L∞"


class AttackSection(QObject):
    """Fills a section.

    Signals
    -------
    changed()
        The settings are other ones, and valid.
    """

    changed = Signal()

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        self.epsilons = QLineEdit(EPSILONS)
        self.epsilons.setCursorPosition(0)
        row = section.add_row(
            "Epsilons",
            self.epsilons,
            tip="L∞: the largest change of a pixel value in [0, 1], as n/255 or a fraction",
            wide=True,
        )
        row.track(
            self.epsilons.textChanged,
            self.epsilons.text,
            lambda: self.epsilons.setText(EPSILONS),
            EPSILONS,
        )
        self._reading = QLabel()
        self._reading.setWordWrap(True)
        section.add_widget(self._reading)
        self.steps = _spin(section, "Steps", 1, 1000, 10, "Of PGD, each 2.5 · ε / steps long")
        self.path = QComboBox()
        for key, words in PATHS.items():
            self.path.addItem(words, key)
        section.add_row(
            "Through",
            self.path,
            tip="What the attack climbs. The log-determinant is the same for every class, "
            "so it may be left out, which is faster",
        )
        self.draws = _spin(
            section,
            "Noise draws",
            1,
            16,
            1,
            "Scores are means over so many draws of the noise",
        )
        self.count = _spin(section, "Test images", 2, 10_000, 64, "How many are attacked, spread evenly")
        self.seed = _spin(section, "Seed", 0, 2**31 - 1, 0, "Of the random starts")
        self.epsilons.textChanged.connect(self._read)
        self.path.currentIndexChanged.connect(self._read)
        for box in (self.steps, self.draws, self.count, self.seed):
            box.valueChanged.connect(self._read)
        self._read()

    def settings(self) -> AttackSettings | None:
        """Return the settings; None where the epsilons cannot be read, which is said under them."""
        try:
            radii = tuple(value for value in parse_epsilons(self.epsilons.text()) if value > 0)
            if not radii:
                raise ValueError("An attack needs an epsilon above 0: write for example 2/255, 8/255.")
        except ValueError:
            return None
        return AttackSettings(
            radii,
            self.steps.value(),
            self.path.currentData(),
            self.draws.value(),
            self.count.value(),
            self.seed.value(),
        )

    def _read(self, *_: object) -> None:
        settings = self.settings()
        if settings is None:
            try:
                parse_epsilons(self.epsilons.text())
                words = "An attack needs an epsilon above 0: write for example 2/255, 8/255."
            except ValueError as error:
                words = str(error)
            self._say(words, "bad")
            return
        largest = settings.epsilons[-1]
        self._say(f"{len(settings.epsilons)} values, the largest {format_epsilon(largest)}", "caption")
        self.changed.emit()

    def _say(self, words: str, role: str) -> None:
        self._reading.setText(words)
        self._reading.setProperty("role", role)
        self._reading.style().unpolish(self._reading)
        self._reading.style().polish(self._reading)


def _spin(section: Section, label: str, low: int, high: int, value: int, tip: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    row = section.add_row(label, box, tip=tip)
    row.track(box.valueChanged, box.value, lambda: box.setValue(value), value)
    return box
