"""Thumbnails that are loaded when they are looked at, and kept while they fit."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from sip_explorer.qt.canvas.picture import Picture

Loader = Callable[[int], NDArray[Any]]


class Thumbnails:
    """The thumbnails used last.

    Parameters
    ----------
    capacity
        How many are kept.
    memory
        How many bytes they may take: thumbnails of photos are larger than those of 28 pixels.
    """

    def __init__(self, capacity: int = 4096, memory: int = 48 << 20) -> None:
        self._capacity = capacity
        self._memory = memory
        self._bytes = 0
        self._kept: OrderedDict[int, QImage | str] = OrderedDict()
        self._loader: Loader | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def set_loader(self, loader: Loader | None) -> None:
        """Take images from here from now on."""
        self._loader = loader
        self._kept.clear()
        self._bytes = 0

    def get(self, image: int) -> QImage | str | None:
        """The thumbnail of an image id; a sentence if it cannot be read; None if it is not loaded."""
        if image in self._kept:
            self._kept.move_to_end(image)
        return self._kept.get(image)

    def load(self, image: int, side: int) -> None:
        """Load a thumbnail of at most `side` physical pixels; a fault is kept as its sentence."""
        if self._loader is None:
            return
        self.drop(image)
        try:
            self._kept[image] = _reduced(Picture.of(self._loader(image)), side)
        except Exception as fault:  # one image that cannot be read is no reason to lose the strip
            self._kept[image] = str(fault) or type(fault).__name__
        self._bytes += _size(self._kept[image])
        while len(self._kept) > self._capacity or (self._bytes > self._memory and len(self._kept) > 1):
            self._bytes -= _size(self._kept.popitem(last=False)[1])

    def drop(self, image: int | None = None) -> None:
        """Forget one thumbnail, or all."""
        if image is None:
            self._kept.clear()
            self._bytes = 0
        elif image in self._kept:
            self._bytes -= _size(self._kept.pop(image))


def _size(thumbnail: QImage | str) -> int:
    return int(thumbnail.sizeInBytes()) if isinstance(thumbnail, QImage) else 0


def _reduced(picture: Picture, side: int) -> QImage:
    image = picture.image()
    if max(picture.width, picture.height) <= side:
        return image.copy()
    return image.scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
