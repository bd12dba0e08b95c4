"""HDF5 files of other programs; nothing that they point to outside themselves is followed."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.sources.listing import Source
from sip_explorer.data.sources.named_arrays import NamedArray, source_of_arrays
from sip_explorer.data.sources.packed_file import read_packed
from sip_explorer.records import CancelToken, SipError

_OWN_FILTERS = frozenset({1, 2, 3, 5, 6, 32000})  # gzip, shuffle, Fletcher, n-bit, scale-offset, LZF
_MOST_NAMES = 10_000
_DEEPEST = 8
_MOST_CHUNK = 1 << 29
_DAMAGE = (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, EOFError)


def read_hdf5(path: Path, token: CancelToken) -> Source:
    """List the images of an HDF5 file, ours or another's, by the names of its arrays.

    Raises
    ------
    SipError
        If it is damaged, holds no images, or points out of itself: external links, virtual arrays,
        raw data in other files, references to objects, filters that need a plug-in.
    """
    try:
        with h5py.File(path, "r") as file:
            if str(file.attrs.get("format", "")).startswith("sip-explorer images"):
                return read_packed(path, token)
            arrays: dict[str, NamedArray] = {}
            _collect(file, "", path, arrays, set(), token)
            return source_of_arrays("HDF5", path, arrays)
    except _DAMAGE as error:
        raise SipError(f"{path} cannot be read as HDF5 ({error}); fetch or write it again.") from error


def _collect(
    group: h5py.Group,
    prefix: str,
    path: Path,
    arrays: dict[str, NamedArray],
    seen: set[int],
    token: CancelToken,
) -> None:
    if prefix.count("/") > _DEEPEST or len(arrays) > _MOST_NAMES:
        raise SipError(f"{path} holds too many groups in each other; save the images in one array.")
    for name in group:
        token.check()
        place = f"{prefix}{name}"
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise SipError(f"{place} in {path} is a link to another file; copy the data into one file.")
        if isinstance(link, h5py.SoftLink):
            continue  # it names what is in the file anyway
        found = group[name]
        address = h5py.h5o.get_info(found.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(found, h5py.Group):
            _collect(found, f"{place}/", path, arrays, seen, token)
        elif isinstance(found, h5py.Dataset):
            _refuse(found, f"{place} in {path}")
            arrays[place] = _array(found, place, path)


def _refuse(data: h5py.Dataset, what: str) -> None:
    """Refuse what points out of the file, or needs foreign code to be read."""
    if data.is_virtual:
        raise SipError(f"{what} is a virtual array made of other files; copy the data into one file.")
    if data.external:
        raise SipError(f"{what} has its values in another file; copy the data into one file.")
    if h5py.check_ref_dtype(data.dtype) is not None:
        raise SipError(f"{what} holds references to objects; save plain numbers.")
    made = data.id.get_create_plist()
    for number in range(made.get_nfilters()):
        code = made.get_filter(number)[0]
        if code not in _OWN_FILTERS:
            raise SipError(
                f"{what} is packed with the filter {code}, which needs a plug-in; save it with gzip."
            )
    if data.chunks and int(np.prod(data.chunks)) * data.dtype.itemsize > _MOST_CHUNK:
        raise SipError(
            f"{what} is packed in pieces of more than {_MOST_CHUNK >> 20} MB; save smaller chunks."
        )


def _array(data: h5py.Dataset, place: str, path: Path) -> NamedArray:
    """Return an array that opens the file anew for each piece: a listing holds no file open."""
    texts = h5py.check_string_dtype(data.dtype) is not None

    def whole() -> NDArray[np.generic]:
        return read(None)

    def rows(wanted: NDArray[np.int64]) -> NDArray[np.generic]:
        return read(wanted)

    def read(wanted: NDArray[np.int64] | None) -> NDArray[np.generic]:
        try:
            with h5py.File(path, "r") as file:
                found = file[place]
                if wanted is None:
                    if texts:
                        return np.array(found.asstr(errors="replace")[:].tolist(), dtype=np.str_)
                    return np.asarray(found[()])
                first, last = int(wanted[0]), int(wanted[-1]) + 1
                if last - first <= 4 * len(wanted):  # HDF5 reads a list of rows far slower than a slice
                    return np.asarray(found[first:last][wanted - first])
                return np.asarray(found[wanted])
        except _DAMAGE as error:
            raise SipError(f"{place} in {path} cannot be read ({error}); fetch it again.") from error

    return NamedArray(data.shape or (), np.dtype("O") if texts else data.dtype, rows, whole)
