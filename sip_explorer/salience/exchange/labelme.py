"""labelme's JSON, one file an image: ``annotator/class/name.json`` with polygons along pixel edges."""

import base64
import binascii
import io
import json
import math
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import coco
from sip_explorer.salience.exchange.files import files_in
from sip_explorer.salience.exchange.foreign import (
    ForeignMask,
    Mask,
    OutgoingMask,
    Reading,
    Skipped,
    boxes_mask,
    refuse_size,
)
from sip_explorer.salience.exchange.json_file import JSON, add_polygon, is_size, numbers, read_json
from sip_explorer.salience.exchange.names import file_part, safe_path
from sip_explorer.salience.exchange.picture_file import read_picture
from sip_explorer.salience.exchange.rings import polygons_of
from sip_explorer.salience.exchange.staging import place_in, staged_folder
from sip_explorer.salience.strokes import PROTECTED

_VERSION = "5.5.0"  # the first labelme with all that is written here


def read(path: Path) -> Iterator[Reading]:
    """Read one file, or every ``.json`` in a folder and its folders.

    Polygons, rectangles, circles and masks unite, whatever their labels; lines and points enclose
    nothing and are left out, with a sentence. The picture inside a file (``imageData``) is only
    asked for its size, and that only where the file does not say it.
    """
    for file in files_in(path, JSON):
        if isinstance(file, Skipped):
            yield file
            continue
        try:
            yield from _read_one(file)
        except SipError as error:
            yield Skipped(file.name, str(error))


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write each mask to ``path/annotator/class/name.json``; yield its image's name."""
    with staged_folder(path, force=force) as folder:
        for mask in masks:
            height, width = mask.mask.shape
            shapes = [
                {
                    "label": mask.label or "salient",
                    "points": ring.astype(float).tolist(),
                    "group_id": None,
                    "description": "",
                    "shape_type": "polygon",
                    "flags": {},
                }
                for ring in polygons_of(mask.mask >= PROTECTED)
            ]
            content = {
                "version": _VERSION,
                "flags": {"empty on purpose": True} if mask.state == "empty" else {},
                "shapes": shapes,
                "imagePath": mask.image,
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
                "annotator": mask.annotator,
            }
            place = place_in(folder, f"{file_part(mask.annotator)}/{safe_path(mask.stem)}.json")
            place.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            yield mask.image


def _read_one(file: Path) -> Iterator[Reading]:
    content = read_json(file)
    shapes = content.get("shapes")
    if not isinstance(shapes, list):
        raise SipError(f"{file} has no list named shapes: it is no labelme file.")
    height, width = _size(content, file)
    mask = np.zeros((height, width), np.uint8)
    beyond, drawn = False, 0
    for row, shape in enumerate(shapes):
        what = f"Shape {row + 1} of {file}"
        try:
            piece = np.zeros_like(mask)
            beyond |= _add(piece, shape, what)
            np.maximum(mask, piece, out=mask)
            drawn += 1
        except SipError as error:
            yield Skipped(what, str(error))
    if shapes and not drawn:
        raise SipError(f"{file} has no shape that encloses anything: it is left out.")
    # labelme names the picture by a path from the JSON's folder, often "../pictures/001.jpg"
    named = content.get("imagePath")
    parts = named.replace("\\", "/").split("/") if isinstance(named, str) else []
    while parts and parts[0] in ("..", "."):
        parts.pop(0)
    annotator = content.get("annotator")
    yield ForeignMask(
        "/".join(parts) or file.stem,
        annotator if isinstance(annotator, str) and annotator.strip() else None,
        mask,
        str(file),
        coco.BEYOND if beyond else "",
    )


def _size(content: dict[str, Any], file: Path) -> tuple[int, int]:
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if not (is_size(height) and is_size(width)):
        data = io.BytesIO(_decoded(content.get("imageData"), f"The size of {file}"))
        picture, _, _ = read_picture(data, f"The picture inside {file}")
        height, width = picture.shape
    refuse_size(int(height or 0), int(width or 0), str(file))
    return int(height or 0), int(width or 0)


def _add(mask: Mask, shape: object, what: str) -> bool:
    """Fill a shape; whether it reaches beyond the image."""
    if not isinstance(shape, dict):
        raise SipError(f"{what} is no shape: it is left out.")
    kind, points = shape.get("shape_type") or "polygon", _points(shape.get("points"), what)
    if kind == "polygon":
        return add_polygon(mask, points, what)
    if kind in ("rectangle", "circle", "mask") and len(points) < 2:
        raise SipError(f"{what} is a {kind} of {len(points)} points: two are needed.")
    if kind == "rectangle":  # of two opposite corners, or of all four
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        mask |= boxes_mask(np.array([x0, y0, x1 - x0, y1 - y0]), *mask.shape)
        return _beyond(points, mask)
    if kind == "circle":  # its centre and a point of its edge
        radius = math.dist(points[0], points[1])
        y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
        mask[(x + 0.5 - points[0, 0]) ** 2 + (y + 0.5 - points[0, 1]) ** 2 < radius**2] = 255
        return _beyond(np.array([points[0] - radius, points[0] + radius]), mask)
    if kind == "mask":
        return _paste(mask, shape.get("mask"), points, what)
    raise SipError(f"{what} is a {kind}, which encloses nothing: it is left out.")


def _paste(mask: Mask, encoded: object, points: NDArray[np.float64], what: str) -> bool:
    """Put a mask shape, a PNG whose corners are two points (the second included), where it belongs."""
    piece, _, _ = read_picture(io.BytesIO(_decoded(encoded, f"The mask of {what}")), f"The mask of {what}")
    left, top = np.rint(points.min(axis=0)).astype(int).tolist()
    high, wide = piece.shape
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(mask.shape[0], top + high), min(mask.shape[1], left + wide)
    if y0 < y1 and x0 < x1:
        mask[y0:y1, x0:x1] = piece[y0 - top : y1 - top, x0 - left : x1 - left]
    return (y0, x0, y1, x1) != (top, left, top + high, left + wide)


def _points(value: object, what: str) -> NDArray[np.float64]:
    if not isinstance(value, list):
        raise SipError(f"{what} has no list of points: it is left out.")
    pairs = [numbers(pair, f"A point of {what}") for pair in value]
    if any(len(pair) != 2 for pair in pairs):
        raise SipError(f"{what} has a point that is not an x and a y: it is left out.")
    return np.array(pairs, np.float64).reshape(-1, 2)


def _decoded(value: object, what: str) -> bytes:
    try:
        if isinstance(value, str) and value:
            return base64.b64decode(value, validate=False)
    except (binascii.Error, ValueError):
        pass
    raise SipError(f"{what} is not known: the file holds no picture in base64; save it again with labelme.")


def _beyond(points: NDArray[np.float64], mask: Mask) -> bool:
    return bool((points < 0).any() or (points > mask.shape[::-1]).any())
