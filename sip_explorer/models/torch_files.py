"""A look into a torch file that executes nothing; needs no torch.

A torch file is a ZIP archive with a pickle ``data.pkl`` (before PyTorch 1.6: a row of pickles). A
pickle is a program that builds objects and may name any function to be called. Here it runs with
inert stand-ins in place of everything that it names, so it can only build plain containers and
tensor descriptions. Nothing is imported and no tensor data are read.
"""

import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, Never

from sip_explorer.records import SipError

OLD_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number of the old format
_PICKLE_LIMIT = 64 * 2**20
_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8",
}
_CONSTANT = re.compile(r"(q?u?int|b?float|complex|bool)\d*(_\w+)?$|device$|strided$")
_ITEM_BYTES = {"bool": 1, "complex64": 8, "complex128": 16}


class StoredTensor(NamedTuple):  # a tuple, because a file cannot alter one
    """Shape and type of a tensor in the archive; its data were not read."""

    shape: tuple[int, ...]
    dtype: str


class _Storage(NamedTuple):
    dtype: str
    items: int


class _Inert:
    """Stands for whatever the file names: swallows every call and every state."""

    def __new__(cls, *values: object, **named: object) -> "_Inert":
        return object.__new__(cls)

    def __init__(self, *values: object, **named: object) -> None:
        pass

    def __call__(self, *values: object, **named: object) -> "_Inert":
        return self

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        """Swallow a list item."""

    def extend(self, values: object) -> None:
        """Swallow list items."""

    def add(self, value: object) -> None:
        """Swallow a set item."""


def read_torch(path: Path) -> tuple[object, tuple[str, ...]]:
    """Return what a torch file holds, with `StoredTensor` for tensors, and the foreign names in it.

    Raises
    ------
    SipError
        If the file is cut short, damaged, a TorchScript program or no torch file.
    """
    try:
        with open(path, "rb") as file:
            if file.read(len(OLD_START)) == OLD_START:
                return _read_old(file, path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            return _read_archive(path, archive)
    except SipError:
        raise
    except Exception as error:  # a hostile pickle can raise anything
        raise SipError(
            f"{path} is cut short or damaged ({type(error).__name__}); copy or download it again."
        ) from error


def _read_archive(path: Path, archive: zipfile.ZipFile) -> tuple[object, tuple[str, ...]]:
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    names = [name for name in sizes if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(names) != 1:
        raise SipError(f"{path} is a ZIP archive but no torch checkpoint; choose a .pt or .safetensors file.")
    folder = names[0].removesuffix("data.pkl")
    if f"{folder}constants.pkl" in sizes:
        raise SipError(
            f"{path} is a TorchScript program; save the state_dict() of the model that it was made from."
        )
    if sizes[names[0]] > _PICKLE_LIMIT:
        raise SipError(f"{path} holds too many objects beside its tensors; save its state_dict alone.")
    with archive.open(names[0]) as file:
        reader = _Reader(file)
        content = reader.load()
    for key, length in reader.storages.items():
        if length > sizes.get(f"{folder}data/{key}", 0):
            raise pickle.UnpicklingError(f"storage {key} is not there in full")
    return content, tuple(sorted(reader.foreign))


def _read_old(file: BinaryIO, size: int) -> tuple[object, tuple[str, ...]]:
    # Before PyTorch 1.6: five pickles in a row (magic number, version, system, content, storage keys),
    # then each storage as its length in 8 bytes and its data.
    file.seek(0)
    for _ in range(3):
        _Reader(file).load()
    reader = _Reader(file)
    content = reader.load()
    _Reader(file).load()
    if sum(8 + length for length in reader.storages.values()) > size - file.tell():
        raise pickle.UnpicklingError("storages are not there in full")
    return content, tuple(sorted(reader.foreign))


# The reader written in Python: on a byte array cut short the one in C hands a SystemError to sys.excepthook,
# where the window takes it for a fault of the program.
class _Reader(pickle._Unpickler):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, int] = {}
        self.foreign: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage"):
            if name in _STORAGES:
                return type(name, (_Inert,), {"dtype": _STORAGES[name]})
            if name == "Size":
                return _Builder(_shape)
            if module == "torch" and _CONSTANT.match(name):
                return type(name, (_Inert,), {"dtype": name})
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in _REBUILDERS:
            return _Builder(_REBUILDERS[name])
        self.foreign.add(f"{module}.{name}")
        return type("_Foreign", (_Inert,), {})

    def persistent_load(self, pid: Any) -> object:
        if pid[0] == "module":  # the old format names the class of a pickled module so
            return pid[1]
        kind, storage, key, _, items = pid[:5]
        dtype = getattr(storage, "dtype", None)
        if kind != "storage" or not isinstance(dtype, str) or not isinstance(items, int) or items < 0:
            raise pickle.UnpicklingError("a reference to no storage")
        self.storages[str(key)] = items * _item_bytes(dtype)
        return _Storage(dtype, items)


def _item_bytes(dtype: str) -> int:
    """Return the bytes of one element, from the digits of a torch type name."""
    return _ITEM_BYTES.get(dtype) or int("".join(filter(str.isdigit, dtype.partition("_")[0])) or 8) // 8


class _Builder:
    """A function that a file may call but not alter."""

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build

    def __call__(self, *values: Any) -> Any:
        return self._build(*values)

    def __setstate__(self, state: object) -> Never:
        raise pickle.UnpicklingError("a change to a function")


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *rest: Any) -> StoredTensor | _Inert:
    if not isinstance(storage, _Storage):
        return _Inert()
    axes = tuple(shape)
    if not all(isinstance(length, int) and length >= 0 for length in (offset, *axes, *stride)):
        raise pickle.UnpicklingError("a shape that is none")
    last = offset + sum((length - 1) * step for length, step in zip(axes, stride, strict=True))
    if prod(axes) and last >= storage.items:
        raise pickle.UnpicklingError("a tensor larger than its storage")
    return StoredTensor(axes, storage.dtype)


def _tensor_of_type(
    storage: Any, offset: Any, shape: Any, stride: Any, gradient: Any, hooks: Any, dtype: Any, *rest: Any
) -> StoredTensor | _Inert:
    # _rebuild_tensor_v3: the storage is bytes and the type is named beside it.
    name = getattr(dtype, "dtype", None)
    if not isinstance(storage, _Storage) or not isinstance(name, str):
        return _Inert()
    items = storage.items * _item_bytes(storage.dtype) // _item_bytes(name)
    return _tensor(_Storage(name, items), offset, shape, stride)


def _shape(axes: Any = ()) -> tuple[Any, ...]:
    return tuple(axes)


def _first(value: Any, *rest: Any) -> Any:
    return value


_REBUILDERS: dict[str, Callable[..., Any]] = {
    "_rebuild_tensor": _tensor,
    "_rebuild_tensor_v2": _tensor,
    "_rebuild_tensor_v3": _tensor_of_type,
    "_rebuild_parameter": _first,
    "_rebuild_parameter_with_state": _first,
}
