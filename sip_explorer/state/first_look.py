"""What names and first bytes say of a file or a folder; nothing is parsed that a stranger wrote at length."""

from __future__ import annotations

import csv
import os
import re
import time
import zipfile
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
MODELS = (".pt", ".pth", ".safetensors", ".ckpt", ".pt2")

BUDGET = 0.04
"""Seconds for a look into a folder."""

_START = 1 << 16
_LOOKED_AT = 400  # entries of folders
_SAMPLE = 24  # pictures of a folder
_ROWS = 20
_LONGEST_LINE = 1 << 14
_GREY = ("1", "L", "LA", "La", "P", "I", "I;16", "I;16B", "F")
_OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number of torch's format before zip
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SAFETENSORS_HEADER = 100 << 20  # its own limit
_IDX = re.compile(r"(images|labels)[-.]idx[13]-ubyte(\.gz)?$")
_CIFAR = re.compile(r"(data_batch_\d|test_batch|train|test)$")
_IMAGE_ARRAYS = re.compile(
    r"(x|y|data|images?|imgs|labels?|targets|arr_0|(x|y|train|test|val)_?(x|y|images|imgs|data|labels|train|test))$",
    re.IGNORECASE,
)


def read_start(path: Path) -> bytes | None:
    """Return the first 64 kB of a file; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(_START)
    except OSError:
        return None


def is_checkpoint(path: Path, start: bytes) -> bool:
    """Whether a file begins as torch's, torch.export's or safetensors' files do, whatever its name."""
    if start.startswith(_OLD_TORCH):
        return True
    if start.startswith(b"PK\x03\x04"):
        names = _members(path)
        return any(
            name.endswith(("/data.pkl", "/serialized_exported_program.json", "/archive_format"))
            for name in names
        )
    return start[8:9] == b"{" and 2 <= int.from_bytes(start[:8], "little") < _SAFETENSORS_HEADER


def is_grey(path: Path) -> bool:
    """Whether a picture has no colours of its own, as masks have none; read from its header."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.mode in _GREY
    except Exception:  # a damaged header makes a decoder raise anything; the import says what is wrong
        return False


def json_masks(start: bytes) -> bool:
    """Whether a JSON file begins as those of COCO or labelme do."""
    if start.lstrip()[:1] != b"{":
        return False
    words = (b'"shapes"', b'"annotations"', b'"segmentation"', b'"imagePath"', b'"categories"', b'"images"')
    return any(word in start for word in words)


def masks_in_arrays(path: Path, start: bytes) -> bool:
    """Whether an array file names masks rather than images and labels."""
    if start.startswith(_HDF5):
        return b"salience\0" in start and b"images\0" not in start
    if start.startswith(b"PK"):
        names = [name.removesuffix(".npy") for name in _members(path)]
        return bool(names) and not any(_IMAGE_ARRAYS.match(name) for name in names)
    return start.startswith(b"\x93NUMPY")


def table_look(path: Path) -> tuple[bool, list[str]]:
    """Return whether a table has salience in it, and the names of its first images."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            lines = (file.readline(_LONGEST_LINE) for _ in range(_ROWS))
            rows = list(csv.DictReader(line for line in lines if line))
    except (OSError, csv.Error):
        return False, []
    fields = set(rows[0]) if rows else set()
    return bool({"salience_map_path", "bounding_boxes"} & fields), [
        row.get("image_path") or "" for row in rows
    ]


def looks_like_set(name: str, start: bytes) -> bool:
    """Whether a file is one of those in which MNIST and CIFAR are passed on, or a packed folder of them."""
    return (
        _IDX.search(name) is not None
        or (_CIFAR.match(name) is not None and start[:1] == b"\x80")
        or name.endswith((".tar.gz", ".tgz"))
        or start[257:262] == b"ustar"
    )


