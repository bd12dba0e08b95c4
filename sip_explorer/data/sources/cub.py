"""CUB-200-2011 (Wah, Branson, Welinder, Perona, Belongie 2011): birds with boxes, masks and a split.

``images.txt``, ``image_class_labels.txt``, ``classes.txt``, ``train_test_split.txt`` (1: training) and
``bounding_boxes.txt`` (X Y width height) name everything by the number of the image; the pictures lie in
``images/``, the masks, where they were fetched, in ``segmentations/``.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from sip_explorer.data.sources.authors_table import rounded_box
from sip_explorer.data.sources.listing import Box, Source, SourceImage
from sip_explorer.data.sources.sentences import class_note, extras_note, split_note
from sip_explorer.data.sources.table_rows import read_text
from sip_explorer.data.walking import Folder, find_pictures
from sip_explorer.records import CancelToken, SipError


def is_cub(folder: Folder) -> bool:
    """Whether the tables of CUB-200-2011 lie in the folder."""
    return {"images.txt", "image_class_labels.txt"} <= set(folder.files)


def read_cub(folder: Folder, token: CancelToken) -> Source:
    """List the images of the set with their official split, boxes and masks.

    Raises
    ------
    SipError
        If the tables name no picture that is there.
    """
    problems: list[str] = []

    def table(name: str, told: str) -> dict[str, str]:
        if name in folder.files:
            return _table(folder.path / name, problems)
        problems.append(f"{name} is missing: {told}.")
        return {}

    names = table("images.txt", "there are no images")
    labels = table("image_class_labels.txt", "there are no labels")
    listed = table("classes.txt", "the classes are named after their folders")
    split = table("train_test_split.txt", "the official split is not known")
    boxes = table("bounding_boxes.txt", "there are no boxes")
    if not listed:
        listed = {labels[number]: name.split("/")[0] for number, name in names.items() if number in labels}
    place_of = {number: place for place, number in enumerate(listed)}
    there = set(find_pictures(folder.path / "images", "", token)[0])
    masks, mask_names = _masks(folder, token)
    images = []
    for number, name in names.items():
        if name not in there:
            problems.append(f"images/{name} is not there and was left out: unpack the data set again.")
            continue
        label = place_of.get(labels.get(number, ""))
        if label is None:
            problems.append(f"Image {number} ({name}) has no class in the tables: it comes without a label.")
        mask = f"{name.rpartition('.')[0]}.png"
        images.append(
            SourceImage(
                name,
                label,
                {"0": True, "1": False}.get(split.get(number, "")),
                folder.path / "images" / name,
                None,
                _box(number, boxes.get(number), problems),
                masks / mask if masks is not None and mask in mask_names else None,
            )
        )
    if not images:
        raise SipError(
            f"{folder.path} names no picture that is there in images.txt; unpack the data set again."
        )
    classes = readable_names(tuple(listed.values()))
    notes = [*class_note(classes, "classes.txt"), *split_note(images), *extras_note(images)]
    if masks is None:
        notes.append(
            "Its segmentations are an archive of their own: put them into segmentations/ to have them."
        )
    return Source("CUB-200-2011", folder.path, folder.path.name, classes, images, tuple(notes), problems)


def readable_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``001.Black_footed_Albatross`` as ``Black footed Albatross``, where all names still differ."""
    plain = [re.sub(r"^\d+\.", "", name).replace("_", " ") for name in names]
    return tuple(plain) if len(set(plain)) == len(plain) else tuple(names)


def _masks(folder: Folder, token: CancelToken) -> tuple[Path | None, set[str]]:
    """Return the folder of the masks, in the set or beside it, and the names of those that are there."""
    for place in (folder.path / "segmentations", folder.path.parent / "segmentations"):
        if place.is_dir():
            return place, set(find_pictures(place, "", token)[0])
    return None, set()


def _table(path: Path, problems: list[str]) -> dict[str, str]:
    """Return the lines ``number rest`` of a table."""
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        first, _, rest = line.strip().partition(" ")
        if first and rest.strip():
            found[first] = rest.strip()
        elif first:
            problems.append(f"Line {number} of {path.name} says nothing of {first} and was left out.")
    return found


def _box(number: str, text: str | None, problems: list[str]) -> tuple[Box, ...]:
    if text is None:
        return ()
    try:
        return (rounded_box([float(word) for word in text.split()], f"bounding_boxes.txt at image {number}"),)
    except (ValueError, SipError):
        problems.append(f"The box of image {number} is no four numbers ({text[:60]}) and was left out.")
        return ()
