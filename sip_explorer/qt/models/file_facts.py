"""The head of the loading dialogue: the file, what it holds, its network, its weights, its classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.exchange.fields import field_label
from sip_explorer.qt.models.architecture_choice import ArchitectureChoice
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.state.model_look import ModelLook

if TYPE_CHECKING:
    from sip_explorer.models.choice import Choice

_NAMED = 6


class FileFacts(QWidget):
    """Shows a `ModelLook`.

    Signals
    -------
    changed()
        Another architecture or other weights were chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.facts = QLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setWordWrap(True)
        self.architecture = ArchitectureChoice()
        self.weights = Segments(())
        self.weights.setAccessibleName("Weights")
        self.classes = QLabel()
        self.classes.setTextFormat(Qt.TextFormat.PlainText)
        self.classes.setWordWrap(True)
        self._variants: tuple[str, ...] = ()
        self._rows = QWidget()
        grid = QGridLayout(self._rows)
        grid.setContentsMargins(0, 8, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        self._labels = [field_label(words) for words in ("Architecture", "Weights", "Classes")]
        for row, label in enumerate(self._labels):
            grid.addWidget(label, row, 0, top)
        self._labels[0].setBuddy(self.architecture.box)
        for label in self._labels[:2]:
            label.setContentsMargins(0, 4, 0, 0)  # level with the words in the field
        grid.addWidget(self.architecture, 0, 1)
        grid.addWidget(self.weights, 1, 1, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.classes, 2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.name)
        layout.addWidget(self.facts)
        layout.addWidget(self._rows)
        self._rows.hide()
        self.architecture.changed.connect(self.changed)
        self.weights.chosen.connect(lambda _place: self.changed.emit())

    def begin(self, path: Path) -> None:
        """A file is being looked into."""
        self.name.setText(path.name)
        self.facts.setText(f"{path.parent} · looking into it …")
        self._rows.hide()

    def show_failure(self, path: Path) -> None:
        """Nothing can be said of the file but where it is."""
        self.facts.setText(str(path.parent))
        self._rows.hide()

    def show_look(self, look: ModelLook, choice: Choice | None = None) -> None:
        """Show what was found; ``choice`` is how the file is read now, None for a new one."""
        self.facts.setText(" · ".join(look.facts))
        self._variants = look.variants if len(look.variants) > 1 else ()
        self._rows.setVisible(not look.refusal and (not look.flow or bool(self._variants)))
        self._measured = not look.flow  # which weights are the better ones can be measured
        for widget in (self.architecture, self._labels[0]):
            widget.setVisible(not look.flow)
        self.weights.blockSignals(True)
        while self.weights.count():
            self.weights.removeTab(0)
        if self._variants:
            better = "the better of both" if len(self._variants) == 2 else "the best of them"
            for words in (*((better,) if self._measured else ()), *self._variants):
                self.weights.addTab(words)
            kept = choice.weights if choice is not None else None
            place = self._variants.index(kept) + self._measured if kept in self._variants else 0
            self.weights.setCurrentIndex(place)
        self.weights.blockSignals(False)
        for widget in (self.weights, self._labels[1]):
            widget.setVisible(bool(self._variants))
        self.show_classes("", ())
        self.architecture.show_look(look, choice)

    def show_classes(self, words: str, names: Sequence[str]) -> None:
        """Show the names of the classes, the first ones, and ``words`` on where they come from."""
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        self.classes.setText(f"{len(names):,}: {', '.join(names[:_NAMED])}{more}\n{words}" if names else "")
        for widget in (self.classes, self._labels[2]):
            widget.setVisible(bool(names))

    @property
    def chosen_weights(self) -> str | None:
        """Which of the file's weights; None where that is left open."""
        place = self.weights.currentIndex()
        first = int(self._measured)
        return self._variants[place - first] if self._variants and place >= first else None
