"""Sheets, animations and tables on disk. Files are whole or absent."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError, atomic_path, write_text

if TYPE_CHECKING:
    from PIL.Image import Image

_INK, _PAPER, _MUTED = (27, 31, 35), (255, 255, 255), (95, 107, 118)
_SPACE, _LINE = 8, 15


@dataclass(frozen=True)
class Strip:
    """A row of a sheet: a caption at the left, images side by side, a note under each.

    ``images`` are uint8 (H, W, C), C 1 or 3; ``notes`` is empty or has a text for each.
    """

    caption: str
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    notes: tuple[str, ...] = ()


def sheet(path: Path | str, strips: Sequence[Strip], scale: int | None = None, title: str = "") -> None:
    """Write strips under each other as a PNG.

    ``scale`` enlarges by whole pixels (nearest neighbour), so that a 28 px image stays what it is; None
    chooses for each image one that makes it about 84 px wide.
    """
    if not any(len(strip.images) for strip in strips):
        raise SipError(f"There is no image to write into {Path(path).name}; choose at least one.")
    from PIL import Image, ImageDraw, ImageFont

    font, small = ImageFont.load_default(13), ImageFont.load_default(11)
    rows = [
        [_picture(pixels, scale or max(1, round(84 / pixels.shape[1]))) for pixels in strip.images]
        for strip in strips
    ]
    left = max(int(font.getlength(strip.caption)) for strip in strips)
    left = left + 2 * _SPACE if left else _SPACE
    noted = max(
        (small.getlength(line) for strip in strips for note in strip.notes for line in note.split("\n")),
        default=0.0,
    )
    step = max(max(picture.width for row in rows for picture in row) + 4, int(noted) + _SPACE)
    lines = [max((len(note.split("\n")) for note in strip.notes), default=0) for strip in strips]
    pictured = [max((picture.height for picture in row), default=0) for row in rows]
    heights = [
        tall + (_LINE * count + _SPACE if count else 4) for tall, count in zip(pictured, lines, strict=True)
    ]
    top = 28 if title else _SPACE
    width = left + max(len(row) for row in rows) * step + _SPACE
    width = max(width, int(font.getlength(title)) + 2 * _SPACE)
    page = Image.new("RGB", (width, top + sum(heights) + _SPACE), _PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((_SPACE, _SPACE), title, _INK, font)
    y = top
    for strip, row, tall, height in zip(strips, rows, pictured, heights, strict=True):
        pen.text((_SPACE, y + tall // 2), strip.caption, _INK, font, anchor="lm")
        for column, picture in enumerate(row):
            page.paste(picture, (left + column * step, y))
            if strip.notes:
                place = (left + column * step, y + tall + 2)
                pen.multiline_text(place, strip.notes[column], _MUTED, small, spacing=1)
        y += height
    with atomic_path(path) as temporary:
        page.save(temporary, format="PNG")


def gif(path: Path | str, images: NDArray[np.uint8], *, milliseconds: int = 80, scale: int = 4) -> None:
    """Write images (n, H, W, C) as a GIF that goes there and back for ever, resting at both ends."""
    if len(images) < 2:
        raise SipError(f"An animation needs at least 2 images; {Path(path).name} would have {len(images)}.")
    frames = [_picture(pixels, scale) for pixels in images]
    frames = [*frames, *frames[-2:0:-1]]
    pauses = [milliseconds] * len(frames)
    pauses[0] = pauses[len(images) - 1] = 8 * milliseconds
    if images.shape[-1] == 3:
        frames = [frame.quantize(256) for frame in frames]
    with atomic_path(path) as temporary:
        frames[0].save(
            temporary, format="GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0
        )


def table(path: Path | str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file (RFC 4180, UTF-8) with a line of column names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def diverging(values: NDArray[np.floating], limit: float | None = None) -> NDArray[np.uint8]:
    """Return signed values (H, W) as colours (H, W, 3): blue below 0, white at 0, red above.

    The ends are ±``limit``, by default the 99th percentile of |values|.
    """
    end = float(np.quantile(np.abs(values), 0.99)) if limit is None else limit
    place = np.clip(values / (end or 1.0), -1, 1)[..., None]
    blue, white, red = np.array([5, 48, 97]), np.array([247, 247, 247]), np.array([103, 0, 31])
    colours = white + np.where(place < 0, -place * (blue - white), place * (red - white))
    return np.asarray(colours.round(), np.uint8)


def _picture(pixels: NDArray[np.uint8], factor: int) -> "Image":
    from PIL import Image

    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return Image.fromarray(np.ascontiguousarray(flat)).resize(
        (flat.shape[1] * factor, flat.shape[0] * factor), Image.Resampling.NEAREST
    )
