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
_SPACE = 8


@dataclass(frozen=True)
class Strip:
    """A row of a sheet: a caption at the left, images side by side, a note under each.

    ``images`` is uint8 (n, H, W, C), C 1 or 3; ``notes`` is empty or has a text for each image.
    """

    caption: str
    images: NDArray[np.uint8]
    notes: tuple[str, ...] = ()


def sheet(path: Path | str, strips: Sequence[Strip], scale: int | None = None, title: str = "") -> None:
    """Write strips under each other as a PNG.

    ``scale`` enlarges by whole pixels (nearest neighbour), so that a 28 px image stays what it is; None
    chooses one that makes an image about 84 px wide.
    """
    if not strips or not any(len(strip.images) for strip in strips):
        raise SipError(f"There is no image to write into {Path(path).name}; choose at least one.")
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(13)
    small = ImageFont.load_default(11)
    height, width = strips[0].images.shape[1:3]
    factor = scale or max(1, round(84 / width))
    left = max((int(font.getlength(strip.caption)) for strip in strips), default=0)
    left = left + 2 * _SPACE if left else _SPACE
    noted = [max((len(note.split("\n")) for note in strip.notes), default=0) for strip in strips]
    heights = [height * factor + 15 * lines + (_SPACE if lines else 4) for lines in noted]
    columns = max(len(strip.images) for strip in strips)
    gap = 4
    notes_width = max(
        (int(small.getlength(line)) for strip in strips for note in strip.notes for line in note.split("\n")),
        default=0,
    )
    step = max(width * factor + gap, notes_width + _SPACE)
    top = 28 if title else _SPACE
    size = (max(left + columns * step + _SPACE, int(font.getlength(title)) + 2 * _SPACE), top + sum(heights))
    page = Image.new("RGB", (size[0], size[1] + _SPACE), _PAPER)
    pen = ImageDraw.Draw(page)
    if title:
        pen.text((_SPACE, _SPACE), title, _INK, font)
    y = top
    for strip, tall in zip(strips, heights, strict=True):
        if strip.caption:
            pen.text((_SPACE, y + height * factor // 2), strip.caption, _INK, font, anchor="lm")
        for column, pixels in enumerate(strip.images):
            x = left + column * step
            page.paste(_picture(pixels, factor), (x, y))
            if strip.notes:
                pen.multiline_text(
                    (x, y + height * factor + 2), strip.notes[column], _MUTED, small, spacing=1
                )
        y += tall
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
