"""CUB-200-2011 (Wah, Branson, Welinder, Perona, Belongie 2011): birds with boxes, masks and a split.

``images.txt``, ``image_class_labels.txt``, ``classes.txt``, ``train_test_split.txt`` (1: training) and
``bounding_boxes.txt`` (X Y width height) name everything by the number of the image; the pictures lie in
``images/``, the masks, where they were fetched, in ``segmentations/``.
"""

import re
from pathlib import Path

from sip_explorer.data.sources.listing import Box, Source, SourceImage
from sip_explorer.records import SipError

_NEEDED = ("images.txt", "image_class_labels.txt", "classes.txt")


def find_cub(path: Path) -> Source | None:
    """Return the set in ``path``; None where its tables are not there."""
    if not all((path / name).is_file() for name in _NEEDED):
        return None
    problems: list[str] = []
    names = dict(_table(path / "images.txt", problems))
    labels = dict(_table(path / "image_class_labels.txt", problems))
    listed = dict(_table(path / "classes.txt", problems))
    split = dict(_table(path / "train_test_split.txt", problems))
    boxes = dict(_table(path / "bounding_boxes.txt", problems))
    numbers = {number: place for place, number in enumerate(listed)}
    # The masks are an archive of their own, which some unpack beside the folder of the set.
    masks = next(
        (place for place in (path / "segmentations", path.parent / "segmentations") if place.is_dir()), None
    )
    images = []
    for number, name in names.items():
        place = numbers.get(labels.get(number, ""))
        if place is None:
            problems.append(f"Image {number} ({name}) has no class in the tables and was left out.")
            continue
        mask = masks / Path(name).with_suffix(".png") if masks else None
        images.append(
            SourceImage(
                name,
                place,
                {"0": True, "1": False}.get(split.get(number, "")),
                path=path / "images" / name,
                boxes=_box(number, boxes.get(number), problems),
                segmentation=mask if mask is not None and mask.is_file() else None,
            )
        )
    if not images:
        raise SipError(f"{path} names no image with a class in its tables; unpack the data set anew.")
    notes = []
    if split:
        trained = sum(value == "1" for value in split.values())
        notes.append(f"The official split: {trained:,} images for training, {len(split) - trained:,} for testing.")
    if boxes:
        notes.append("Every bird’s box comes along." if len(boxes) >= len(names) else "Boxes come along.")
    masked = sum(image.segmentation is not None for image in images)
    notes.append(
        f"{masked:,} segmentations come along." if masked else "There are no segmentations beside the images."
    )
    return Source("CUB-200-2011", path, path.name, _readable(listed), images, tuple(notes), problems)


def _table(path: Path, problems: list[str]) -> list[tuple[str, str]]:
    """Return the lines ``number rest`` of a table; a table that is not there has none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}); allow reading it.") from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        first, _, rest = line.strip().partition(" ")
        if first and rest.strip():
            rows.append((first, rest.strip()))
        elif first:
            problems.append(f"Line {number} of {path.name} says nothing of {first} and was left out.")
    return rows


def _box(number: str, text: str | None, problems: list[str]) -> tuple[Box, ...]:
    if text is None:
        return ()
    try:
        x, y, width, height = (round(float(word)) for word in text.split())
    except (ValueError, OverflowError):
        problems.append(f"The box of image {number} is no four numbers: {text[:60]}; it was left out.")
        return ()
    return ((x, y, width, height),)


def _readable(listed: dict[str, str]) -> tuple[str, ...]:
    """Return the class names without their numbers and underscores, where they then still differ."""
    plain = [re.sub(r"^\d+\.", "", name).replace("_", " ") for name in listed.values()]
    return tuple(plain) if len(set(plain)) == len(plain) else tuple(listed.values())
