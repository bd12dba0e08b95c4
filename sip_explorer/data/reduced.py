"""Previews of photos of any size, in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from sip_explorer.data.images import MOST_PIXELS
from sip_explorer.data.picture_file import opened_picture, orientation, turned
from sip_explorer.data.picture_modes import pixels_of
from sip_explorer.data.tiff_bands import tiff_bands, tiff_orientation
from sip_explorer.records import SipError

_BAND_PIXELS = 1 << 20


def read_reduced(path: Path | str, longest_side: int) -> NDArray[np.uint8]:
    """Return a small version of an image file, uint8 (H, W, C), upright, C = 1 or 3.

    The longer side has ``longest_side`` pixels; a smaller image stays as it is. Up to 64 million
    pixels every kind is read (up to 4 bytes a pixel at once, 256 MB; of a progressive JPEG 6). Up to
    178 million also baseline JPEG, which is decoded at 1/2 to 1/8 of its size, and TIFF, which is read
    strip by strip or tile by tile: some tens of megabytes.

    Raises
    ------
    SipError
        As `read_image`, or if the file is larger than that.
    """
    with opened_picture(path) as image:
        width, height = image.size
        if image.format == "TIFF" and width * height > MOST_PIXELS // 8:
            small = _reduce(
                tiff_bands(image, path), (width, height), longest_side, image, tiff_orientation(image)
            )
            return small
        fits = min(1.0, longest_side / max(width, height))
        # A progressive JPEG is held as a whole while it is decoded, whatever its size afterwards.
        in_pieces = not image.info.get("progressive") or width * height <= MOST_PIXELS
        if image.format == "JPEG" and fits < 0.5 and in_pieces:
            # Twice the size that is asked for: what is left is averaged below.
            image.draft(image.mode, (int(2 * width * fits) + 1, int(2 * height * fits) + 1))
        if image.width * image.height > MOST_PIXELS:
            raise SipError(
                f"{path} has {width} × {height} pixels; of more than {MOST_PIXELS / 1e6:.0f} million only a "
                "baseline JPEG or a TIFF in strips or tiles can be shown, so save it as one."
            )
        image.load()
        how = orientation(image)
        return _reduce(_bands(image), (width, height), longest_side, image, how)


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    rows = max(1, _BAND_PIXELS // max(1, image.width))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _reduce(
    bands: Iterable[Image.Image], full: tuple[int, int], longest: int, file: ImageFile.ImageFile, how: int
) -> NDArray[np.uint8]:
    """Average blocks of pixels band by band, then scale what is left to the size that is wanted."""
    if how > 4 and file.format == "TIFF":
        full = full[::-1]  # Pillow gives the size of a TIFF as it stands upright
    scale = min(1.0, longest / max(full))
    target = (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))
    averaged = _Averaged()
    for band in bands:
        if averaged.block is None:
            averaged.block = max(1, int(band.width / (2 * target[0])))
        averaged.add(pixels_of(band, file))
    small, width, height = averaged.finished()
    if (small.width, small.height) != target:
        box = (0, 0, width / (averaged.block or 1), height / (averaged.block or 1))
        small = small.resize(target, Image.Resampling.BILINEAR, box=box)
    pixels: NDArray[np.uint8] = np.array(turned(small, how))
    return pixels[..., None] if pixels.ndim == 2 else pixels


class _Averaged:
    """Rows of blocks, each the mean of ``block`` × ``block`` pixels."""

    def __init__(self) -> None:
        self.block: int | None = None
        self._done: list[NDArray[np.uint8]] = []
        self._rest: NDArray[np.uint8] | None = None
        self._height = 0
        self._width = 0

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Take the next rows, uint8 (h, W, C)."""
        self._height += len(pixels)
        self._width = pixels.shape[1]
        rows = pixels if self._rest is None else np.concatenate([self._rest, pixels])
        whole = len(rows) - len(rows) % (self.block or 1)
        if whole:
            self._done.append(self._means(rows[:whole]))
        self._rest = rows[whole:].copy() if whole < len(rows) else None

    def finished(self) -> tuple[Image.Image, int, int]:
        """Return the means as a picture, and the width and height of what was averaged."""
        if self._rest is not None:
            self._done.append(self._means(self._rest))
        return _picture(np.concatenate(self._done)), self._width, self._height

    def _means(self, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        block = self.block or 1
        if block == 1:
            return rows
        means: NDArray[np.uint8] = np.asarray(_picture(rows).reduce(block))
        return means.reshape(*means.shape[:2], rows.shape[2])


def _picture(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
