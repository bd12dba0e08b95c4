"""The table of SIP-AT's authors: ``salience.csv`` with maps in a folder beside it.

Its columns are ``image_path``, ``image_class``, ``salience_map_path`` and ``bounding_boxes`` (JSON,
a list of [left, top, width, height]); paths are relative to the folder of the data set.
"""

import csv
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
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
from sip_explorer.salience.exchange.json_file import numbers
from sip_explorer.salience.exchange.names import checked_name, safe_path
from sip_explorer.salience.exchange.one_mask import OneMask
from sip_explorer.salience.exchange.picture_file import picture_bytes, read_picture
from sip_explorer.salience.exchange.staging import place_in, staged_folder

TABLE = "salience.csv"
_COLUMNS = ("image_path", "image_class", "salience_map_path", "bounding_boxes")
_NONE = "zeros_img.png"  # stands in the authors' tables for an image without salience


def read(path: Path) -> Iterator[Reading]:
    """Read a table; of each row the map counts, and where there is none, the boxes.

    Boxes are filled. A row whose map is ``zeros_img.png``, or that has neither, has no salience.
    """
    table = path / TABLE if path.is_dir() else path
    csv.field_size_limit(1 << 24)
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or ()
            if "image_path" not in columns or not {"salience_map_path", "bounding_boxes"} & set(columns):
                raise SipError(
                    f"{table} has no columns image_path and salience_map_path or bounding_boxes: give the "
                    "table these headings."
                )
            for line, row in enumerate(rows, start=2):
                try:
                    yield _read_row(row, f"Line {line} of {table}", table.parent)
                except SipError as error:
                    yield Skipped(row.get("image_path") or f"line {line}", str(error))
    except OSError as error:
        raise SipError(f"{table} cannot be read ({error.strerror or error}): choose another.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SipError(f"{table} cannot be read as a table ({error}): save it as CSV in UTF-8.") from None


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write ``path/salience.csv`` and ``path/salience_maps/class/name.png``; yield each image's name.

    Raises
    ------
    SipError
        If an image has two masks: the table has room for one.
    """
    one = OneMask("The authors' table")
    with (
        staged_folder(path, force=force) as folder,
        open(folder / TABLE, "w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for mask in masks:
            one.take(mask)
            name = f"salience_maps/{safe_path(mask.stem)}.png"
            place_in(folder, name).write_bytes(picture_bytes(mask))
            table.writerow([mask.image, mask.label, name, json.dumps([enclosing_box(mask.mask)])])
            yield mask.image


def _read_row(row: Mapping[str, str | None], what: str, folder: Path) -> Reading:
    image = (row.get("image_path") or "").strip()
    given = (row.get("salience_map_path") or "").strip()
    if given and Path(given).name != _NONE:
        place = folder / checked_name(given, f"The column salience_map_path in {what}")
        if not is_within(place, folder):
            raise SipError(f"{what} names {given}, a link out of the table's folder: copy the map.")
        if not place.is_file():
            raise SipError(f"{what} names the map {given}, which is not there: put it beside the table.")
        mask, note, about = read_picture(place, str(place))
        return ForeignMask(about.get("image", image), about.get("annotator"), mask, what, note)
    boxes = (row.get("bounding_boxes") or "").strip()
    if given or not boxes:
        raise SipError(f"{what} gives the image {image or 'without a name'} no salience: it is left out.")
    return ForeignBoxes(image, None, _boxes(boxes, what), what, FILLED)


def _boxes(text: str, what: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        raise SipError(f"{what} has boxes that are no JSON: write [[left, top, width, height]].") from None
    if not isinstance(listed, list):
        raise SipError(f"{what} has boxes that are no list: write [[left, top, width, height]].")
    boxes = [numbers(box, f"A box in {what}") for box in listed]
    if any(len(box) != 4 or box[2] < 0 or box[3] < 0 for box in boxes):
        raise SipError(f"{what} has a box that is not left, top, width and height: write four numbers.")
    return np.array(boxes, np.float64).reshape(-1, 4)
