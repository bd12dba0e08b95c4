"""The pickles of torch files, run with nothing real in reach; needs no torch.

A pickle is a program that builds objects and may name any function to be called. Here it runs with
inert stand-ins in place of everything that it names, so it can only build plain containers and
descriptions of tensors. Nothing is imported and no tensor data are read.
"""

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from math import prod
from typing import IO, Any, NamedTuple, Never

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
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
}
_CONSTANT = re.compile(
    r"(q?u?int|b?float|complex|bool)\d*(_\w+)?$|device$|strided$|per_(tensor|channel)_\w+$"
)
_ITEM_BYTES = {"bool": 1, "complex64": 8, "complex128": 16}


class StoredTensor(NamedTuple):  # a tuple, because a file cannot alter one
    """A tensor of the file whose data were not read.

    ``dtype`` is torch's name, or ``sparse``. ``storage`` is the key of the storage that the data lie
    in, ``offset`` (in items) and ``stride`` say where; "" where the file holds no data for it or ones
    that are not simply numbers.
    """

    shape: tuple[int, ...]
    dtype: str
    storage: str = ""
    offset: int = 0
    stride: tuple[int, ...] = ()


class _Storage(NamedTuple):
    dtype: str
    items: int
    key: str


class Inert:
    """Stands for whatever the file names: swallows every call and every state."""

    def __new__(cls, *values: object, **named: object) -> "Inert":
        return object.__new__(cls)

    def __init__(self, *values: object, **named: object) -> None:
        pass

    def __call__(self, *values: object, **named: object) -> "Inert":
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


# The reader written in Python: on a byte array cut short the one in C hands a SystemError to sys.excepthook,
# where the window takes it for a fault of the program.
class PickleReader(pickle._Unpickler):
    """Loads one pickle; ``storages``: key -> bytes, ``foreign``: what else the pickle names."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, int] = {}
        self.foreign: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage"):
            if name in _STORAGES:
                return type(name, (Inert,), {"dtype": _STORAGES[name]})
            if name == "Size":
                return _Builder(_shape)
            if module == "torch" and _CONSTANT.match(name):
                return type(name, (Inert,), {"dtype": name})
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in _REBUILDERS:
            return _Builder(_REBUILDERS[name])
        if f"{module}.{name}" in _HARMLESS:
            return _Builder(_HARMLESS[f"{module}.{name}"])
        self.foreign.add(f"{module}.{name}")
        return type("_Foreign", (Inert,), {"foreign": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> object:
        if pid[0] == "module":  # the old format names the class of a pickled module so
            return pid[1]
        if len(pid) > 5 and pid[5] is not None:
            raise pickle.UnpicklingError("a storage that is part of another")
        kind, storage, key, _, items = pid[:5]
        dtype = getattr(storage, "dtype", None)
        if kind != "storage" or not isinstance(dtype, str) or not isinstance(items, int) or items < 0:
            raise pickle.UnpicklingError("a reference to no storage")
        self.storages[str(key)] = max(self.storages.get(str(key), 0), items * item_bytes(dtype))
        return _Storage(dtype, items, str(key))


def item_bytes(dtype: str) -> int:
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


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *rest: Any) -> StoredTensor | Inert:
    if not isinstance(storage, _Storage):
        return Inert()
    axes = tuple(shape)
    if not all(isinstance(length, int) and length >= 0 for length in (offset, *axes, *stride)):
        raise pickle.UnpicklingError("a shape that is none")
    last = offset + sum((length - 1) * step for length, step in zip(axes, stride, strict=True))
    if prod(axes) and last >= storage.items:
        raise pickle.UnpicklingError("a tensor larger than its storage")
    return StoredTensor(axes, storage.dtype, storage.key, offset, tuple(stride))


def _tensor_of_type(
    storage: Any, offset: Any, shape: Any, stride: Any, gradient: Any, hooks: Any, dtype: Any, *rest: Any
) -> StoredTensor | Inert:
    # _rebuild_tensor_v3: the storage is bytes and the type is named beside it.
    name = getattr(dtype, "dtype", None)
    if not isinstance(storage, _Storage) or not isinstance(name, str):
        return Inert()
    items = storage.items * item_bytes(storage.dtype) // item_bytes(name)
    return _tensor(_Storage(name, items, storage.key), offset, shape, stride)


def _quantised(storage: Any, offset: Any, shape: Any, *rest: Any) -> StoredTensor | Inert:
    return _without_data(shape, storage.dtype) if isinstance(storage, _Storage) else Inert()


def _sparse(layout: Any, data: Any) -> StoredTensor | Inert:
    shapes = [each for each in data if type(each) is tuple]
    return _without_data(shapes[-1], "sparse") if shapes else Inert()


def _hollow(dtype: Any, shape: Any, *rest: Any) -> StoredTensor | Inert:
    name = getattr(dtype, "dtype", None)
    return _without_data(shape, name) if isinstance(name, str) else Inert()


def _without_data(shape: Any, dtype: str) -> StoredTensor:
    axes = tuple(shape)
    if not all(isinstance(length, int) and length >= 0 for length in axes):
        raise pickle.UnpicklingError("a shape that is none")
    return StoredTensor(axes, dtype)


def _of_subclass(build: Any, kind: Any, values: Any, state: Any = None) -> Any:
    # A subclass of Tensor is taken for the plain tensor in it.
    return build(*values) if isinstance(build, _Builder) else Inert()


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
    "_rebuild_qtensor": _quantised,
    "_rebuild_sparse_tensor": _sparse,
    "_rebuild_meta_tensor_no_storage": _hollow,
}
_HARMLESS: dict[str, Callable[..., Any]] = {
    "torch._tensor._rebuild_from_type_v2": _of_subclass,
    "torch.serialization._get_layout": _first,
}
