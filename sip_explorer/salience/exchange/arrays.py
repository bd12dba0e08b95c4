"""Masks as NumPy arrays: ``.npz`` with one array a mask, or ``.npy``."""

import io
import json
import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.records.atomic import atomic_path
from sip_explorer.salience.exchange.foreign import ForeignMask, OutgoingMask, Reading, Skipped, refuse_size
from sip_explorer.salience.exchange.names import file_part, safe_path
from sip_explorer.salience.exchange.staging import refuse_existing
from sip_explorer.salience.exchange.values import mask_of

_ABOUT = "about_these_masks"
_MOST_BYTES = 1 << 31


def read(path: Path) -> Iterator[Reading]:
    """Read a ``.npz`` (array name -> mask), or a ``.npy`` (one mask, or a stack of them).

    The rows of a stack (N, H, W) belong to images 0, 1, 2, ...; one mask (H, W) has the name of its
    file. Pickled objects are refused.
    """
    if path.suffix.lower() == ".npy":
        try:
            with open(path, "rb") as file:
                yield from _rows(_array(file, path.stat().st_size, str(path)), path.stem, str(path))
        except OSError as error:
            raise SipError(f"{path} cannot be read ({error.strerror}): choose another file.") from None
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise SipError(f"{path} is no .npz file ({error}): it is cut short or of another kind.") from None
    with archive:
        about = _about(archive)
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if name == _ABOUT or entry.filename == name:
                continue
            what = f"The array {name} in {path}"
            known = about.get(name)
            try:
                with archive.open(entry) as file:
                    values = _array(file, entry.file_size, what)
                if known is None:
                    yield from _rows(values, name, what)
                else:
                    mask, note = mask_of(values, what, literal=True)
                    yield ForeignMask(known[0], known[1], mask, what, note)
            except SipError as error:
                yield Skipped(name, str(error))
            except Exception as error:  # a damaged archive can make zlib and NumPy raise anything
                yield Skipped(name, f"{what} is damaged ({error}): write it again.")


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write a compressed ``.npz``; yield each image's name.

    Its arrays are named ``annotator/class/name``; the text array ``about_these_masks`` holds their
    image, annotator and state as JSON.
    """
    refuse_existing(path, force=force)
    about: dict[str, tuple[str, str, str]] = {}
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for mask in masks:
            key = f"{file_part(mask.annotator)}/{safe_path(mask.stem)}"
            about[key] = (mask.image, mask.annotator, mask.state)
            _add(archive, key, mask.mask)
            yield mask.image
        _add(archive, _ABOUT, np.array(json.dumps(about)))


def _add(archive: zipfile.ZipFile, key: str, values: NDArray[Any]) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(values, order="C"), allow_pickle=False)
    archive.writestr(f"{key}.npy", buffer.getvalue())


def _array(file: IO[bytes], size: int, what: str) -> NDArray[Any]:
    """Return an array whose header was looked at before any memory was asked for."""
    try:
        version = np.lib.format.read_magic(file)
        first = version == (1, 0)
        header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(file)
    except ValueError as error:
        raise SipError(f"{what} is no NumPy array ({error}): it is cut short or of another kind.") from None
    if dtype.hasobject:
        raise _pickled(what)
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count <= 0 or not dtype.itemsize or min(shape, default=1) < 0:
        raise SipError(f"{what} has the shape {shape}: a mask has a height and a width.")
    if len(shape) >= 2:
        refuse_size(shape[-2], shape[-1], what)
    if count * dtype.itemsize > _MOST_BYTES:
        raise SipError(f"{what} holds {count:,} numbers, too many to be opened at once: write several files.")
    data = file.read(count * dtype.itemsize) if count * dtype.itemsize <= size else b""
    if len(data) < count * dtype.itemsize:
        raise SipError(f"{what} is cut short: it holds fewer than the {count:,} numbers that it promises.")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _rows(values: NDArray[Any], name: str, what: str) -> Iterator[Reading]:
    if values.ndim != 3 or 1 in (values.shape[0], values.shape[2]):
        mask, note = mask_of(values, what)
        yield ForeignMask(name, None, mask, what, note)
        return
    for row, content in enumerate(values):
        try:
            mask, note = mask_of(content, f"Row {row} of {what}")
            yield ForeignMask(str(row), None, mask, f"Row {row} of {what}", note)
        except SipError as error:
            yield Skipped(str(row), str(error))


def _about(archive: zipfile.ZipFile) -> Mapping[str, tuple[str, str]]:
    """Return array name -> image and annotator, where this program wrote the file."""
    try:
        with archive.open(f"{_ABOUT}.npy") as file:
            listed = json.loads(str(_array(file, archive.getinfo(f"{_ABOUT}.npy").file_size, _ABOUT)))
        return {key: (str(entry[0]), str(entry[1])) for key, entry in listed.items()}
    except Exception:  # not there, or damaged: then the arrays' own names count
        return {}


def _pickled(what: str) -> SipError:
    return SipError(
        f"{what} holds pickled objects, which could run code: save the masks alone, as plain arrays."
    )
