"""From stroke rows to a mask and back: replay, snapshots, history."""

import io
import logging
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]

log = logging.getLogger(__name__)


class PatchLike(Protocol):
    """What a stroke changed: `sip_explorer.salience.Patch` fits.

    ``box`` is (y0, x0, y1, x1), half-open; ``old`` and ``new`` are uint8 of the box's shape.
    """

    @property
    def box(self) -> Box: ...
    @property
    def old(self) -> Mask: ...
    @property
    def new(self) -> Mask: ...


@dataclass(frozen=True)
class Stroke:
    """One finished stroke, as it is kept."""

    box: Box
    old: Mask
    new: Mask
    tool: str
    at: float


@dataclass(frozen=True)
class StrokeRecord:
    """One line of a mask's history: ``at`` is the POSIX time at which the stroke ended."""

    id: int
    box: Box
    tool: str
    at: float


def apply(mask: Mask, stroke: Stroke) -> None:
    """Write the new values of a stroke into ``mask``; doing it twice changes nothing more."""
    y0, x0, y1, x1 = stroke.box
    mask[y0:y1, x0:x1] = stroke.new


def insert_stroke(connection: sqlite3.Connection, image: int, annotator: int, stroke: Stroke) -> int:
    """Append the row of a stroke and return its id (no commit)."""
    cursor = connection.execute(
        "INSERT INTO strokes (image, annotator, y0, x0, y1, x1, old, new, tool, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (image, annotator, *stroke.box, _pack(stroke.old), _pack(stroke.new), stroke.tool, stroke.at),
    )
    return int(cursor.lastrowid or 0)


def read_mask(
    connection: sqlite3.Connection,
    image: int,
    annotator: int,
    shape: tuple[int, int],
    *,
    last: int | None = None,
    use_snapshot: bool = True,
) -> tuple[Mask, int]:
    """Return the mask after the stroke with id ``last`` (all, if None) and that stroke's id.

    The mask is uint8 (H, W), zeros before the first stroke, whose id then is 0. A snapshot that
    does not decode is passed over: the strokes alone are enough.
    """
    mask, done = np.zeros(shape, np.uint8), 0
    if use_snapshot:
        row = connection.execute(
            "SELECT stroke, png FROM snapshots WHERE image = ? AND annotator = ?", (image, annotator)
        ).fetchone()
        if row is not None and (last is None or row[0] <= last):
            decoded = _snapshot(row[1], shape)
            if decoded is not None:
                mask, done = decoded, int(row[0])
    rows = connection.execute(
        "SELECT id, y0, x0, y1, x1, new FROM strokes "
        "WHERE image = ? AND annotator = ? AND id > ? AND id <= ? ORDER BY id",
        (image, annotator, done, 2**62 if last is None else last),
    )
    for done, y0, x0, y1, x1, new in rows:  # noqa: B007 - the last id is returned
        mask[y0:y1, x0:x1] = _unpack(new, (y1 - y0, x1 - x0))
    return mask, done


def read_masks(
    connection: sqlite3.Connection, wanted: Mapping[tuple[int, int], tuple[int, int]]
) -> dict[tuple[int, int], tuple[Mask, int]]:
    """Return (image, annotator) -> what `read_mask` gives, for those ``wanted``, fast.

    ``wanted`` says the (height, width) of each.
    """
    images = sorted({image for image, _ in wanted})
    those = f"image IN ({', '.join('?' * len(images))})"
    found = {key: np.zeros(shape, np.uint8) for key, shape in wanted.items()}
    done = dict.fromkeys(wanted, 0)
    for image, annotator, stroke, png in connection.execute(
        f"SELECT image, annotator, stroke, png FROM snapshots WHERE {those}", images
    ):
        key = (image, annotator)
        decoded = _snapshot(png, wanted[key]) if key in wanted else None
        if decoded is not None:
            found[key], done[key] = decoded, stroke
    # The ids first, from the index alone: most strokes are in a snapshot already.
    later = [
        (number,)
        for image, annotator, number in connection.execute(
            f"SELECT image, annotator, id FROM strokes WHERE {those}", images
        )
        if number > done.get((image, annotator), number)
    ]
    for (number,) in sorted(later):
        image, annotator, y0, x0, y1, x1, new = connection.execute(
            "SELECT image, annotator, y0, x0, y1, x1, new FROM strokes WHERE id = ?", (number,)
        ).fetchone()
        found[image, annotator][y0:y1, x0:x1] = _unpack(new, (y1 - y0, x1 - x0))
        done[image, annotator] = number
    return {key: (mask, done[key]) for key, mask in found.items()}


def read_strokes(connection: sqlite3.Connection, image: int, annotator: int) -> list[StrokeRecord]:
    """Return the history of a mask, oldest stroke first."""
    rows = connection.execute(
        "SELECT id, y0, x0, y1, x1, tool, at FROM strokes WHERE image = ? AND annotator = ? ORDER BY id",
        (image, annotator),
    )
    return [StrokeRecord(row[0], tuple(row[1:5]), row[5], row[6]) for row in rows]


def count_strokes(connection: sqlite3.Connection, images: Sequence[int], annotator: int) -> dict[int, int]:
    """Return image id -> number of strokes, for those of ``images`` that have any."""
    wanted = set(images)
    rows = connection.execute(
        "SELECT image, count(*) FROM strokes WHERE annotator = ? GROUP BY image", (annotator,)
    )
    return {image: count for image, count in rows if image in wanted}


def _pack(values: Mask) -> bytes:
    return zlib.compress(np.ascontiguousarray(values, dtype=np.uint8).data, 1)


def _unpack(data: bytes, shape: tuple[int, int]) -> Mask:
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)


def encode_png(values: Mask) -> bytes:
    """Return uint8 (H, W) as a grey PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def decode_png(png: bytes) -> Mask | None:
    """Return the uint8 (H, W) of a grey PNG; None, and a line in the log, where it is damaged."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png)) as image:
            values = np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        log.warning("a PNG in the catalogue does not decode: %s", error)
        return None
    return values if values.ndim == 2 and values.dtype == np.uint8 else None


def _snapshot(png: bytes, shape: tuple[int, int]) -> Mask | None:
    mask = decode_png(png)
    return mask if mask is not None and mask.shape == shape else None
