"""The arrays in a file that someone else wrote: listed by name, shape and type before any is read.

Nothing in a file is executed: no pickled objects, ``weights_only`` for torch files, and no link,
which in an HDF5 file may lead to any other file of the machine.
"""

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.records.errors import SipError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: its name ("" where it has none), shape, type (such as float32) and reader."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]


@dataclass(frozen=True)
class StoredArrays:
    """What a file holds: its arrays in order, and the texts and numbers that it says of itself."""

    arrays: tuple[StoredArray, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def stored_arrays(path: Path) -> Iterator[StoredArrays]:
    """Open a ``.npy``, ``.npz``, ``.pt``, ``.pth``, ``.h5`` or ``.hdf5`` file and list its arrays.

    The arrays can be read inside the ``with``, and what is found damaged there is named too.

    Raises
    ------
    SipError
        The file is not there, of another kind, damaged, or holds what could run code.
    """
    kinds = {".npy": _npy, ".npz": _npz, ".pt": _torch, ".pth": _torch, ".h5": _hdf5, ".hdf5": _hdf5}
    if not path.is_file():
        raise SipError(f"{path} is no file that is there: choose a .npy, .npz, .pt or .h5 file.")
    if path.suffix.lower() not in kinds:
        raise SipError(
            f"{path} ends in {path.suffix or 'nothing'}: images are read from .npy, .npz, .pt, .pth, .h5 "
            "and .hdf5 files."
        )
    try:
        with kinds[path.suffix.lower()](path) as found:
            yield found
    except SipError:
        raise
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise SipError(
            f"{path} cannot be read as a {path.suffix.lower()} file ({type(error).__name__}): it is cut "
            "short, damaged or of another kind; make or copy it again."
        ) from error


@contextmanager
def _npy(path: Path) -> Iterator[StoredArrays]:
    with open(path, "rb") as file:
        start = file.read(6)
    if start[:1] == b"\x80":
        raise _pickled(path)

    yield StoredArrays((_numpy_array(path, "", partial(io.FileIO, path)),))


@contextmanager
def _npz(path: Path) -> Iterator[StoredArrays]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        yield StoredArrays(
            tuple(
                _numpy_array(path, name.removesuffix(".npy"), partial(archive.open, name)) for name in names
            )
        )


def _numpy_array(path: Path, name: str, opened: Callable[[], IO[bytes]]) -> StoredArray:
    with opened() as stream:
        version = np.lib.format.read_magic(stream)
        header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(stream)
    if dtype.hasobject:
        raise _pickled(path)

    def read() -> NDArray[Any]:
        with opened() as stream:
            values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return values

    return StoredArray(name, tuple(shape), dtype.name, read)


@contextmanager
def _hdf5(path: Path) -> Iterator[StoredArrays]:
    with h5py.File(path, "r") as file:
        arrays = []
        for name in file:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise SipError(f"{path} leads elsewhere with its link {name}: copy the data into the file.")
            item = file[name]
            if not isinstance(item, h5py.Dataset):
                continue
            if item.external or item.is_virtual:
                raise SipError(f"{path} keeps {name} in another file: copy the data into the file.")
            arrays.append(
                StoredArray(name, tuple(item.shape or ()), item.dtype.name, partial(item.__getitem__, ()))
            )
        yield StoredArrays(tuple(arrays), _attributes(file))


def _attributes(file: h5py.File) -> dict[str, str]:
    found = {}
    for name in file.attrs:
        identity = file.attrs.get_id(name)
        if identity.shape == () and identity.get_storage_size() <= 4096:
            value = file.attrs[name]
            if isinstance(value, str | int | float | np.number | np.bool_):
                found[name] = str(value)
    return found


@contextmanager
def _torch(path: Path) -> Iterator[StoredArrays]:
    import torch  # records/ is imported by the window, which comes up without it

    if not zipfile.is_zipfile(path):
        raise SipError(
            f"{path} is cut short, no file of torch.save or older than PyTorch 1.6: load it where it was "
            "made and save its images again."
        )
    with zipfile.ZipFile(path) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise SipError(
                f"{path} is compressed, as torch.save never does: save its images with torch.save."
            )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise _pickled(path) from error
    yield StoredArrays(tuple(_tensors(content)))


def _tensors(content: object, name: str = "", depth: int = 3) -> Iterator[StoredArray]:
    """Yield the tensors in dicts and tuples; what lies in a tuple has the name of the tuple."""
    import torch

    if isinstance(content, torch.Tensor):
        dtype = str(content.dtype).removeprefix("torch.")
        yield StoredArray(name, tuple(content.shape), dtype, partial(_values, content))
    elif isinstance(content, dict) and depth:
        for key, value in content.items():
            yield from _tensors(value, str(key), depth - 1)
    elif isinstance(content, tuple | list) and depth:
        for value in content:
            yield from _tensors(value, name, depth - 1)


def _values(tensor: "torch.Tensor") -> NDArray[Any]:
    import torch

    ordinary = tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()
    values: NDArray[Any] = ordinary.numpy()
    return values


def _pickled(path: Path) -> SipError:
    return SipError(
        f"{path} holds pickled objects, which could run code: load it where it was made and save the images "
        "alone, as a plain array."
    )
