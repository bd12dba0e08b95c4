"""Oxford-IIIT Pet (Parkhi, Vedaldi, Zisserman, Jawahar 2012): 37 breeds with trimaps and a split.

``annotations/trainval.txt`` and ``test.txt`` have lines ``Breed_name_12 class species number``, classes
from 1; pictures are ``images/Breed_name_12.jpg``, trimaps ``annotations/trimaps/Breed_name_12.png``, boxes
of heads ``annotations/xmls/Breed_name_12.xml``.
"""

import re
from pathlib import Path

from sip_explorer.data.sources.listing import Box, Source, SourceImage
from sip_explorer.data.sources.sentences import class_note, split_note
from sip_explorer.data.sources.table_rows import read_text
from sip_explorer.data.walking import Folder, find_pictures, look_into
from sip_explorer.records import CancelToken, SipError

_TABLES = (("trainval.txt", False), ("test.txt", True), ("list.txt", None))
_MOST_XML = 1 << 20


def is_pets(folder: Folder) -> bool:
    """Whether the set's annotations and images lie in the folder."""
    if not {"annotations", "images"} <= set(folder.folders):
        return False
    return any((folder.path / "annotations" / name).is_file() for name, _ in _TABLES)


def read_pets(folder: Folder, token: CancelToken) -> Source:
    """List the images of the set with their split, trimaps and boxes of heads.

    Raises
    ------
    SipError
        If the tables name no picture that is there.
    """
    annotations = look_into(folder.path / "annotations")
    problems: list[str] = []
    rows: dict[str, tuple[int, bool | None]] = {}
    for table, test in _TABLES:
        if table in annotations.files:
            for name, number in _lines(annotations.path / table, problems):
                rows.setdefault(name, (number, test))
    breeds: dict[int, str] = {}
    for name, (number, _) in rows.items():
        words = name.rsplit("_", 1)[0].split("_")
        breeds.setdefault(number, " ".join(word.title() for word in words))
    at = {number: place for place, number in enumerate(sorted(breeds))}
    there = {name.rpartition(".")[0]: name for name in find_pictures(folder.path / "images", "", token)[0]}
    trimaps = _below(annotations, "trimaps")
    heads = _below(annotations, "xmls")
    images = []
    for name, (number, test) in rows.items():
        token.check()
        if name not in there:
            problems.append(f"images/{name}.jpg is not there and was left out: unpack the images again.")
            continue
        trimap = annotations.path / "trimaps" / f"{name}.png"
        images.append(
            SourceImage(
                there[name],
                at[number],
                test,
                folder.path / "images" / there[name],
                None,
                _head(annotations.path / "xmls" / f"{name}.xml", problems) if f"{name}.xml" in heads else (),
                trimap if f"{name}.png" in trimaps else None,
                "trimap",
            )
        )
    if not images:
        raise SipError(f"{folder.path} names no picture that is there; unpack images and annotations again.")
    classes = tuple(breeds[number] for number in sorted(breeds))
    notes = [*class_note(classes, "the breeds"), *split_note(images)]
    masked = sum(image.segmentation is not None for image in images)
    boxed = sum(bool(image.boxes) for image in images)
    if masked:
        notes.append(f"Trimaps of {masked:,} images; their border counts as the animal.")
    if boxed:
        notes.append(f"Boxes of {boxed:,} heads.")
    return Source("Oxford-IIIT Pet", folder.path, folder.path.name, classes, images, tuple(notes), problems)


def _below(folder: Folder, name: str) -> frozenset[str]:
    return frozenset(look_into(folder.path / name).files) if name in folder.folders else frozenset()


def _lines(path: Path, problems: list[str]) -> list[tuple[str, int]]:
    found = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 1 and words[1].isdigit() and "/" not in words[0]:
            found.append((words[0], int(words[1])))
        else:
            problems.append(f"Line {number} of {path.name} names no image with a class and was left out.")
    return found


def _head(path: Path, problems: list[str]) -> tuple[Box, ...]:
    """Return the boxes of a PASCAL VOC file, its four numbers alone: no XML is expanded."""
    try:
        with open(path, "rb") as file:
            text = file.read(_MOST_XML)
    except OSError as error:
        problems.append(f"{path.name} cannot be read ({error.strerror}): the image has no box.")
        return ()
    boxes = []
    for block in re.findall(rb"<bndbox>(.*?)</bndbox>", text, re.S):
        sides = {
            key: int(float(value))
            for key, value in re.findall(rb"<([xy]m(?:in|ax))>\s*([\d.]{1,9})\s*<", block)
        }
        if len(sides) == 4 and sides[b"xmax"] >= sides[b"xmin"] and sides[b"ymax"] >= sides[b"ymin"]:
            left, top = sides[b"xmin"], sides[b"ymin"]
            boxes.append((left, top, sides[b"xmax"] - left, sides[b"ymax"] - top))
        else:
            problems.append(f"{path.name} has a box that is no four numbers: it was left out.")
    return tuple(boxes)
