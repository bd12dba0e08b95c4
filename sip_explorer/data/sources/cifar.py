"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their Python batches, in a folder or in the archive."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.sources.listing import Source
from sip_explorer.data.sources.named_arrays import in_memory, source_of_arrays
from sip_explorer.data.sources.numpy_pickle import load_arrays
from sip_explorer.data.sources.rows_of_file import DAMAGE
from sip_explorer.data.walking import Folder
from sip_explorer.records import CancelToken, SipError

_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class _Kind:
    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    meta: str
    labels: str
    names: str

    @property
    def files(self) -> tuple[str, ...]:
        return (*self.train, *self.test)


_KINDS = (
    _Kind(
        "CIFAR-10",
        tuple(f"data_batch_{number}" for number in range(1, 6)),
        ("test_batch",),
        "batches.meta",
        "labels",
        "label_names",
    ),
    _Kind("CIFAR-100", ("train",), ("test",), "meta", "fine_labels", "fine_label_names"),
)


def is_cifar(folder: Folder) -> bool:
    """Whether batches lie in the folder."""
    return _kind(folder.files) is not None


def read_cifar(folder: Folder, token: CancelToken) -> Source:
    """List the batches of a folder; its pixels stay in memory (184 MB).

    Raises
    ------
    SipError
        If a batch is damaged, or holds more than arrays.
    """
    kind = _kind(folder.files)
    assert kind is not None

    def opened(name: str) -> IO[bytes]:
        return open(folder.path / name, "rb")

    return _source(kind, folder.path, set(folder.files), opened, token)


def read_archive(path: Path, token: CancelToken) -> Source | None:
    """List the batches in a ``.tar.gz`` without unpacking it to disk; None where it holds others."""
    try:
        with tarfile.open(path) as archive:
            members = {}
            # An archive is read to its end to list it: only the first few hundred files are looked at.
            for number, member in enumerate(archive):
                token.check()
                if number > 200:
                    return None
                if member.isfile() and member.size < _MOST_BYTES:
                    members[member.name.rsplit("/", 1)[-1]] = member
            kind = _kind(tuple(members))
            if kind is None:
                return None

            def opened(name: str) -> IO[bytes]:
                file = archive.extractfile(members[name])
                assert file is not None  # only files are among the members
                return file

            return _source(kind, path, set(members), opened, token)
    except (tarfile.TarError, *DAMAGE) as error:
        raise SipError(f"{path} is damaged or cut short ({error}); fetch it again.") from error


def _kind(files: tuple[str, ...]) -> _Kind | None:
    if not any(name in files for name in (*_KINDS[0].files, "meta")):
        return None
    return next((kind for kind in _KINDS if kind.meta in files or set(kind.files[:2]) <= set(files)), None)


def _source(
    kind: _Kind, path: Path, files: set[str], opened: Callable[[str], IO[bytes]], token: CancelToken
) -> Source:
    problems = [
        f"The batch {name} is missing: fetch the data set again to have all images."
        for name in kind.files
        if name not in files
    ]
    arrays = {}
    for part, names in (("train", kind.train), ("test", kind.test)):
        found = []
        for name in names:
            token.check()
            if name in files:
                found.append(_batch(kind, name, path, opened))
        if found:
            arrays[f"{part}_images"] = in_memory(np.concatenate([pixels for pixels, _ in found]))
            arrays[f"{part}_labels"] = in_memory(np.concatenate([labels for _, labels in found]))
    classes = None
    if kind.meta in files:
        classes = _load(kind.meta, path, opened).get(kind.names)
    else:
        problems.append(f"The file {kind.meta} is missing: the classes are named by their numbers.")
    source = source_of_arrays(kind.name, path, arrays, classes if isinstance(classes, list) else None)
    return replace(source, name=kind.name, problems=problems + source.problems)


def _batch(
    kind: _Kind, name: str, path: Path, opened: Callable[[str], IO[bytes]]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    content = _load(name, path, opened)
    pixels, labels = content.get("data"), content.get(kind.labels, content.get("labels"))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.size != len(pixels) * 3072:
        raise SipError(f"{name} in {path} holds no images of 32 × 32 pixels; fetch it again.")
    if labels is None or len(labels) != len(pixels):
        raise SipError(f"{name} in {path} does not hold one label an image; fetch it again.")
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.asarray(labels, np.int64)


def _load(name: str, path: Path, opened: Callable[[str], IO[bytes]]) -> dict[str, Any]:
    try:
        with opened(name) as file:
            content = load_arrays(file, f"{name} in {path}")
    except OSError as error:
        raise SipError(f"{name} in {path} cannot be read ({error}); fetch it again.") from error
    if not isinstance(content, dict):
        raise SipError(f"{name} in {path} is no batch of images; fetch it again.")
    return content
