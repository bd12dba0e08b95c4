"""The header of a safetensors file, checked as the format asks; needs no torch.

The format (github.com/huggingface/safetensors): 8 bytes with the length of the header, the header as
JSON, then the tensors' bytes without holes or overlaps.
"""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from sip_explorer.records import SipError

HEADER_LIMIT = 100 * 2**20
"""Bytes that the format allows the header."""

_TYPES = {"BF16": "bfloat16", "BOOL": "bool", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
_LETTERS = {"F": "float", "I": "int", "U": "uint", "C": "complex"}
_AGAIN = "copy or download it again"


@dataclass(frozen=True)
class HeaderEntry:
    """One tensor of the file."""

    key: str
    shape: tuple[int, ...]
    dtype: str


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins with these bytes (16 or more) claims to be one."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 40


def read_header(path: Path, size: int) -> tuple[tuple[HeaderEntry, ...], dict[str, Any]]:
    """Return the tensors in the order of their bytes, and the metadata (strings by name).

    Raises
    ------
    SipError
        If the file is cut short or breaks a rule of the format; the sentence says which.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > HEADER_LIMIT:
            raise SipError(
                f"{path} says that its header has {length / 1e6:,.0f} MB, where the format allows 105, "
                f"so it is damaged; {_AGAIN}."
            )
        if length > size - 8:
            raise SipError(f"{path} is cut short or damaged: it ends within its header; {_AGAIN}.")
        header = file.read(length)
    try:
        table = json.loads(header, object_pairs_hook=_unique)
        metadata = dict(table.pop("__metadata__", None) or {})
        if not all(isinstance(value, str) for value in metadata.values()):
            raise TypeError("metadata")
        rows = sorted((_row(key, value) for key, value in table.items()), key=lambda row: (row[0], row[1]))
    except _Twice as error:
        raise SipError(f"{path} is damaged: it names {error} twice; {_AGAIN}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SipError(f"{path} is cut short or damaged: its header is no valid JSON; {_AGAIN}.") from error
    _check(path, rows, size - 8 - length)
    return tuple(HeaderEntry(key, shape, _type(dtype)) for _, _, key, shape, dtype in rows), metadata


class _Twice(Exception):  # noqa: N818 - the name of what was found
    """A key that is there twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return table


def _row(key: str, value: Any) -> tuple[int, int, str, tuple[int, ...], str]:
    start, stop = value["data_offsets"]
    shape = tuple(value["shape"])
    if not all(type(each) is int and each >= 0 for each in (start, stop, *shape)) or stop < start:
        raise ValueError("offsets")
    if not isinstance(value["dtype"], str):
        raise TypeError("dtype")
    return start, stop, key, shape, value["dtype"]


def _check(path: Path, rows: list[tuple[int, int, str, tuple[int, ...], str]], data: int) -> None:
    end = 0
    for start, stop, key, shape, dtype in rows:
        if start < end:
            raise SipError(f"{path} is damaged: the bytes of {key} overlap those before it; {_AGAIN}.")
        if start > end:
            raise SipError(
                f"{path} is damaged: there is a hole of {start - end} bytes before {key}; {_AGAIN}."
            )
        bits = _bits(dtype)
        if bits and prod(shape) * bits != (stop - start) * 8:
            raise SipError(
                f"{path} is damaged: {key} has {stop - start} bytes for the shape {shape} of "
                f"{_type(dtype)}, which takes {prod(shape) * bits // 8}; {_AGAIN}."
            )
        end = stop
    if end != data:
        what = "cut short" if end > data else "followed by bytes that belong to no tensor"
        raise SipError(
            f"{path} is {what}: its header tells of {end} bytes of tensors and {data} are there; {_AGAIN}."
        )


def _bits(dtype: str) -> int:
    """Return the bits of one item, 0 where the type is not known."""
    if dtype in ("BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"):
        return 8
    digits = dtype.lstrip("BFIUC").partition("_")[0]
    return int(digits) if digits.isdigit() and int(digits) <= 128 else 0


def _type(name: str) -> str:
    if name in _TYPES:
        return _TYPES[name]
    letter = _LETTERS.get(name[:1])
    return letter + name[1:] if letter and name[1:].isdigit() else name.lower()
