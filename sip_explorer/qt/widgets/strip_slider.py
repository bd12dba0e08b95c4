"""A row of images with a slider under it: the middle of each image is a place of the slider."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEasingCurve, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QSlider, QStyle, QWidget

from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid

STEPS = 1000
PLAY = 1600
"""Milliseconds of the way from one end to the other."""


class StripSlider(QWidget):
    """The slider goes from the first image to the last; a click on an image goes there.

    Parameters
    ----------
    name : str
        Accessible name.
    captions : int
        Lines kept under every image.

    Signals
    -------
    moved(float)
        The place, 0 at the first image and 1 at the last; while one drags and while it plays.
    """

    moved = Signal(float)

    def __init__(self, name: str, *, captions: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = CaptionedGrid(captions=captions)
        self.grid.setParent(self)
        self.grid.setAccessibleName(name)
        self.grid.cell_pressed.connect(self._jump)
        self.grid.set_largest_scale(4.0)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName(f"Place on the way: {name}")
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 8)
        self.slider.setSingleStep(STEPS // 50)
        self.slider.valueChanged.connect(lambda value: self.moved.emit(value / STEPS))
        self._play = QVariantAnimation(self)
        self._play.setEasingCurve(QEasingCurve.Type.InOutSine)
        self._play.valueChanged.connect(lambda value: self.slider.setValue(round(value)))
        self.slider.sliderPressed.connect(self._play.stop)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.slider.hide()

    def set_images(self, images: NDArray[np.uint8] | None, known: int | None = None) -> None:
        """Show uint8 images (N, H, W, C) side by side, the first ``known`` of them; None: no strip."""
        self.grid.set_images(None if images is None else images[None], known)
        self.slider.setVisible(images is not None and len(images) > 1)
        self.updateGeometry()
        self._place()

    def set_image(self, place: int, image: NDArray[np.uint8]) -> None:
        """Replace one image (H, W, C)."""
        self.grid.set_cell(0, place, image)

    @property
    def place(self) -> float:
        """Where the slider stands, in [0, 1]."""
        return self.slider.value() / STEPS

    def go(self, place: float) -> None:
        """Move the slider."""
        self._play.stop()
        self.slider.setValue(round(place * STEPS))

    @property
    def playing(self) -> bool:
        """Whether the slider moves by itself."""
        return self._play.state() == QVariantAnimation.State.Running

    def play(self) -> None:
        """Go from the first image to the last, or back where the slider is beyond the middle."""
        self._play.stop()
        start, end = self.slider.value(), 0 if self.place > 0.5 else STEPS
        if QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) <= 0:
            self.slider.setValue(end)  # the system asks for no motion
            return
        self._play.setStartValue(float(start))
        self._play.setEndValue(float(end))
        self._play.setDuration(max(1, round(PLAY * abs(end - start) / STEPS)))
        self._play.start()

    def stop(self) -> None:
        """Have the slider stand still."""
        self._play.stop()

    def sizeHint(self) -> QSize:
        hint = self.grid.sizeHint()
        return QSize(hint.width(), hint.height() + self._slider_height())

    def minimumSizeHint(self) -> QSize:
        hint = self.grid.minimumSizeHint()
        return QSize(hint.width(), hint.height() + self._slider_height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _slider_height(self) -> int:
        return max(20, self.slider.sizeHint().height()) + 4

    def _place(self) -> None:
        height = self._slider_height()
        natural = self.grid.natural_height(self.width())
        self.setMaximumHeight(max(natural, self.grid.minimumSizeHint().height()) + height)
        self.grid.setGeometry(0, 0, self.width(), max(0, self.height() - height))
        columns = self.grid.cells[1]
        if columns < 2:
            return
        first, last = self.grid.cell_rect(0, 0), self.grid.cell_rect(0, columns - 1)
        half = 8  # of the slider's handle
        below = round(first.bottom() + self.grid.caption_height()) + 2
        self.slider.setGeometry(
            round(first.center().x()) - half, below,
            round(last.center().x() - first.center().x()) + 2 * half, height - 4,
        )  # fmt: skip

    def _jump(self, _row: int, column: int) -> None:
        self.go(column / max(1, self.grid.cells[1] - 1))
