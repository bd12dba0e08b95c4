"""The table of SIP-AT's authors: ``image_path``, ``image_class``, ``salience_map_path``, ``bounding_boxes``.

Boxes are JSON, a list of [left, top, width, height]; paths are relative to the table's folder.
"""

import json
import math
from pathlib import Path

import numpy as np

from sip_explorer.data.sources.labelling import numbered
from sip_explorer.data.sources.listing import Box, Source, SourceImage
from sip_explorer.data.sources.named_files import NamedFiles
from sip_explorer.data.sources.sentences import class_note, extras_note
from sip_explorer.data.sources.table_rows import SUFFIXES, Table, read_table
from sip_explorer.data.walking import Folder
from sip_explorer.records import CancelToken, SipError

_NEEDED = frozenset({"image_path", "image_class"})
_SALIENCE = frozenset({"salience_map_path", "bounding_boxes"})
_NO_MAP = "zeros_img.png"  # stands in the authors' tables for an image without salience


def find_authors_table(folder: Folder) -> Table | None:
    """Return the table of the authors' format in a folder; None where there is none."""
    for name in folder.files:
        if Path(name).suffix.lower() in SUFFIXES:
            table = read_table(folder.path / name)
            if is_authors_table(table):
                return table
    return None


def is_authors_table(table: Table) -> bool:
    """Whether a table has the authors' headings."""
    return set(table.columns) >= _NEEDED and bool(_SALIENCE & set(table.columns))


def read_authors_table(table: Table, token: CancelToken) -> Source:
    """List the pictures of the authors' table with their salience maps and boxes.

    Raises
    ------
    SipError
        If none of its pictures is there.
    """
    files = NamedFiles(table.path.parent, token)
    problems: list[str] = []
    rows: dict[str, tuple[str, Path | None, tuple[Box, ...]]] = {}
    for line, row in table.rows:
        where, given = f"Line {line} of {table.path.name}", row["image_path"]
        name = files.find(given) if given else None
        if name is None or name in rows:
            told = "which is not there" if name is None else "for the second time"
            problems.append(f"{where} names {given or 'no picture'}, {told}: it was left out.")
            continue
        mask = None
        shown = row.get("salience_map_path", "")
        if shown and Path(shown).name != _NO_MAP:
            found = files.find(shown)
            mask = files.folder / found if found else None
            if mask is None:
                problems.append(f"{where} names the map {shown}, which is not there: the image has no map.")
        try:
            boxes = boxes_of(row.get("bounding_boxes", ""), where)
        except SipError as error:
            problems.append(str(error))
            boxes = ()
        rows[name] = (row["image_class"], mask, boxes)
    if not rows:
        raise SipError(
            f"{table.path} names no picture that lies beside it; put it into the pictures' folder."
        )
    labels, classes, _ = numbered(np.array([row[0] for row in rows.values()], np.str_), None, str(table.path))
    images = [
        SourceImage(name, label if label >= 0 else None, None, files.folder / name, None, boxes, mask, "mask")
        for (name, (_, mask, boxes)), label in zip(rows.items(), labels.tolist(), strict=True)
    ]
    notes = (*class_note(classes, "the column image_class"), *extras_note(images))
    parent = table.path.parent
    return Source("the SIP-AT authors' table", table.path, parent.name, classes, images, notes, problems)


def boxes_of(text: str, where: str) -> tuple[Box, ...]:
    """Return boxes of JSON [[left, top, width, height], …]; `SipError` where it is something else."""
    if not text:
        return ()
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if isinstance(listed, list) and len(listed) == 4 and all(type(one) in (int, float) for one in listed):
        listed = [listed]  # one box without its list
    if not isinstance(listed, list):
        raise SipError(f"{where} has boxes that are no JSON list: write [[left, top, width, height]].")
    return tuple(rounded_box(box, where) for box in listed)


def rounded_box(box: object, where: str) -> Box:
    """Return a box of four numbers, outwards to whole pixels; `SipError` where it is none."""
    fits = (
        isinstance(box, list)
        and len(box) == 4
        and all(type(one) in (int, float) and math.isfinite(one) and abs(one) < 1e9 for one in box)
        and box[2] >= 0
        and box[3] >= 0
    )
    if not fits or not isinstance(box, list):
        raise SipError(f"{where} has a box that is not left, top, width and height: write four numbers.")
    left, top = math.floor(box[0]), math.floor(box[1])
    return left, top, math.ceil(box[0] + box[2]) - left, math.ceil(box[1] + box[3]) - top
