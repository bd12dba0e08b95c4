"""Brightness, contrast and gamma of the picture: for the eye only, pixels and masks stay."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QSlider

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.qt.widgets.section import Section

_STEPS = 50
"""Positions of a slider on either side of its middle, where the picture is as it is."""


class PicturePanel(QObject):
    """Fills a section with three sliders; each has a reset mark while it is moved from its middle."""

    def __init__(self, canvas: SalienceCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.brightness, self.contrast, self.gamma = (_slider() for _ in range(3))

    def fill(self, section: Section) -> None:
        """Put the controls into a section."""
        for label, slider, tip in (
            ("Brightness", self.brightness, "Lighter or darker"),
            ("Contrast", self.contrast, "More or less difference around middle grey"),
            ("Gamma", self.gamma, "To the right, dark parts show more"),
        ):
            row = section.add_row(label, slider, tip=f"{tip}; pixels and masks stay as they are")
            slider.valueChanged.connect(self._show)
            row.track(slider.valueChanged, slider.value, lambda s=slider: s.setValue(0), 0)  # type: ignore[misc]

    def reset(self) -> None:
        """Show the picture as it is."""
        for slider in (self.brightness, self.contrast, self.gamma):
            slider.setValue(0)

    def _show(self) -> None:
        self._canvas.set_adjustment(
            self.brightness.value() / _STEPS,
            # The last step would leave nothing but grey, or black and white.
            0.98 * self.contrast.value() / _STEPS,
            float(5 ** (self.gamma.value() / _STEPS)),
        )


def _slider() -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(-_STEPS, _STEPS)
    slider.setPageStep(_STEPS // 5)
    return slider
