"""The row under the canvas: what the tool in hand can be told, how it is used, the overlay's opacity."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.qt.rooms.salience.superpixel_finder import SuperpixelFinder
from sip_explorer.qt.rooms.salience.tool_cell import SliderCell
from sip_explorer.qt.rooms.salience.tool_options import ToolOptions
from sip_explorer.state.keymap import Keymap

_HINTS = {
    "brush": "{erasing} erases · {hide} hides · right button encircles",
    "eraser": "{hide} hides · {abort} takes the stroke back",
    "polygon": "Click corner after corner · {close} closes · {take_back} takes one back",
    "lasso": "Drag around a region · {erasing} erases",
    "box": "Drag from corner to corner · {erasing} erases",
    "fill": "Click a region · {erasing} erases it",
    "encircle": "Draw around a region: the line and what it encloses are painted",
    "superpixel": "Drag over regions · {erasing} erases them",
}


class BrushBar(QWidget):
    """Holds the options of the tool in hand, a hint, and the overlay's opacity.

    Parameters
    ----------
    opacity : float
        Of the overlay, 0 to 1.
    """

    def __init__(
        self,
        canvas: SalienceCanvas,
        superpixels: SuperpixelFinder,
        keymap: Keymap,
        opacity: float,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._keymap = keymap
        self.options = ToolOptions(canvas, superpixels)
        self.opacity_cell = SliderCell(
            "Overlay opacity", 0, 100, round(opacity * 100), lambda percent: f"Overlay {percent} %"
        )
        self.hint = _Hint()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addWidget(self.options)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.opacity_cell)
        self.setFixedHeight(
            int(self.fontMetrics().height() * 2.9)
        )  # the canvas stays as another tool is taken
        self.opacity_cell.changed.connect(lambda percent: canvas.set_opacity(percent / 100))
        canvas.set_opacity(opacity)
        canvas.toolChanged.connect(self._choose_hint)
        keymap.changed.connect(self._choose_hint)
        self._choose_hint()

    @property
    def opacity(self) -> float:
        """Opacity of the overlay, 0 to 1."""
        return self.opacity_cell.value() / 100

    def _choose_hint(self, *_: object) -> None:
        names = ("erasing", "hide", "abort", "close", "take_back")
        keys = {name: self._keymap.key(name) for name in names}
        parts = _HINTS[self._canvas.tool()].split(" · ")
        known = [part for part in parts if all(keys[name] for name in names if f"{{{name}}}" in part)]
        self.hint.set_words(" · ".join(part.format(**keys) for part in known))


class _Hint(QLabel):
    """Shows its words whole or not at all: half a sentence helps nobody."""

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self.setProperty("role", "caption")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        # The first thing to give way where the window is narrow.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_words(self, words: str) -> None:
        self._words = words
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    def _show(self) -> None:
        self.setText(self._words if self.fontMetrics().horizontalAdvance(self._words) <= self.width() else "")
