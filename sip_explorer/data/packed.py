"""Packed images: one HDF5 file with pixels, labels, splits and named collections."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError, atomic_path

FORMAT = "sip-explorer images 1"
_CHUNK_BYTES = 64 * 1024


class PackedImages:
    """Reader of a packed image file; the id of an image is its row. Made by `open`.

    The file holds ``images`` uint8 (N, H, W, C), ``labels`` int64 (N,), ``split`` of "train" or
    "test" (N,), a group ``collections`` of id arrays, and the attributes ``format``, ``classes``
    (JSON list), ``name``, ``licence``, ``origin``.

    Attributes
    ----------
    classes : tuple of str
    labels : int64 array (N,)
    split : str array (N,), "train" or "test"
    collections : dict of name -> int64 array of ids, in order
    shape : (H, W, C)
    name, licence, origin : str
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self.classes: tuple[str, ...] = tuple(json.loads(file.attrs["classes"]))
        self.name = str(file.attrs["name"])
        self.licence = str(file.attrs["licence"])
        self.origin = str(file.attrs["origin"])
        self.labels: NDArray[np.int64] = file["labels"][:].astype(np.int64)
        self.split: NDArray[np.str_] = file["split"][:].astype("U5")
        self.collections: dict[str, NDArray[np.int64]] = {
            name: ids[:].astype(np.int64) for name, ids in file["collections"].items()
        }
        self._images = file["images"]
        self.shape: tuple[int, int, int] = tuple(self._images.shape[1:])
        self._check()

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a file for reading; SipError where it is not there, damaged or of another format."""
        path = Path(path)
        if not path.is_file():
            raise SipError(f"{path} is not there; choose a packed image file (images.h5).")
        file = None
        try:
            file = h5py.File(path, "r")
            found = file.attrs.get("format")
            if found != FORMAT:
                raise SipError(f"{path} is of the format {found!r}, not {FORMAT!r}; choose another file.")
            return cls(path, file)
        except SipError:
            if file is not None:
                file.close()
            raise
        except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            if file is not None:
                file.close()
            raise SipError(f"{path} cannot be read as packed images ({error}); fetch it again.") from error

    @staticmethod
    def write(
        path: Path | str,
        images: NDArray[np.uint8],
        labels: NDArray[np.integer],
        classes: Sequence[str],
        *,
        name: str = "",
        licence: str = "",
        origin: str = "",
        split: Sequence[str] | NDArray[np.str_] | None = None,
        collections: Mapping[str, NDArray[np.integer]] | None = None,
    ) -> None:
        """Write a file atomically; the same content gives the same bytes.

        Parameters
        ----------
        images : uint8 array (N, H, W, C), C 1 or 3
        labels : integers (N,) below ``len(classes)``
        split : N strings "train" or "test"; all "train" if None
        collections : name -> ids, in order
        """
        count = len(images)
        parts = np.full(count, "train") if split is None else np.asarray(split)
        size = max(1, images[0].nbytes if count else 1)
        chunk = (max(1, min(count, _CHUNK_BYTES // size)), *images.shape[1:])
        options = {"compression": "gzip", "compression_opts": 9, "track_times": False}
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["classes"] = json.dumps(list(classes), ensure_ascii=False)
            file.attrs["name"] = name
            file.attrs["licence"] = licence
            file.attrs["origin"] = origin
            file.create_dataset("images", data=np.asarray(images, np.uint8), chunks=chunk, **options)
            file.create_dataset("labels", data=np.asarray(labels, np.int64), **options)
            file.create_dataset("split", data=parts.astype("S5"), **options)
            group = file.create_group("collections")
            for collection, ids in sorted((collections or {}).items()):
                group.create_dataset(collection, data=np.asarray(ids, np.int64), **options)

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, ids: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return the images of ``ids``, in that order, repeats allowed, as uint8 (n, H, W, C)."""
        wanted = np.asarray(ids, dtype=np.int64).reshape(-1)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise SipError(f"{self.path.name} holds the images 0 to {len(self) - 1}; choose among these.")
        rows, back = np.unique(wanted, return_inverse=True)
        try:
            if len(rows) > len(self) // 8:  # HDF5 reads a long list of rows far slower than all of them
                pixels = self._images[:][rows]
            else:
                pixels = self._images[rows] if len(rows) else np.empty((0, *self.shape), np.uint8)
        except OSError as error:
            raise SipError(f"{self.path} is damaged ({error}); fetch it again.") from error
        result: NDArray[np.uint8] = pixels[back]
        return result

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        images, count = self._images, len(self.labels)
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[3] not in (1, 3):
            raise ValueError("the images are not uint8 with one or three channels")
        if len(images) != count or len(self.split) != count:
            raise ValueError(f"{len(images)} images, {count} labels and {len(self.split)} splits")
        if count and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels outside the {len(self.classes)} classes")
        for name, ids in self.collections.items():
            if len(ids) and not 0 <= ids.min() <= ids.max() < count:
                raise ValueError(f"ids outside the images in the collection {name}")
