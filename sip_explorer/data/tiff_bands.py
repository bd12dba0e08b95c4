"""The strips or tiles of a TIFF file one after the other: a huge one never is in memory as a whole."""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from sip_explorer.records import SipError

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_STRIPS, _ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_ORIENTATION = 274
# What a band needs of its file to be decoded by itself: type and order of the samples, palette,
# predictor, extra samples, tables of JPEG.
_KEPT = (258, 259, 262, 266, 277, 284, 317, 320, 338, 339, 347, 530, 531)
_SHORT, _LONG, _BYTES = 3, 4, 7
_PLAIN = 1
_BAND_PIXELS = 1 << 20
_MOST_PIXELS = 16_000_000  # of a strip, or of a row of tiles
_MOST_BYTES = 256 << 20


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
        bands = _bands_of_tiles if _TILES in tags else _bands_of_strips
        yield from bands(tags, file, path)


def _bands_of_strips(tags: ImageFileDirectory_v2, file: BinaryIO, path: Path | str) -> Iterator[Image.Image]:
    width, height = tags[_WIDTH], tags[_HEIGHT]
    rows = min(tags.get(_ROWS, height), height)
    offsets, lengths = _numbers(tags[_STRIPS]), _numbers(tags.get(_STRIP_BYTES, ()))
    if tags.get(_COMPRESSION, _PLAIN) == _PLAIN:  # rows lie one after the other: cut as is convenient
        size = (width * sum(_numbers(tags.get(_BITS, 1))) + 7) // 8
        at_once = min(rows, max(1, _BAND_PIXELS // width))
        starts = [(offset, top) for top, offset in zip(range(0, height, rows), offsets, strict=False)]
        pieces = [
            (offset + down * size, min(at_once, rows - down, height - top - down))
            for offset, top in starts
            for down in range(0, min(rows, height - top), at_once)
        ]
        for offset, count in pieces:
            yield _decoded(tags, (width, count), {_ROWS: (count,)}, [(offset, count * size)], file, path)
        return
    if width * rows > _MOST_PIXELS or len(lengths) != len(offsets):
        raise SipError(f"{path} is a large TIFF packed in one piece; save it in strips or tiles.")
    together = max(1, _BAND_PIXELS // (width * rows))
    strips = list(zip(offsets, lengths, strict=True))[: -(-height // rows)]
    for first in range(0, len(strips), together):
        some = strips[first : first + together]
        count = min(rows * len(some), height - first * rows)
        yield _decoded(tags, (width, count), {_ROWS: (rows,)}, some, file, path)


def _bands_of_tiles(tags: ImageFileDirectory_v2, file: BinaryIO, path: Path | str) -> Iterator[Image.Image]:
    width, height = tags[_WIDTH], tags[_HEIGHT]
    across, down = tags[_TILE_WIDTH], tags[_TILE_HEIGHT]
    tiles = list(zip(_numbers(tags[_TILES]), _numbers(tags[_TILE_BYTES]), strict=True))
    columns = -(-width // across)
    if down * width > _MOST_PIXELS or across * down > _MOST_PIXELS:
        raise SipError(f"{path} is a large TIFF in large tiles; save it in tiles of 256 pixels.")
    sizes = {_TILE_WIDTH: (across,), _TILE_HEIGHT: (down,)}
    for row, top in enumerate(range(0, height, down)):
        some = tiles[row * columns : (row + 1) * columns]
        yield _decoded(tags, (width, min(down, height - top)), sizes, some, file, path)


def _decoded(
    tags: ImageFileDirectory_v2,
    size: tuple[int, int],
    pieces_are: Mapping[int, Sequence[int]],
    pieces: Sequence[tuple[int, int]],
    file: BinaryIO,
    path: Path | str,
) -> Image.Image:
    """Decode strips or tiles, (offset, length) each: a small TIFF file of them is made in memory."""
    if sum(length for _, length in pieces) > _MOST_BYTES:
        raise SipError(f"{path} is a large TIFF packed in large pieces; save it in strips or tiles.")
    data, starts = bytearray(), []
    for offset, length in pieces:
        file.seek(offset)
        starts.append(8 + len(data))
        data += file.read(length)
        if 8 + len(data) < starts[-1] + length:
            raise SipError(f"{path} is cut short; fetch it again.")
    tiled = _TILE_WIDTH in pieces_are
    fields: dict[int, bytes | Sequence[int]] = {tag: _value(tags[tag]) for tag in _KEPT if tag in tags}
    fields |= {_WIDTH: (size[0],), _HEIGHT: (size[1],), **pieces_are}
    fields[_TILES if tiled else _STRIPS] = starts
    fields[_TILE_BYTES if tiled else _STRIP_BYTES] = [length for _, length in pieces]
    with Image.open(io.BytesIO(_file(tags.prefix, fields, bytes(data))), formats=("TIFF",)) as image:
        image.load()
        return image.copy()


def _file(prefix: bytes, fields: Mapping[int, bytes | Sequence[int]], data: bytes) -> bytes:
    """Return a TIFF file: its head, ``data`` from byte 8 on, then the directory of ``fields``."""
    order = "<" if prefix == b"II" else ">"
    data += bytes(len(data) % 2)
    start = 8 + len(data)
    beyond = start + 2 + 12 * len(fields) + 4
    directory, rest = struct.pack(f"{order}H", len(fields)), b""
    for tag, value in sorted(fields.items()):
        if isinstance(value, bytes):
            kind, packed = _BYTES, value
        else:
            kind = _SHORT if tag in _KEPT else _LONG
            packed = struct.pack(f"{order}{len(value)}{'H' if kind == _SHORT else 'L'}", *value)
        directory += struct.pack(f"{order}HHL", tag, kind, len(value))
        if len(packed) > 4:
            directory += struct.pack(f"{order}L", beyond + len(rest))
            rest += packed + bytes(len(packed) % 2)
        else:
            directory += packed.ljust(4, b"\0")
    return prefix + struct.pack(f"{order}HL", 42, start) + data + directory + bytes(4) + rest


def _tags(image: ImageFile.ImageFile) -> ImageFileDirectory_v2:
    tags = image.tag_v2  # type: ignore[attr-defined]
    assert isinstance(tags, ImageFileDirectory_v2)
    return tags


def _value(value: object) -> bytes | tuple[int, ...]:
    return value if isinstance(value, bytes) else _numbers(value)


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(map(int, value)) if isinstance(value, tuple | list) else (int(value),)  # type: ignore[call-overload]
