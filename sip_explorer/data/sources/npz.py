"""NumPy archives (``.npz``); nothing is unpickled."""

import zipfile
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sip_explorer.data.sources.listing import Source
from sip_explorer.data.sources.named_arrays import NamedArray, source_of_arrays
from sip_explorer.data.sources.rows_of_file import DAMAGE, RowsOfFile
from sip_explorer.records import CancelToken, SipError

_MOST_BYTES = 4 << 30  # of an array that must be in memory as a whole


def read_npz(path: Path, token: CancelToken) -> Source:
    """List the images of an archive by the headers of its arrays; `SipError` where it has none."""
    arrays: dict[str, NamedArray] = {}
    refused: list[str] = []
    objects = ""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                token.check()
                if not name.endswith(".npy"):
                    refused.append(f"{name} in {path.name} is no array and was left out.")
                    continue
                with archive.open(name) as member:
                    shape, in_columns, kind = _header(member)
                    offset = member.tell()
                if kind.hasobject:
                    objects = f"The array {name[:-4]} in {path} holds Python objects; save it as numbers."
                    refused.append(
                        f"The array {name[:-4]} holds Python objects and was left out: save it as numbers."
                    )
                    continue
                arrays[name[:-4]] = _array(path, name, shape, kind, offset, in_columns)
    except DAMAGE as error:
        raise SipError(f"{path} is no NumPy archive that can be read ({error}); save it anew.") from error
    try:
        source = source_of_arrays("NumPy arrays", path, arrays)
    except SipError as error:
        if objects and not any(len(array.shape) > 2 for array in arrays.values()):
            raise SipError(objects) from error
        raise
    source.problems.extend(refused)
    return source


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(member)
    if version == (1, 0):
        return npy.read_array_header_1_0(member)
    if version == (2, 0):
        return npy.read_array_header_2_0(member)
    raise ValueError(f"an array of the format version {version[0]}")


def _array(
    path: Path, name: str, shape: tuple[int, ...], kind: np.dtype, offset: int, in_columns: bool
) -> NamedArray:
    def opened() -> IO[bytes]:
        return zipfile.ZipFile(path).open(name)  # the member keeps the archive's file open

    def whole() -> NDArray[np.generic]:
        size = int(np.prod(shape, dtype=np.float64)) * kind.itemsize
        if size > _MOST_BYTES:
            raise SipError(f"{name} in {path} has {size / 1e9:.1f} GB; save it in C order, or in parts.")
        flat = RowsOfFile(opened, offset, (1, int(np.prod(shape))), kind, f"{name} in {path}")
        values = flat.read(np.zeros(1, np.int64))
        flat.close()
        return values.reshape(shape, order="F" if in_columns else "C")

    if in_columns and len(shape) > 1:  # rows do not lie together
        kept: list[NDArray[np.generic]] = []
        return NamedArray(shape, kind, partial(_of_whole, kept, whole), whole)
    return NamedArray(shape, kind, RowsOfFile(opened, offset, shape, kind, f"{name} in {path}").read, whole)


def _of_whole(kept: list[NDArray[np.generic]], whole, rows: NDArray[np.int64]) -> NDArray[np.generic]:  # type: ignore[no-untyped-def]
    if not kept:
        kept.append(whole())
    return np.ascontiguousarray(kept[0][rows])
