"""Brightness, contrast and gamma of what is shown; the pixels themselves stay as they are."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEEPEST = 255.0  # contrast 1: black or white, nothing between


@dataclass(frozen=True)
class Adjustment:
    """How grey values are shown.

    Attributes
    ----------
    brightness
        −1..1: this much is added (of a range from 0 for black to 1 for white).
    contrast
        −1..1: how steeply values rise at middle grey; −1 makes all grey, 1 black or white.
    gamma
        0.2..5: above 1, dark parts show more.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0

    @classmethod
    def of(cls, brightness: float, contrast: float, gamma: float) -> "Adjustment":
        """An adjustment within its limits."""
        return cls(
            min(max(float(brightness), -1.0), 1.0),
            min(max(float(contrast), -1.0), 1.0),
            min(max(float(gamma), 0.2), 5.0),
        )

    @property
    def neutral(self) -> bool:
        """Whether everything is shown as it is."""
        return self == Adjustment()

    def table(self) -> NDArray[np.uint8]:
        """uint8 (256,): what each value is shown as, ((v^(1/γ) − ½) · tan(π/4 · (1 + c)) + ½ + b)."""
        value = (np.arange(256) / 255) ** (1 / self.gamma)
        slope = _STEEPEST if self.contrast == 1 else math.tan(math.pi / 4 * (1 + self.contrast))
        shown = (value - 0.5) * min(slope, _STEEPEST) + 0.5 + self.brightness
        return (shown.clip(0, 1) * 255).round().astype(np.uint8)
