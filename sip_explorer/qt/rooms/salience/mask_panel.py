"""Changes of the whole mask at once, each one edit that can be undone."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QPushButton, QWidget

from sip_explorer.qt.rooms.salience.paint_view import PaintView
from sip_explorer.salience import softness
from sip_explorer.state.keymap import Keymap


class MaskPanel(QWidget):
    """A button for each change, with its number beside it; the keys take the same numbers."""

    def __init__(self, paint: PaintView, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paint = paint
        self._keymap = keymap
        self.share = _number("Threshold", 50, 1, 100, " %")
        self.sigma = _number("Width of the smoothing", 2, 0.5, 200, " px")
        self.width_of_edge = _number("Width of the soft edge", 8, 1, 1000, " px")
        self.acts = {
            "copy_previous": paint.copy_previous,
            "threshold": self.threshold,
            "smooth": self.smooth,
            "soften": self.soften,
            "harden": self.harden,
        }
        words = ("Copy from previous", "Threshold", "Smooth", "Soften edges", "Harden")
        numbers = {"threshold": self.share, "smooth": self.sigma, "soften": self.width_of_edge}
        tips = {
            "copy_previous": "Take over the mask of the image before this one",
            "threshold": "Full salience from this level on, none below",
            "smooth": "Blur the mask with a Gaussian of this standard deviation",
            "soften": "Let the salience fade over this width; what SIP-AT leaves alone stays the same",
            "harden": "Full salience where SIP-AT leaves the pixel alone, none elsewhere",
        }
        self.buttons: dict[str, QPushButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        for row, (name, text) in enumerate(zip(self.acts, words, strict=True)):
            button = self.buttons[name] = QPushButton(text)
            button.clicked.connect(self.acts[name])
            number = numbers.get(name)
            grid.addWidget(button, row, 0, 1, 1 if number is not None else 2)
            if number is not None:
                number.setToolTip(tips[name])
                grid.addWidget(number, row, 1)
        self._words, self._tips = dict(zip(self.acts, words, strict=True)), tips
        keymap.changed.connect(self._show_keys)
        self._show_keys()

    def threshold(self) -> None:
        """Full salience from the threshold on, none below."""
        share = self.share.value() / 100
        self._paint.replace_later("threshold", "Thresholding…", lambda mask: softness.threshold(mask, share))

    def smooth(self) -> None:
        """Blur the mask."""
        sigma = self.sigma.value()
        self._paint.replace_later("smooth", "Smoothing…", lambda mask: softness.smooth(mask, sigma))

    def soften(self) -> None:
        """Make a hard mask soft."""
        width = self.width_of_edge.value()
        self._paint.replace_later("soften", "Softening…", lambda mask: softness.soften(mask, width))

    def harden(self) -> None:
        """Make a soft mask hard."""
        self._paint.replace_later("harden", "Hardening…", softness.harden)

    def _show_keys(self) -> None:
        for name, button in self.buttons.items():
            key = self._keymap.key(name)
            # Long keys would not fit beside the number.
            button.setText(f"{self._words[name]} ({key})" if len(key) == 1 else self._words[name])
            button.setToolTip(f"{self._tips[name]} ({key})" if key else self._tips[name])


def _number(name: str, value: float, least: float, most: float, unit: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setAccessibleName(name)
    box.setDecimals(1 if least % 1 else 0)
    box.setRange(least, most)
    box.setValue(value)
    box.setSuffix(unit)
    return box
