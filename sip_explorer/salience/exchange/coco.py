"""COCO's JSON: images[] and annotations[] with run lengths or polygons.

The annotator and the state stand in each annotation's ``attributes``, as in the files of CVAT.
"""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.files import files_in
from sip_explorer.salience.exchange.foreign import (
    FILLED,
    ForeignMask,
    Mask,
    OutgoingMask,
    Reading,
    Skipped,
    boxes_mask,
    enclosing_box,
    refuse_size,
)
from sip_explorer.salience.exchange.json_file import (
    JSON,
    add_polygon,
    is_size,
    numbers,
    read_json,
    write_json,
)
from sip_explorer.salience.exchange.rings import polygons_of
from sip_explorer.salience.exchange.rle import compressed, counts_of, mask_from
from sip_explorer.salience.exchange.staging import refuse_existing
from sip_explorer.salience.strokes import PROTECTED

BEYOND = "What reaches beyond the image is cut off."


def read(path: Path) -> Iterator[Reading]:
    """Read a file of annotations, or every ``.json`` in a folder and its folders.

    Annotations of one image and annotator unite. A segmentation is a compressed or plain list of
    runs, or polygons (a pixel is inside if its centre is); where there is none, or an empty one, the
    box counts.
    Categories are not read.
    """
    for file in files_in(path, JSON):
        if isinstance(file, Skipped):
            yield file
            continue
        try:
            yield from _read_one(file)
        except SipError as error:
            if file == path:
                raise
            yield Skipped(file.name, str(error))


def write(
    path: Path, masks: Iterable[OutgoingMask], *, force: bool = False, polygons: bool = False
) -> Generator[str, None, None]:
    """Write one file of run lengths (compressed), or of polygons; yield each image's name."""
    refuse_existing(path, force=force)
    images: dict[int, dict[str, Any]] = {}
    categories: dict[str, int] = {}
    annotations: list[dict[str, Any]] = []
    for mask in masks:
        height, width = mask.mask.shape
        file = {"id": mask.number, "file_name": mask.image, "width": width, "height": height}
        images.setdefault(mask.number, file)
        inside = mask.mask >= PROTECTED
        segmentation: Any
        if polygons:
            segmentation = [ring.ravel().tolist() for ring in polygons_of(inside)]
        else:
            segmentation = {"size": [height, width], "counts": compressed(counts_of(inside))}
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": mask.number,
                "category_id": categories.setdefault(mask.label or "salient", len(categories) + 1),
                "segmentation": segmentation,
                "area": int(inside.sum()),
                "bbox": list(enclosing_box(mask.mask)),
                "iscrowd": 0,
                "attributes": {"annotator": mask.annotator, "state": mask.state},
            }
        )
        yield mask.image
    write_json(
        path,
        {
            "info": {"description": "Salience from SIP Explorer", "version": "1"},
            "images": list(images.values()),
            "categories": [{"id": number, "name": name} for name, number in categories.items()],
            "annotations": annotations,
        },
    )


def _read_one(path: Path) -> Iterator[Reading]:
    content = read_json(path)
    images, annotations = content.get("images"), content.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list):
        raise SipError(f"{path} has no lists named images and annotations: it is no COCO file.")
    entries: dict[object, dict[str, Any]] = {}
    for row, entry in enumerate(images):
        number = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(number, int | str):
            yield Skipped(f"images[{row}]", f"Entry {row} of images in {path} has no id: it is left out.")
        elif number in entries:
            yield Skipped(f"images[{row}]", f"Two images in {path} have the id {number}: the first counts.")
        else:
            entries[number] = entry
    groups: dict[tuple[object, str | None], list[tuple[int, dict[str, Any]]]] = {}
    for row, annotation in enumerate(annotations):
        what = f"Annotation {_name(row, annotation)} in {path}"
        number = annotation.get("image_id") if isinstance(annotation, dict) else None
        if not isinstance(number, int | str) or number not in entries:
            yield Skipped(what, f"{what} belongs to no image of the file: it is left out.")
        else:
            groups.setdefault((number, _annotator(annotation)), []).append((row, annotation))
    for (number, annotator), group in groups.items():
        yield from _united(entries[number], annotator, group, path)


def _united(
    entry: dict[str, Any], annotator: str | None, group: list[tuple[int, dict[str, Any]]], path: Path
) -> Iterator[Reading]:
    name = entry.get("file_name", entry["id"])
    whole: Mask | None = None
    notes: list[str] = []
    for row, annotation in group:
        what = f"Annotation {_name(row, annotation)} of {name} in {path}"
        try:
            mask, note = _mask(entry, annotation, what)
            if whole is not None and mask.shape != whole.shape:
                raise SipError(f"{what} has another size than those before it: it is left out.")
        except SipError as error:
            yield Skipped(what, str(error))
            continue
        whole = mask if whole is None else np.maximum(whole, mask)
        notes += [note] if note else []
    if whole is not None:
        yield ForeignMask(str(name), annotator, whole, f"{path} ({name})", notes[0] if notes else "")


def _mask(entry: dict[str, Any], annotation: dict[str, Any], what: str) -> tuple[Mask, str]:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        return mask_from(segmentation, what), ""
    height, width = entry.get("height"), entry.get("width")
    if not is_size(height) or not is_size(width):
        raise SipError(f"{what} belongs to an image without height and width: add them to images.")
    refuse_size(int(height or 0), int(width or 0), what)
    if segmentation in (None, []) and annotation.get("bbox") is not None:
        box = numbers(annotation["bbox"], f"The box of {what}")
        if len(box) != 4:
            raise SipError(f"{what} has a box of {len(box)} numbers: left, top, width and height are needed.")
        return boxes_mask(box, int(height or 0), int(width or 0)), FILLED if box.any() else ""
    if not isinstance(segmentation, list) or not segmentation:
        raise SipError(f"{what} has neither run lengths nor polygons: it is left out.")
    mask = np.zeros((int(height or 0), int(width or 0)), np.uint8)
    beyond = False
    for polygon in segmentation:
        flat = numbers(polygon, f"A polygon of {what}")
        if len(flat) % 2:
            raise SipError(f"A polygon of {what} has an x without a y: write it again.")
        piece = np.zeros_like(mask) if len(segmentation) > 1 else mask
        beyond |= add_polygon(piece, flat.reshape(-1, 2), f"A polygon of {what}")
        if piece is not mask:
            np.maximum(mask, piece, out=mask)
    return mask, BEYOND if beyond else ""


def _annotator(annotation: dict[str, Any]) -> str | None:
    attributes = annotation.get("attributes")
    named = attributes.get("annotator") if isinstance(attributes, dict) else annotation.get("annotator")
    return named if isinstance(named, str) and named.strip() else None


def _name(row: int, annotation: object) -> str:
    number = annotation.get("id") if isinstance(annotation, dict) else None
    return str(number) if isinstance(number, int | str) else f"number {row}"
