"""The current image, what comes back, the difference, and the walk to the prototype."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.prototypes.requests import Inverted
from sip_explorer.qt.widgets.image_grid import ImageGrid
from sip_explorer.qt.widgets.signed_colours import signed_colours


class ImagePane(QWidget):
    """Shows an `Inverted`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._title.setProperty("role", "muted")
        self._title.setWordWrap(True)
        self.pictures = ImageGrid(gap=12)
        self.pictures.setAccessibleName("Image, reconstruction, difference")
        self._walk_title = QLabel()
        self._walk_title.setProperty("role", "muted")
        self.walk = ImageGrid()
        self.walk.setAccessibleName("Walk from the image to the prototype")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self.pictures, 3)
        layout.addWidget(self._walk_title)
        layout.addWidget(self.walk, 2)

    def clear(self) -> None:
        """There is no image to show."""
        self.pictures.set_images(None)
        self.walk.set_images(None)
        self._title.clear()
        self._walk_title.clear()

    def show_answer(self, answer: Inverted, prototype: str) -> None:
        """Show one image's way through the flow and back."""
        amplification = _amplification(answer.largest_error)
        pictures = [answer.image, answer.decoded, signed_colours(answer.difference * (amplification / 127))]
        if answer.image.shape[2] == 1:
            pictures[:2] = [np.repeat(picture, 3, axis=2) for picture in pictures[:2]]
        self.pictures.set_images(np.stack(pictures)[None])
        self.pictures.set_labels(columns=("image", "decoded", "difference"))
        outcome = (
            "Every value comes back exactly"
            if answer.flipped == 0
            else f"{answer.flipped:,} of {answer.image.size:,} values do not come back"
        )
        self._title.setText(
            f"Encoded and decoded: {outcome}; largest error before rounding "
            f"{answer.largest_error:.1e} of a level. Difference {_factor(amplification)}."
        )
        self._walk_title.setText(f"From the image to {prototype}, the image's own detail kept")
        self.walk.set_images(answer.walk[None])


def _factor(amplification: int) -> str:
    """Return a power of ten as ``× 10⁴``: short enough for a column."""
    power = len(str(amplification)) - 1
    return f"× 10{str(power).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def _amplification(largest: float) -> int:
    """A power of ten that brings the largest difference (levels) to about 100 levels."""
    return int(10 ** np.clip(np.floor(np.log10(127 / max(largest, 1e-7))), 0, 9))
