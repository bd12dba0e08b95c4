"""The layout of CUB-200-2011: ``images.txt``, ``bounding_boxes.txt``, ``segmentations/class/name.png``."""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import numpy as np

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.files import is_within
from sip_explorer.salience.exchange.foreign import (
    FILLED,
    ForeignBoxes,
    ForeignMask,
    OutgoingMask,
    Reading,
    Skipped,
    enclosing_box,
)
from sip_explorer.salience.exchange.names import checked_name, safe_path
from sip_explorer.salience.exchange.one_mask import OneMask
from sip_explorer.salience.exchange.picture_file import picture_bytes, read_picture
from sip_explorer.salience.exchange.staging import place_in, staged_folder

_IMAGES, _BOXES, _MASKS = "images.txt", "bounding_boxes.txt", "segmentations"


def read(path: Path) -> Iterator[Reading]:
    """Read the segmentation of every image in ``images.txt``; where there is none, its box, filled.

    The segmentations of CUB are grey: five people's outlines, one on another; they are read as they
    are. Blanks in names are part of the name.
    """
    boxes = _read_boxes(path / _BOXES)
    problems = [value for value in boxes.values() if isinstance(value, Skipped)]
    yield from problems
    for number, name in _lines(path / _IMAGES):
        what = f"Image {number} of {path / _IMAGES}"
        try:
            checked = checked_name(name, what)
            picture = path / _MASKS / Path(checked).with_suffix(".png")
            box = boxes.get(number)
            if picture.is_file() and is_within(picture, path):
                mask, note, about = read_picture(picture, str(picture))
                image = about.get("image", checked)
                yield ForeignMask(image, about.get("annotator"), mask, str(picture), note)
            elif isinstance(box, np.ndarray):
                yield ForeignBoxes(checked, None, box, f"{path / _BOXES} ({checked})", FILLED)
            else:
                yield Skipped(checked, f"{what} has neither a segmentation nor a box: it is left out.")
        except SipError as error:
            yield Skipped(name, str(error))


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write the layout: segmentations as 8-bit grey PNG, boxes around what is at least half salient.

    Raises
    ------
    SipError
        If an image has two masks: the layout has room for one.
    """
    one = OneMask("CUB's layout")
    with staged_folder(path, force=force) as folder:
        place_in(folder, _MASKS).mkdir()
        with (
            open(folder / _IMAGES, "w", encoding="utf-8") as images,
            open(folder / _BOXES, "w", encoding="utf-8") as boxes,
        ):
            for row, mask in enumerate(masks, start=1):
                one.take(mask)
                name = safe_path(mask.stem)
                place_in(folder, _MASKS, f"{name}.png").write_bytes(picture_bytes(mask))
                images.write(f"{row} {name}{Path(mask.image).suffix or '.png'}\n")
                boxes.write(
                    " ".join([str(row), *(f"{side:.1f}" for side in enclosing_box(mask.mask))]) + "\n"
                )
                yield mask.image


def is_cub(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return (folder / _IMAGES).is_file() and ((folder / _MASKS).is_dir() or (folder / _BOXES).is_file())


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the number and the rest of every line that is not blank."""
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                number, _, rest = line.strip().partition(" ")
                yield number, rest.strip()
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror or error}): choose another.") from None
    except UnicodeDecodeError as error:
        raise SipError(f"{path} cannot be read ({error}): copy the data set again.") from None


def _read_boxes(path: Path) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float64]] | Skipped"]:
    found: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]] | Skipped] = {}
    if not path.is_file():
        return found
    for number, rest in _lines(path):
        try:
            box = np.array([float(value) for value in rest.split()], np.float64)
            if box.shape != (4,) or not np.isfinite(box).all() or (box[2:] < 0).any():
                raise ValueError
            found[number] = box.reshape(1, 4)
        except ValueError:
            sentence = f"The box of image {number} in {path} is not left, top, width and height: {rest[:80]}."
            found[number] = Skipped(f"box {number}", sentence)
    return found