@dataclass(frozen=True)
class FolderLook:
    """What the first entries of a folder say.

    Attributes
    ----------
    layout : str
        The data set that lies so, "" where it is none that is known by name.
    words : str
        What the folder holds, in a few words.
    pictures, models : tuple of Path
        Some of them.
    masks_beside : bool
        Whether a file that describes masks lies in it.
    arrays : bool
        Whether files with NumPy arrays lie in it.
    unfinished : bool
        Whether there was no time to find a picture.
    problem : str
        Why it cannot be looked into; empty where it can.
    """

    layout: str = ""
    words: str = ""
    pictures: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    masks_beside: bool = False
    arrays: bool = False
    unfinished: bool = False
    problem: str = ""

    @classmethod
    def at(cls, path: Path) -> FolderLook:
        """Look into a folder and those below it, for no longer than `BUDGET`."""
        until = time.monotonic() + BUDGET
        try:
            top = _entries(path)
        except OSError as error:
            return cls(
                problem=f"The folder {path.name} cannot be opened ({error.strerror}): allow reading it."
            )
        if not top:
            return cls(problem=f"The folder {path.name} is empty: choose another one.")
        pictures = [Path(entry.path) for entry in top if _suffix(entry.name) in PICTURES]
        others = _told_by(top)
        waiting = deque(Path(entry.path) for entry in islice(filter(_is_folder, top), _SAMPLE))
        left = _LOOKED_AT
        while waiting and left > 0 and len(pictures) < _SAMPLE and time.monotonic() < until:
            try:
                entries = _entries(waiting.popleft(), _SAMPLE)
            except OSError:  # a folder that cannot be read: the import says so
                continue
            left -= len(entries)
            # A few of each folder: one class must not stand for all.
            pictures += [Path(entry.path) for entry in entries if _suffix(entry.name) in PICTURES][:4]
            others += _told_by(entries)
            waiting.extend(Path(entry.path) for entry in filter(_is_folder, entries))
        names = {entry.name for entry in top}
        folders = sum(_is_folder(entry) for entry in top)
        layout = _layout(names, path)
        return cls(
            layout,
            layout or _words(folders, names),
            tuple(pictures),
            tuple(file for file in others if file.suffix.lower() in MODELS),
            any(file.suffix == ".json" and json_masks(read_start(file) or b"") for file in others[:4]),
            any(file.suffix in (".npy", ".npz") for file in others),
            unfinished=bool(waiting) and not pictures,
        )


def _layout(names: set[str], path: Path) -> str:
    """Return the data set that a folder with these names is."""
    if {"images.txt", "classes.txt", "image_class_labels.txt"} <= names:
        return "CUB-200-2011" if "images" in names else ""
    if "annotations" in names and "images" in names and (path / "annotations" / "trimaps").is_dir():
        return "Oxford-IIIT Pet"
    if "data_batch_1" in names or "batches.meta" in names:
        return "CIFAR-10"
    if {"train", "meta"} <= names and (path / "meta").is_file():
        return "CIFAR-100"
    return "images as MNIST has them" if any(_IDX.search(name) for name in names) else ""


def _words(folders: int, names: set[str]) -> str:
    table = "a table and " if any(_suffix(name) in (".csv", ".tsv") for name in names) else ""
    if {"train", "test"} <= {name.lower() for name in names}:
        return f"{table}pictures for training and testing"
    pictures = sum(_suffix(name) in PICTURES for name in names)
    more = "more than " if len(names) >= _LOOKED_AT else ""
    if folders > 1 and pictures < folders:
        return f"{table}{more}{folders:,} folders of pictures"
    return f"{table}{more}{pictures:,} pictures" if pictures > 1 else f"{table}pictures"


def _entries(folder: Path, most: int = _LOOKED_AT) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return [entry for entry in islice(found, most) if not entry.name.startswith(".")]


def _told_by(entries: list[os.DirEntry[str]]) -> list[Path]:
    """Return the files that say something of a folder without pictures."""
    return [Path(e.path) for e in entries if _suffix(e.name) in (".json", ".npy", ".npz", *MODELS)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return []
