"""IDX files of the MNIST family, as they are published and as torchvision keeps them.

MNIST, Fashion-MNIST, KMNIST, EMNIST (its splits) and QMNIST, gzipped or plain.
"""

import gzip
import re
import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.idx import read_idx, read_idx_header
from sip_explorer.data.sources.listing import Source
from sip_explorer.data.sources.named_arrays import NamedArray, in_memory, source_of_arrays
from sip_explorer.data.sources.rows_of_file import RowsOfFile
from sip_explorer.data.walking import Folder
from sip_explorer.records import CancelToken

_NAME = re.compile(r"(?:(?P<set>.+?)[-_])?(?P<part>train|t10k|test)-images[-.]idx3-ubyte(?P<gz>\.gz)?")
_DIGITS = tuple(string.digits)
_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_ALL = tuple(sorted(string.digits + string.ascii_letters))
_MERGED = tuple(name for name in _ALL if name not in "cijklmopsuvwxyz")
_EMNIST = {
    "byclass": _ALL,
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": ("N/A", *string.ascii_lowercase),  # its labels begin at 1
    "digits": _DIGITS,
    "mnist": _DIGITS,
}
_FASHION_BEGINS = ((9, 0, 0, 3, 0, 2, 7, 2, 5, 5), (9, 2, 1, 1, 6, 1, 4, 6, 5, 7))
"""The first labels of its training and its test file, by which it is known where no name tells it."""


def is_idx_name(name: str) -> bool:
    """Whether a file of this name holds images of the MNIST family."""
    return _NAME.fullmatch(name) is not None


def is_idx(folder: Folder) -> bool:
    """Whether such files lie in the folder."""
    return any(map(is_idx_name, folder.files))


def read_idx_files(folder: Folder, token: CancelToken, chosen: str | None = None) -> Source:
    """List the IDX files of a folder; where it holds several sets, the one of the file ``chosen``.

    Raises
    ------
    SipError
        If a file is damaged.
    """
    sets: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in folder.files:  # sorted: a plain file before the gzipped one of its name
        found = _NAME.fullmatch(name)
        if found:
            part = "train" if found["part"] == "train" else "test"
            sets[found["set"] or ""].setdefault(part, name)
    if chosen is not None:
        found = _NAME.fullmatch(chosen)
        which = (found["set"] if found else None) or ""
    else:
        which = next((name for name in sets if name.endswith("balanced")), sorted(sets)[0])
    arrays: dict[str, NamedArray] = {}
    problems: list[str] = []
    starts = []
    for part, name in sorted(sets[which].items(), reverse=True):
        token.check()
        path = folder.path / name
        shape, kind, offset = read_idx_header(path)
        arrays[f"{part}_images"] = _array(path, offset, shape, kind)
        labels = _labels(folder, name)
        if labels is None:
            problems.append(f"{name} has no file of labels beside it: its images come without labels.")
            continue
        starts.append(tuple(labels[:10].tolist()))
        arrays[f"{part}_labels"] = in_memory(labels)
    for part, word in (("train", "training"), ("test", "test")):
        if part not in sets[which]:
            problems.append(f"There is no file of {word} images beside it: fetch it to have all images.")
    family, classes = _family(which, folder.path, starts)
    source = source_of_arrays("IDX files", folder.path, arrays, classes)
    notes = list(source.notes)
    if which.lower().startswith("emnist"):
        notes.append(
            "EMNIST's letters lie on their side, as they are published and as torchvision reads them."
        )
    others = [name or "files without a name" for name in sorted(sets) if name != which]
    if others:
        notes.append(f"The folder holds {', '.join(others)} too: choose a file of these to have it instead.")
    return replace(
        source,
        kind=f"{family} (IDX files)" if family else source.kind,
        name=family or (folder.path.parent.name if folder.path.name == "raw" else folder.path.name),
        notes=tuple(notes),
        problems=problems + source.problems,
    )


def _array(path: Path, offset: int, shape: tuple[int, ...], kind: np.dtype) -> NamedArray:
    def opened() -> IO[bytes]:
        return gzip.open(path) if path.suffix == ".gz" else open(path, "rb")  # type: ignore[return-value]

    rows = RowsOfFile(opened, offset, shape, kind, str(path))
    return NamedArray(shape, kind, rows.read, lambda: read_idx(path))


def _labels(folder: Folder, images: str) -> NDArray[np.generic] | None:
    stem = images.removesuffix(".gz").removesuffix("idx3-ubyte")[:-1].replace("-images", "-labels")
    for end in ("idx1-ubyte", "idx1-ubyte.gz", "idx2-int", "idx2-int.gz"):
        name = next((f"{stem}{mark}{end}" for mark in "-." if f"{stem}{mark}{end}" in folder.files), None)
        if name is not None:
            found = read_idx(folder.path / name)
            return found[:, 0] if found.ndim == 2 else found  # QMNIST tells the writer too
    return None


def _family(
    which: str, folder: Path, starts: Sequence[tuple[int, ...]]
) -> tuple[str, tuple[str, ...] | None]:
    """Return the name of the set and its classes; an empty name and None where nothing tells it."""
    if which.lower().startswith("emnist"):
        split = which.lower().removeprefix("emnist").strip("-_")
        return f"EMNIST {split}", _EMNIST.get(split)
    if any(start in _FASHION_BEGINS for start in starts):
        return "Fashion-MNIST", _FASHION
    place = [part.lower().replace("-", "").replace("_", "") for part in folder.parts[-3:]]
    for word, name, classes in (
        ("fashion", "Fashion-MNIST", _FASHION),
        ("kmnist", "KMNIST", _KANA),
        ("kuzushiji", "KMNIST", _KANA),
        ("qmnist", "QMNIST", _DIGITS),
        ("mnist", "MNIST", _DIGITS),
    ):
        if any(word in part for part in place) or word in which.lower():
            return name, classes
    return "", None
