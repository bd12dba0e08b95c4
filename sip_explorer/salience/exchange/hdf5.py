"""Masks in HDF5: ``/salience/<annotator>/<image>``, uint8 (H, W), with attributes."""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sip_explorer.records import SipError
from sip_explorer.records.atomic import atomic_path
from sip_explorer.salience.exchange.foreign import ForeignMask, OutgoingMask, Reading, Skipped, refuse_size
from sip_explorer.salience.exchange.names import file_part, part_text
from sip_explorer.salience.exchange.staging import refuse_existing
from sip_explorer.salience.exchange.values import mask_of

FORMAT = 1
_DEEPEST = 6


def read(path: Path) -> Iterator[Reading]:
    """Read every array under ``/salience``; its first group is the annotator, the rest the image.

    Nothing outside of the file is opened: links, external storage and virtual arrays are refused.
    """
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        reason = _reason(error)
        raise SipError(f"{path} is no HDF5 file ({reason}): it is cut short or of another kind.") from None
    with file:
        if file.get("salience", getclass=True, getlink=True) is not h5py.HardLink:
            raise SipError(f"{path} has no group named salience: masks lie at /salience/<annotator>/<image>.")
        version = file.attrs.get("format", 0)
        if isinstance(version, np.integer) and version > FORMAT:
            raise SipError(f"{path} has format {version}, this program knows up to {FORMAT}: update it.")
        root = file["salience"]
        if not isinstance(root, h5py.Group):
            raise SipError(f"In {path} salience is no group: masks lie at /salience/<annotator>/<image>.")
        yield from _group(root, (), path)


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write one file under a temporary name and rename it when it is whole; yield each image's name.

    Attributes of an array: ``image``, ``annotator``, ``class``, ``state``, ``when`` (POSIX seconds);
    of the file: ``format``.
    """
    import h5py

    refuse_existing(path, force=force)
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = FORMAT
        root = file.create_group("salience")
        for mask in masks:
            group = root.require_group(file_part(mask.annotator))
            item = group.create_dataset(
                file_part(mask.stem), data=mask.mask, compression="gzip", compression_opts=1
            )
            item.attrs["image"] = mask.image
            item.attrs["annotator"] = mask.annotator
            item.attrs["class"] = mask.label
            item.attrs["state"] = mask.state
            item.attrs["when"] = mask.at
            yield mask.image


def _group(group: Any, parts: tuple[str, ...], path: Path) -> Iterator[Reading]:
    import h5py

    for name in group:
        inner = (*parts, name)
        what = f"/salience/{'/'.join(inner)} in {path}"
        try:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise SipError(f"{what} is a link, which may lead anywhere: copy the data into its place.")
            item = group[name]
            if isinstance(item, h5py.Dataset):
                yield _mask(item, inner, what)
            elif isinstance(item, h5py.Group) and len(inner) < _DEEPEST:
                yield from _group(item, inner, path)
            else:
                raise SipError(f"{what} is neither a mask nor a group of masks: it is left out.")
        except SipError as error:
            yield Skipped("/".join(inner), str(error))
        except Exception as error:  # a damaged file can make the library raise anything
            yield Skipped("/".join(inner), f"{what} is damaged ({_reason(error)}): write it again.")


def _mask(item: Any, parts: tuple[str, ...], what: str) -> ForeignMask:
    if item.external or item.is_virtual:
        raise SipError(f"{what} keeps its values in another file: copy the data into this one.")
    shape: tuple[int, ...] = tuple(item.shape or ())
    if len(shape) not in (2, 3) or item.size == 0:
        raise SipError(f"{what} has the shape {shape}: a mask has a height and a width.")
    refuse_size(int(shape[-2]), int(shape[-1]), what)
    if item.size > 4 * shape[-2] * shape[-1]:
        raise SipError(f"{what} has the shape {shape}: a mask has a height and a width.")
    image, annotator = item.attrs.get("image"), item.attrs.get("annotator")
    ours = isinstance(item.attrs.get("state"), str) and item.dtype == "uint8"
    mask, note = mask_of(item[()], what, literal=ours)
    if not isinstance(annotator, str):
        annotator = part_text(parts[0]) if len(parts) > 1 else None
    if not isinstance(image, str):
        image = part_text("/".join(parts[1:] or parts))
    return ForeignMask(image, annotator, mask, what, note)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
