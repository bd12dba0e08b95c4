"""What a model file says of itself, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry

_ORIGIN = {
    "method": "trained by",
    "data": "trained on",
    "epsilon": "epsilon",
    "epoch": "epoch",
    "validation_clean": "clean accuracy, validation",
    "validation_pgd": "robust accuracy, validation",
    "test_clean": "clean accuracy, test",
    "licence": "licence",
    "measured": "measured",
    "program": "made by",
}


class PlainCard(QScrollArea):
    """Shows one model; ``show_model`` says which."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QWidget()
        self._body.setProperty("role", "surface")
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(12)
        self._form.setVerticalSpacing(6)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addLayout(self._form)
        layout.addStretch(1)
        self.setWidget(self._body)

    def show_model(self, entry_id: str) -> None:
        """Show the model of this id; nothing where there is none."""
        entry = self._session.model(entry_id)
        while self._form.rowCount():
            self._form.removeRow(0)
        self._body.setVisible(entry is not None)
        if entry is None:
            return
        self.title.setText(entry.name)
        for label, words in facts(entry):
            name, value = QLabel(label), QLabel(words)
            name.setProperty("role", "muted")
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._form.addRow(name, value)


def facts(entry: ModelEntry) -> Iterator[tuple[str, str]]:
    """Yield what the file of a model says of itself, and where it lies."""
    about = entry.metadata
    if about.get("architecture"):
        yield "architecture", str(about["architecture"])
    shape = about.get("input_shape")
    if isinstance(shape, list | tuple) and len(shape) == 3:
        yield "input", f"{shape[2]} × {shape[1]} pixels, {'grey' if shape[0] == 1 else 'colour'}"
    if isinstance(about.get("mean"), list) and isinstance(about.get("std"), list):
        pair = [", ".join(f"{value:.4g}" for value in about[key]) for key in ("mean", "std")]
        yield "normalisation", f"mean {pair[0]}; deviation {pair[1]}"
    classes = about.get("classes")
    if isinstance(classes, list | tuple) and classes:
        more = f" and {len(classes) - 12:,} more" if len(classes) > 12 else ""
        yield "classes", f"{len(classes):,}: {', '.join(map(str, classes[:12]))}{more}"
    origin = about.get("origin")
    for key, words in _ORIGIN.items() if isinstance(origin, dict) else ():
        if origin.get(key):
            yield words, str(origin[key])
    if not about:
        yield "about", "This file says nothing of itself; what is in it is found out when it is used."
    yield "file", str(entry.path)
