"""The strips or tiles of a TIFF file one after the other: a huge one never is in memory as a whole."""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from sip_explorer.records import SipError

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_STRIPS, _ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_ORIENTATION = 274
# What a piece needs of its file to be decoded by itself: type and order of the samples, palette,
# predictor, extra samples, tables of JPEG.
_KEPT = (258, 259, 262, 266, 277, 284, 317, 320, 338, 339, 347, 530, 531, 532)
_PLAIN = 1
_MOST_PIXELS = 16_000_000  # of a strip, or of a row of tiles
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class _Piece:
    offset: int
    length: int
    width: int
    height: int


def tiff_orientation(image: ImageFile.ImageFile) -> int:
    """Return how the pixels of a TIFF file lie, 1 (upright) to 8."""
    found = _tags(image).get(_ORIENTATION, 1)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def tiff_bands(image: ImageFile.ImageFile, path: Path | str) -> Iterator[Image.Image]:
    """Yield a TIFF file's pixels in bands of full width, from the top, as they lie in the file.

    Raises
    ------
    SipError
        If it lies in pieces that are too large to be read one by one.
    """
    tags = _tags(image)
    if tags.get(_PLANAR, 1) != 1 and tags.get(_SAMPLES, 1) != 1:
        raise SipError(
            f"{path} is a large TIFF with a plane for each colour; save it with interleaved colours."
        )
    with open(path, "rb") as file:
        if _TILES in tags:
            yield from _rows_of_tiles(tags, file, path)
        else:
            for piece in _strips(tags, path):
                yield _decoded(tags, piece, file, path)


def _strips(tags: ImageFileDirectory_v2, path: Path | str) -> Iterator[_Piece]:
    width, height = tags[_WIDTH], tags[_HEIGHT]
    rows = min(tags.get(_ROWS, height), height)
    offsets, lengths = _numbers(tags[_STRIPS]), _numbers(tags.get(_STRIP_BYTES, ()))
    bits = sum(_numbers(tags.get(_BITS, 1)))
    for number, offset in enumerate(offsets):
        left = min(rows, height - number * rows)
        if left <= 0:
            return
        if tags.get(_COMPRESSION, _PLAIN) == _PLAIN:  # rows lie one after the other: any number of them
            size = (width * bits + 7) // 8
            at_once = max(1, _MOST_PIXELS // 16 // width)
            for top in range(0, left, at_once):
                count = min(at_once, left - top)
                yield _Piece(offset + top * size, count * size, width, count)
        elif width * left > _MOST_PIXELS or number >= len(lengths):
            raise SipError(
                f"{path} is a large TIFF packed in one piece; save it in strips or tiles, or uncompressed."
            )
        else:
            yield _Piece(offset, lengths[number], width, left)


def _rows_of_tiles(tags: ImageFileDirectory_v2, file: BinaryIO, path: Path | str) -> Iterator[Image.Image]:
    width, height = tags[_WIDTH], tags[_HEIGHT]
    across, down = tags[_TILE_WIDTH], tags[_TILE_HEIGHT]
    offsets, lengths = _numbers(tags[_TILES]), _numbers(tags[_TILE_BYTES])
    columns = -(-width // across)
    if down * width > _MOST_PIXELS or across * down > _MOST_PIXELS:
        raise SipError(f"{path} is a large TIFF in large tiles; save it in tiles of 256 pixels.")
    for row, top in enumerate(range(0, height, down)):
        band = None
        for column in range(columns):
            number = row * columns + column
            tile = _decoded(tags, _Piece(offsets[number], lengths[number], across, down), file, path)
            if band is None:
                band = Image.new(tile.mode, (width, min(down, height - top)))
                if tile.palette is not None:
                    band.putpalette(tile.palette)
            band.paste(tile, (column * across, 0))
        if band is not None:
            yield band


def _decoded(tags: ImageFileDirectory_v2, piece: _Piece, file: BinaryIO, path: Path | str) -> Image.Image:
    """Decode one piece: a TIFF file of its own, of one strip, is made of it in memory."""
    if piece.length > _MOST_BYTES:
        raise SipError(f"{path} is a large TIFF packed in large pieces; save it in strips or tiles.")
    file.seek(piece.offset, os.SEEK_SET)
    data = file.read(piece.length)
    if len(data) < piece.length:
        raise SipError(f"{path} is cut short; fetch it again.")
    made = ImageFileDirectory_v2(prefix=tags.prefix)
    for tag in _KEPT:
        if tag in tags:
            made.tagtype[tag] = tags.tagtype[tag]
            made[tag] = tags[tag]
    for tag, value in (
        (_WIDTH, piece.width),
        (_HEIGHT, piece.height),
        (_ROWS, piece.height),
        (_STRIP_BYTES, len(data)),
        (_STRIPS, 0),
    ):
        made.tagtype[tag] = 4  # 32 bits, whatever the value: the length of the head must stay
        made[tag] = value
    made[_STRIPS] = 8 + len(made.tobytes(8))
    start = struct.pack("<HL" if tags.prefix == b"II" else ">HL", 42, 8)
    head = tags.prefix + start + made.tobytes(8)
    with Image.open(io.BytesIO(head + data), formats=("TIFF",)) as image:
        image.load()
        return image.copy()


def _tags(image: ImageFile.ImageFile) -> ImageFileDirectory_v2:
    tags = image.tag_v2  # type: ignore[attr-defined]
    assert isinstance(tags, ImageFileDirectory_v2)
    return tags


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(int(one) for one in value) if isinstance(value, tuple | list) else (int(value),)  # type: ignore[call-overload]
