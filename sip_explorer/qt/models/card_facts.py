"""What is known of a model, line by line: from the list, then from the loaded model itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.section import Section
from sip_explorer.state.model_look import millions

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry
    from sip_explorer.workspace.trial_result import LoadedModel

_NAMED = 12
_TRAINED = {
    "method": "Trained by",
    "data": "Trained on",
    "epsilon": "Trained at epsilon",
    "epoch": "Epoch",
    "validation_clean": "Clean, validation",
    "validation_pgd": "PGD, validation",
    "test_clean": "Clean, test",
    "measured": "Measured elsewhere",
    "program": "Made by",
}
_PATHS = ("Path",)
_FROM = {"file": "a file", "run": "trained here", "package": "an installed Python package"}


class CardFacts(QWidget):
    """Words beside words; what is not known is not listed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._about = _Rows()
        self.training = Section("Training, as the file says", folded=True)
        self._trained = _Rows()
        self.training.add_widget(self._trained)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._about)
        layout.addWidget(self.training)

    @property
    def words(self) -> str:
        """What is shown, folded or not."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if not label.isHidden())

    def show_facts(self, entry: ModelEntry, loaded: LoadedModel | None) -> None:
        """Show what is known of a model; ``loaded`` is None as long as it was not loaded."""
        self._about.fill(facts(entry, loaded))
        trained = list(training(entry))
        self._trained.fill(trained)
        self.training.setVisible(bool(trained))


class _Rows(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)

    def fill(self, rows: Iterable[tuple[str, str]]) -> None:
        """Show these pairs in place of those that were there."""
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        for row, (name, words) in enumerate(rows):
            label = QLabel(name)
            label.setProperty("role", "muted")
            self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            if name in _PATHS:  # it cannot be wrapped
                self._grid.addWidget(ElidedLabel(words), row, 1)
                continue
            value = QLabel(words)
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(value, row, 1)


def facts(entry: ModelEntry, loaded: LoadedModel | None) -> Iterator[tuple[str, str]]:
    """Yield what is known of a model as pairs of words."""
    about, card = entry.metadata, entry.card
    architecture = loaded.architecture if loaded is not None else about.get("architecture")
    if architecture:
        yield "Architecture", str(architecture)
    if loaded is not None:
        yield "Size", millions(loaded.parameters)
    shape = loaded.input_shape if loaded is not None else about.get("input_shape")
    if isinstance(shape, list | tuple) and len(shape) == 3:
        yield "Images", f"{shape[1]} × {shape[2]} pixels, {'grey' if shape[0] == 1 else 'colour'}"
    if loaded is not None:
        source = f"; {loaded.normalisation_from}" if loaded.normalisation_from != "given" else ""
        yield "Normalisation", f"{loaded.normalisation}{source}"
    classes = loaded.classes if loaded is not None else about.get("classes")
    if isinstance(classes, list | tuple) and classes:
        more = f" and {len(classes) - _NAMED:,} more" if len(classes) > _NAMED else ""
        yield "Classes", f"{len(classes):,}: {', '.join(map(str, classes[:_NAMED]))}{more}"
    if card is not None and card.choice.weights:
        yield "Weights", card.choice.weights
    if card is not None and card.reason:
        yield "Read so because", card.reason
    words = _FROM.get(entry.origin, entry.origin)
    if card is not None and card.added and entry.origin == "file":
        words += f", added {datetime.fromtimestamp(card.added).strftime('%d %b %Y').lstrip('0')}"
    yield "From", words
    yield "Path", card.source if card is not None and card.source else str(entry.path)


def training(entry: ModelEntry) -> Iterator[tuple[str, str]]:
    """Yield what the file itself says of its training."""
    origin = entry.metadata.get("origin")
    for key, name in _TRAINED.items() if isinstance(origin, dict) else ():
        if origin.get(key):
            yield name, str(origin[key])
