"""Writing a packed image file, at once or image by image."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import atomic_path

FORMAT = "sip-explorer images 1"
_CHUNK_BYTES = 64 * 1024
# An import waits for it: photos get hardly smaller by higher levels, which take three times as long.
_OPTIONS: dict[str, Any] = {"compression": "gzip", "compression_opts": 3, "track_times": False}


class PackedWriter:
    """A packed image file in the making, which never holds all its images in memory; made by `packing`.

    Attributes
    ----------
    count : int
        So many images are in it.
    """

    def __init__(
        self, file: h5py.File, shape: tuple[int, int, int], expected: int, masked: bool, shield: "_Shield"
    ) -> None:
        self.count = 0
        self._file = file
        self._shield = shield
        chunk = chunk_shape(max(1, expected), shape)
        sides = {"images": 3, "segmentations": 2} if masked else {"images": 3}
        self._growing = [
            file.create_dataset(
                key,
                shape=(0, *shape[:axes]),
                maxshape=(None, *shape[:axes]),
                dtype=np.uint8,
                chunks=chunk[: axes + 1],
                **_OPTIONS,
            )
            for key, axes in sides.items()
        ]

    def append(self, images: NDArray[np.uint8], masks: NDArray[np.uint8] | None = None) -> None:
        """Write images, uint8 (n, H, W, C), and their masks (n, H, W), if there are any, as the next rows."""
        parts = [images] if masks is None else [images, masks]
        for dataset, part in zip(self._growing, parts, strict=True):
            dataset.resize(self.count + len(images), axis=0)
            dataset[self.count :] = part
        self.count += len(images)
        self._shield.check()

    def finish(
        self,
        labels: NDArray[np.integer],
        test: NDArray[np.bool_],
        boxes: Mapping[int, NDArray[np.integer]],
    ) -> None:
        """Write what the rows are: labels (-1 for none), which are for testing, row -> boxes (n, 4)."""
        write_columns(self._file, labels, np.where(test, "test", "train"), {})
        if boxes:
            write_boxes(self._file, boxes)


@contextmanager
def packing(
    path: Path,
    shape: tuple[int, int, int],
    expected: int,
    classes: Sequence[str],
    *,
    name: str,
    origin: str,
    masked: bool = False,
) -> Iterator[PackedWriter]:
    """Yield a writer of images of ``shape`` (H, W, C); the file stands at ``path`` after a clean exit.

    ``expected``: about how many images there are; ``masked``: whether all of them bring masks.
    """
    with atomic_path(path) as temporary, _Shield(temporary) as shield:
        with h5py.File(shield, "w") as file:
            write_attributes(file, classes, name=name, licence="", origin=origin)
            yield PackedWriter(file, shape, expected, masked, shield)
        shield.check()


class _Shield:
    """A new file that keeps what the disk refuses from HDF5, which crashes where a write fails.

    After the first failure nothing more is written; `check` then says so.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115 - closed in __exit__
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the `OSError` of the write that failed, if one did."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of ``data``, or note why not."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while len(rest) and self._error is None:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Make the file ``size`` bytes long, or note why not."""
        try:
            return self._file.truncate(size) if self._error is None else size or 0
        except OSError as error:
            self._error = error
            return size or 0

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes; by this method h5py knows a file."""
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def readinto(self, buffer: Any) -> int:
        """Read into ``buffer``, zeros behind the end."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and (count := self._file.readinto(view[done:])):
            done += count
        view[done:] = bytes(len(view) - done)
        return len(view)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def flush(self) -> None:
        """Do nothing: every write goes to the system at once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def chunk_shape(count: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many of ``count`` images of ``shape`` are compressed together, as a chunk's shape."""
    size = max(1, int(np.prod(shape)) if count else 1)
    return (max(1, min(count, _CHUNK_BYTES // size)), *shape)


def write_attributes(
    file: h5py.File, classes: Sequence[str], *, name: str, licence: str, origin: str
) -> None:
    """Write what the file as a whole is."""
    file.attrs["format"] = FORMAT
    file.attrs["classes"] = json.dumps(list(classes), ensure_ascii=False)
    file.attrs["name"] = name
    file.attrs["licence"] = licence
    file.attrs["origin"] = origin


def write_columns(
    file: h5py.File,
    labels: NDArray[np.integer],
    split: NDArray[np.str_],
    collections: Mapping[str, NDArray[np.integer]],
) -> None:
    """Write labels, "train" or "test" of every row, and collections of rows."""
    options = {**_OPTIONS, "compression_opts": 9}
    file.create_dataset("labels", data=np.asarray(labels, np.int64), **options)
    file.create_dataset("split", data=split.astype("S5"), **options)
    group = file.create_group("collections")
    for collection, ids in sorted(collections.items()):
        group.create_dataset(collection, data=np.asarray(ids, np.int64), **options)


def write_boxes(file: h5py.File, boxes: Mapping[int, NDArray[np.integer]]) -> None:
    """Write row -> boxes, integers (n, 4), X Y width height in pixels."""
    found = [(image, np.asarray(rows).reshape(-1, 4)) for image, rows in sorted(boxes.items())]
    numbers = [np.full(len(rows), image, np.int64) for image, rows in found]
    corners = [rows.astype(np.int32) for _, rows in found]
    for key, parts in (
        ("boxes", [np.empty((0, 4), np.int32), *corners]),
        ("box_images", [np.empty(0, np.int64), *numbers]),
    ):
        file.create_dataset(key, data=np.concatenate(parts), track_times=False)
