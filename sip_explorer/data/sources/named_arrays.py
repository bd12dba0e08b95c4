"""Which of a file's named arrays are images and labels, and of which part of a split.

Names of Keras (x_train, y_train), MedMNIST (train_images, train_labels) and of HDF5 files in use
(images, x, data; labels, y; with or without groups train and test).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.sources.labelling import numbered, plain_labels
from sip_explorer.data.sources.layout import Layout, find_layout, to_pixels
from sip_explorer.data.sources.listing import Source, SourceArrays, SourceImage
from sip_explorer.data.sources.sentences import class_note, split_note
from sip_explorer.records import SipError

_PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev"), "val"
)
_IMAGES = frozenset({"images", "image", "imgs", "img", "x", "data", "pixels", "inputs", "input", "features"})
_LABELS = frozenset({"labels", "label", "y", "target", "targets", "lab"})
_CLASSES = frozenset({"classes", "classnames", "class names", "label names", "names", "categories"})
Rows = Callable[[NDArray[np.int64]], NDArray[np.generic]]
"""Takes ascending row numbers, returns these rows."""


@dataclass(frozen=True)
class NamedArray:
    """An array of a file that was not read yet.

    ``rows`` returns ascending rows; ``whole`` all of it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    rows: Rows
    whole: Callable[[], NDArray[np.generic]]


def in_memory(values: NDArray[np.generic]) -> NamedArray:
    """Return an array that was read already as a named one."""
    return NamedArray(values.shape, values.dtype, lambda rows: values[rows], lambda: values)


def source_of_arrays(
    kind: str, path: Path, arrays: Mapping[str, NamedArray], classes: Sequence[str] | None = None
) -> Source:
    """Return the listing of the images among a file's ``arrays``; ``classes`` where the format names them.

    Raises
    ------
    SipError
        If none or too many are images, or they do not fit together.
    """
    images, labels, names, others = _sorted(path, arrays)
    names = list(classes) if classes is not None else names
    order = [part for part in ("", "train", "val", "test") if part in images]
    layouts = {
        part: find_layout(arrays[images[part]].shape, arrays[images[part]].dtype, f"{images[part]} in {path}")
        for part in order
    }
    if len({layout.shape for layout in layouts.values()}) > 1:
        sizes = ", ".join(f"{images[part]} {' × '.join(map(str, layouts[part].shape))}" for part in order)
        raise SipError(f"{path} holds images of several sizes ({sizes}); save them in one size.")
    counts = [arrays[images[part]].shape[0] for part in order]
    problems = [f"The array {name} is neither images nor labels and was left out." for name in others]
    found = []
    for part, count in zip(order, counts, strict=True):
        if part not in labels:
            found.append(np.full(count, -1))
            continue
        what = f"{labels[part]} in {path}"
        if arrays[labels[part]].shape[:1] != (count,):
            plain_labels(np.empty(arrays[labels[part]].shape[:1]), count, what)
        try:
            found.append(plain_labels(arrays[labels[part]].whole(), count, what))
        except SipError as error:
            problems.append(f"The labels were left out: {error}")
            found.append(np.full(count, -1))
    if len({values.dtype.kind for values in found}) > 1:  # names in one part, numbers or nothing in another
        found = [values.astype(np.str_) if values.dtype.kind == "U" else _texts(values) for values in found]
    flat, named, more = numbered(np.concatenate(found), names, str(path))
    problems += more
    listing = _listing(order, counts, flat)
    origin = "the data set" if classes is not None else "the file" if names else "the labels"
    notes = [*class_note(named, "the labels" if more else origin), *split_note(listing)]
    if {"val", "test"} <= set(order):
        notes.append("The validation images count for training.")
    pieces = [(arrays[images[part]].rows, layouts[part], f"{images[part]} in {path}") for part in order]
    read = _reader(pieces, counts)
    return Source(
        kind,
        path,
        path.stem,
        named,
        listing,
        tuple(notes),
        problems,
        SourceArrays(layouts[order[0]].shape, read),
    )


def _sorted(
    path: Path, arrays: Mapping[str, NamedArray]
) -> tuple[dict[str, str], dict[str, str], list[str] | None, list[str]]:
    """Return part -> name of the images, of the labels, the class names and the other names."""
    images: dict[str, str] = {}
    labels: dict[str, str] = {}
    names: list[str] | None = None
    others: list[str] = []
    for name, array in arrays.items():
        words = [word for word in re.split(r"[/_.\s-]+", name.lower()) if word]
        part = next((_PARTS[word] for word in words if word in _PARTS), "")
        rest = [word for word in words if word not in _PARTS]
        joined = " ".join(rest)
        if joined in _CLASSES and len(array.shape) == 1 and array.dtype.kind in "SUO":
            names = _class_names(array)
        elif rest and (joined in _LABELS or rest[-1] in _LABELS) and len(array.shape) in (1, 2):
            _put(labels, part, name, "labels", path)
        elif rest and all(word in _IMAGES for word in rest) and len(array.shape) > 1:
            _put(images, part, name, "images", path)
        else:
            others.append(f"{name} ({' × '.join(map(str, array.shape)) or 'one value'}, {array.dtype})")
    if not images:
        told = ", ".join(others[:6]) or "nothing else"
        raise SipError(
            f"{path} holds no array named images, x or data but {told}; rename the array of images."
        )
    if "" in images and len(images) > 1:
        told = " and ".join(images.values())
        raise SipError(f"{path} holds {told}: it is not clear which are the images; keep one of them.")
    return images, labels, names, others


def _put(found: dict[str, str], part: str, name: str, what: str, path: Path) -> None:
    if part in found:
        raise SipError(
            f"{path} holds {found[part]} and {name}: it is not clear which are the {what}; keep one of them."
        )
    found[part] = name


def _class_names(array: NamedArray) -> list[str]:
    return [
        text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        for text in array.whole().tolist()
    ]


def _texts(numbers: NDArray[np.generic]) -> NDArray[np.str_]:
    return np.array(["" if number == -1 else str(number) for number in numbers.tolist()], dtype=np.str_)


def _listing(order: Sequence[str], counts: list[int], labels: NDArray[np.int64]) -> list[SourceImage]:
    split = len(order) > 1
    tests = "test" if "test" in order else "val"
    numbers: list[int] = labels.tolist()
    images: list[SourceImage] = []
    for part, count in zip(order, counts, strict=True):
        start = len(images)
        images += [
            SourceImage(
                f"{part or 'images'}/{at:05d}",
                numbers[start + at] if numbers[start + at] >= 0 else None,
                part == tests if split else None,
                row=start + at,
            )
            for at in range(count)
        ]
    return images


def _reader(
    pieces: Sequence[tuple[Rows, Layout, str]], counts: list[int]
) -> Callable[[NDArray[np.int64]], NDArray[np.uint8]]:
    starts = np.cumsum([0, *counts])

    def read(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        found = []
        for (rows_of, layout, what), start, end in zip(pieces, starts[:-1], starts[1:], strict=True):
            wanted = rows[(rows >= start) & (rows < end)] - start
            if len(wanted):
                found.append(to_pixels(rows_of(wanted), layout, what))
        return np.concatenate(found) if len(found) != 1 else found[0]

    return read
