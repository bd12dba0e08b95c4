"""Pickles of nothing but containers, numbers, texts and numpy arrays, read without running their code.

A pickle names the functions that rebuild its content, so reading one can run anything. Here the
few names that numpy's arrays need stand for plain parts of our own, and every other name is refused.
"""

import pickle
from typing import IO, Any

import numpy as np

from sip_explorer.records import SipError

_KINDS = frozenset({"u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8", "f4", "f8", "b1"})


def load_arrays(file: IO[bytes], what: str) -> Any:
    """Return the content of a pickle, with numpy arrays.

    Raises
    ------
    SipError
        If it is damaged, or names anything but numpy's arrays.
    """
    try:
        return _finished(_Unpickler(file, encoding="latin1").load())
    except SipError:
        raise
    except _Refused as error:
        raise SipError(
            f"{what} names {error}, which could run code, and was not read; fetch the set from its authors."
        ) from None
    except Exception as error:  # a damaged pickle can raise anything
        raise SipError(f"{what} cannot be read ({error}); fetch it again.") from error


class _Refused(Exception):  # noqa: N818 - turned into a sentence above
    pass


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = {
            ("numpy.core.multiarray", "_reconstruct"): _Array,
            ("numpy", "ndarray"): None,
            ("numpy", "dtype"): _Kind,
            ("numpy.core.multiarray", "scalar"): _scalar,
            ("numpy.core.numeric", "_frombuffer"): _from_buffer,
            ("_codecs", "encode"): _encode,
        }
        key = (module.replace("numpy._core", "numpy.core"), name)
        if key not in found:
            raise _Refused(f"{module}.{name}")
        return found[key]


class _Kind:
    """Stands for a dtype: a plain number type and its byte order."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name, self.order = str(name), "="

    def __setstate__(self, state: Any) -> None:
        self.order = {"|": "=", "<": "<", ">": ">", "=": "="}[str(state[1])]

    def dtype(self) -> np.dtype:
        plain = self.name.lstrip("<>=|")
        if plain not in _KINDS:
            raise ValueError(f"an array of the type {self.name[:40]}")
        order = self.name[0] if self.name[0] in "<>" else self.order
        return np.dtype(plain).newbyteorder(order)  # type: ignore[arg-type]


class _Array:
    """Stands for an array until its shape, type and bytes are known."""

    def __init__(self, *_: Any) -> None:
        self.values: np.ndarray[Any, Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, in_columns, data = state
        self.values = _array(data, kind, shape, "F" if in_columns else "C")


def _array(data: Any, kind: Any, shape: Any, order: str) -> np.ndarray[Any, Any]:
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    values = np.frombuffer(raw, kind.dtype()).reshape(shape, order="F" if order == "F" else "C")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _from_buffer(data: Any, kind: Any, shape: Any, order: Any = "C", *_: Any) -> np.ndarray[Any, Any]:
    return _array(data, kind, shape, order)


def _scalar(kind: Any, data: Any) -> Any:
    return _array(data, kind, (1,), "C")[0].item()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding != "latin1":
        raise ValueError(f"a text encoded as {encoding}")
    return str(text).encode("latin1")


def _finished(value: Any) -> Any:
    """Return dictionaries and lists with their arrays in place of what stood for them."""
    if isinstance(value, _Array):
        if value.values is None:
            raise ValueError("an array without values")
        return value.values
    if isinstance(value, dict):
        return {
            key.decode("latin1") if isinstance(key, bytes) else key: _finished(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list) and any(isinstance(inner, _Array) for inner in value):
        return [_finished(inner) for inner in value]
    return value
