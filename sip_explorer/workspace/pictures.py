"""Pixels of a workspace's images, from ``images.h5`` or from the files that the catalogue names."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError

if TYPE_CHECKING:
    from sip_explorer.data import PackedImages

PACKED = "images.h5"
_THUMBNAIL_BYTES = 64 << 20
Pixels = NDArray[np.uint8]
Place = int | str
"""A row in ``images.h5``, or a path: absolute, or relative to the workspace."""


class Pictures:
    """Reads pixels from where they lie; may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packed: PackedImages | None = None
        self._lock = threading.Lock()
        self._thumbnails: OrderedDict[tuple[Place, int], Pixels] = OrderedDict()
        self._bytes = 0

    def read(self, place: Place) -> Pixels:
        """Return the image at ``place`` as uint8 (H, W, C)."""
        if isinstance(place, int):
            pixels: Pixels = self._open_packed().read([place])[0]
            return pixels
        from sip_explorer.data import read_image

        path = self._folder / place  # an absolute path stands for itself
        if not path.exists():
            raise SipError(f"The picture {path} is no longer there: put it back, then try again.")
        return read_image(path)

    def read_packed(self, rows: NDArray[np.int64]) -> Pixels:
        """Return rows of ``images.h5`` as uint8 (n, H, W, C): far faster than one by one."""
        return self._open_packed().read(rows)

    def has_segmentations(self) -> bool:
        """Whether ``images.h5`` holds object masks."""
        return self._open_packed().has_segmentations

    def read_segmentations(self, rows: NDArray[np.int64]) -> Pixels | None:
        """Return the object masks of rows of ``images.h5`` as uint8 (n, H, W); None if it has none."""
        return self._open_packed().segmentations(rows)

    def read_boxes(self, rows: NDArray[np.int64]) -> dict[int, NDArray[np.int32]]:
        """Return row -> boxes of objects, int32 (n, 4), of those rows of ``images.h5`` that have any."""
        return self._open_packed().boxes(rows) or {}

    def thumbnail(self, place: Place, side: int) -> Pixels:
        """Return the image with its longer side at most ``side`` pixels; kept in a small cache."""
        key = (place, side)
        with self._lock:
            found = self._thumbnails.get(key)
            if found is not None:
                self._thumbnails.move_to_end(key)
                return found
        image = self.read(place)
        height, width = image.shape[:2]
        if max(height, width) > side:
            scale = side / max(height, width)
            image = resize(image, (max(1, round(height * scale)), max(1, round(width * scale))))
        with self._lock:
            if key not in self._thumbnails:
                self._thumbnails[key] = image
                self._bytes += image.nbytes
            while self._bytes > _THUMBNAIL_BYTES:
                self._bytes -= self._thumbnails.popitem(last=False)[1].nbytes
        return image

    def close(self) -> None:
        """Close ``images.h5``."""
        with self._lock:
            packed, self._packed = self._packed, None
            self._thumbnails.clear()
            self._bytes = 0
        if packed is not None:
            packed.close()

    def _open_packed(self) -> PackedImages:
        with self._lock:
            if self._packed is None:
                from sip_explorer.data import PackedImages

                self._packed = PackedImages.open(self._folder / PACKED)
            return self._packed


def pixels_digest(pixels: Pixels) -> bytes:
    """Return the SHA-256 of the shape and the pixels of an image, uint8 (H, W, C)."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()


def resize(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Return uint8 (H, W, C) or (H, W) at ``size`` = (height, width), bilinear, antialiased."""
    if image.shape[:2] == size:
        return image
    from PIL import Image

    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    scaled = Image.fromarray(flat).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.array(scaled).reshape(*size, *image.shape[2:])


def stack(images: list[Pixels], size: tuple[int, int] | None) -> Pixels:
    """Return ``images`` as one uint8 array (N, H, W, C), resized to ``size`` where given.

    Grey images among coloured ones are written three times.

    Raises
    ------
    SipError
        If the images differ in size and ``size`` is None.
    """
    if size is not None:
        images = [resize(image, size) for image in images]
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise SipError("The chosen images differ in size: choose images of one size, or a size for all.")
    channels = max(image.shape[2] for image in images)
    return np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in images])
