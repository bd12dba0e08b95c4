"""The IDX files of the MNIST family."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8
_GZIP = b"\x1f\x8b"


def read_idx(path: Path | str) -> NDArray[np.generic]:
    """Return the array of an IDX file, gzipped or plain, in the machine's byte order.

    Raises
    ------
    SipError
        If the file cannot be read, is no IDX file or is cut short.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if data[:2] == _GZIP:
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise SipError(f"{path} cannot be read ({error}); choose another file or fetch it again.") from error
    shape, kind, start = _header(data, path)
    if len(data) != start + math.prod(shape) * kind.itemsize:
        raise SipError(f"{path} does not hold the {shape} values that it announces; fetch it again.")
    return np.frombuffer(data, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))


def read_idx_header(path: Path | str) -> tuple[tuple[int, ...], np.dtype, int]:
    """Return the shape, the type and the place of the first value of an IDX file, gzipped or plain.

    Raises
    ------
    SipError
        If the file cannot be read, is no IDX file or, where it is plain, not of the length it announces.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == _GZIP
            size = file.seek(0, 2)
        with gzip.open(path) if packed else open(path, "rb") as stream:
            head = stream.read(4 + 4 * _MOST_AXES)
    except (OSError, EOFError, zlib.error) as error:
        raise SipError(f"{path} cannot be read ({error}); choose another file or fetch it again.") from error
    shape, kind, start = _header(head, path)
    if not packed and size != start + math.prod(shape) * kind.itemsize:
        raise SipError(f"{path} does not hold the {shape} values that it announces; fetch it again.")
    return shape, kind, start


def _header(data: bytes, path: Path) -> tuple[tuple[int, ...], np.dtype, int]:
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES or data[3] > _MOST_AXES:
        raise SipError(f"{path} is no IDX file; choose a file such as train-images-idx3-ubyte.gz.")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise SipError(f"{path} is cut short; fetch it again.")
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    return shape, np.dtype(_TYPES[data[2]]), start
