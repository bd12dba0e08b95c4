"""A picture whose halved levels are made ahead, in any thread."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from sip_explorer.qt.canvas import Picture

_BAND = 64  # rows at a time: they stay in the cache, and no call lasts
_LEAST = 256  # pixels; what is smaller is halved in no time when it is drawn


class PreparedPicture(Picture):
    """Draws as `Picture` does; after `prepare` its first frame costs no halving.

    Qt's own scaling keeps Python's lock (measured: 0.25 s for 4,096 px, in which the window stands
    still); numpy lets go of it.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        super().__init__(pixels)
        self._lent: list[NDArray[np.uint8]] = []  # the memory of the levels

    def prepare(self) -> None:
        """Halve the pixels again and again."""
        if self.small:
            return
        pixels = self.pixels
        while min(pixels.shape[:2]) > _LEAST:
            pixels = halved(pixels)
            height, width = pixels.shape[:2]
            self._lent.append(pixels)
            self._levels.append(QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32))


def halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of 2 × 2 pixels, rounded; a last odd row or column counts twice.

    Parameters
    ----------
    pixels
        uint8 (H, W) grey, (H, W, 3) red, green, blue, or (H, W, 4) as returned.

    Returns
    -------
    uint8 (⌈H/2⌉, ⌈W/2⌉, 4): blue, green, red, 255, as Qt's RGB32 lies in memory.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    result = np.full(((height + 1) // 2, (width + 1) // 2, 4), 255, np.uint8)
    for top in range(0, height, _BAND):
        band = pixels[top : top + _BAND].reshape(-1, width, channels)
        if len(band) % 2 or width % 2:
            band = np.pad(band, ((0, len(band) % 2), (0, width % 2), (0, 0)), mode="edge")
        four = band.reshape(len(band) // 2, 2, band.shape[1] // 2, 2, channels)[..., :3]
        total = four[:, 0, :, 0].astype(np.uint16)
        for part in (four[:, 0, :, 1], four[:, 1, :, 0], four[:, 1, :, 1]):
            total += part
        total += 2
        total >>= 2
        result[top // 2 : top // 2 + len(total), :, :3] = total[..., ::-1] if channels == 3 else total
    return result
