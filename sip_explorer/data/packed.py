"""Packed images: one HDF5 file with pixels, labels, splits and named collections."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.packing import FORMAT, chunk_shape, write_attributes, write_boxes, write_columns
from sip_explorer.records import SipError, atomic_path


class PackedImages:
    """Reader of a packed image file; the id of an image is its row. Made by `open`.

    The file holds ``images`` uint8 (N, H, W, C), ``labels`` int64 (N,), -1 for none, ``split`` of
    "train" or "test" (N,), a group ``collections`` of id arrays, and the attributes ``format``,
    ``classes`` (JSON list), ``name``, ``licence``, ``origin``. It may hold ``segmentations`` uint8
    (N, H, W), 255 where the object is, and ``boxes`` int32 (M, 4), X Y width height in pixels from the
    upper left corner, with ``box_images`` int64 (M,), the image of each box, ascending.

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
        self._segmentations: h5py.Dataset | None = file.get("segmentations")
        self._boxes: NDArray[np.int32] | None = None
        if "boxes" in file:
            self._boxes = file["boxes"][:].astype(np.int32)
            self._box_images: NDArray[np.int64] = file["box_images"][:].astype(np.int64)
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
        segmentations: NDArray[np.uint8] | None = None,
        boxes: Mapping[int, NDArray[np.integer]] | None = None,
    ) -> None:
        """Write a file atomically; the same content gives the same bytes.

        Parameters
        ----------
        images : uint8 array (N, H, W, C), C 1 or 3
        labels : integers (N,) below ``len(classes)``
        split : N strings "train" or "test"; all "train" if None
        collections : name -> ids, in order
        segmentations : uint8 array (N, H, W), 255 where the object is, else 0
        boxes : id -> integers (n, 4), X Y width height in pixels
        """
        count = len(images)
        parts = np.full(count, "train") if split is None else np.asarray(split)
        chunk = chunk_shape(count, images.shape[1:])
        options = {"compression": "gzip", "compression_opts": 9, "track_times": False}
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
            write_attributes(file, classes, name=name, licence=licence, origin=origin)
            file.create_dataset("images", data=np.asarray(images, np.uint8), chunks=chunk, **options)
            write_columns(file, labels, parts, collections or {})
            if segmentations is not None:
                masks = np.asarray(segmentations, np.uint8)
                file.create_dataset("segmentations", data=masks, chunks=chunk[:3], **options)
            if boxes is not None:
                write_boxes(file, boxes)

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, ids: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return the images of ``ids``, in that order, repeats allowed, as uint8 (n, H, W, C)."""
        return self._rows(self._images, ids)

    @property
    def has_segmentations(self) -> bool:
        """Whether the file holds object masks, of all its images."""
        return self._segmentations is not None

    def segmentations(self, ids: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8] | None:
        """Return the object masks of ``ids`` as uint8 (n, H, W) of 0 and 255; None if the file has none."""
        return None if self._segmentations is None else self._rows(self._segmentations, ids)

    def boxes(self, ids: Sequence[int] | NDArray[np.integer]) -> dict[int, NDArray[np.int32]] | None:
        """Return id -> boxes, int32 (n, 4), X Y width height in pixels; None if the file has none.

        An image without a box is left out.
        """
        if self._boxes is None:
            return None
        wanted = np.unique(np.asarray(ids, dtype=np.int64))
        starts = np.searchsorted(self._box_images, wanted)
        ends = np.searchsorted(self._box_images, wanted, side="right")
        return {
            image: self._boxes[start:end]
            for image, start, end in zip(wanted.tolist(), starts.tolist(), ends.tolist(), strict=True)
            if end > start
        }

    def _rows(self, data: h5py.Dataset, ids: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        wanted = np.asarray(ids, dtype=np.int64).reshape(-1)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise SipError(f"{self.path.name} holds the images 0 to {len(self) - 1}; choose among these.")
        if not wanted.size:
            return np.empty((0, *data.shape[1:]), np.uint8)
        rows, back = np.unique(wanted, return_inverse=True)
        first, last = int(rows[0]), int(rows[-1]) + 1
        try:
            # A run of rows is one slice; HDF5 reads a long list of rows far slower than all between them.
            if len(rows) == last - first or len(rows) > len(self) // 8:
                pixels, back = data[first:last], wanted - first
            else:
                pixels = data[rows]
        except OSError as error:
            raise SipError(f"{self.path} is damaged ({error}); fetch it again.") from error
        in_order = len(back) == len(pixels) and (np.diff(back) > 0).all()
        result: NDArray[np.uint8] = pixels if in_order else pixels[back]  # a copy less where it can be
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
        if count and not -1 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels outside the {len(self.classes)} classes")
        masks, size = self._segmentations, images.shape[:3]
        if masks is not None and (masks.dtype != np.uint8 or masks.shape != size):
            raise ValueError(f"segmentations of shape {masks.shape} for images of shape {images.shape}")
        if self._boxes is not None:
            rows = self._box_images
            if self._boxes.shape != (len(rows), 4) or (np.diff(rows) < 0).any():
                raise ValueError("boxes that do not fit their images")
            if len(rows) and not 0 <= rows[0] <= rows[-1] < count:
                raise ValueError("boxes of images that are not there")
        for name, ids in self.collections.items():
            if len(ids) and not 0 <= ids.min() <= ids.max() < count:
                raise ValueError(f"ids outside the images in the collection {name}")
