"""Adversarial images in files: ours, and those that other programs made."""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

import sip_explorer
from sip_explorer.records.atomic import atomic_path
from sip_explorer.records.errors import SipError
from sip_explorer.records.foreign_arrays import StoredArray, stored_arrays

KIND = "adversarial-images"
FORMAT = 1
LARGEST = 2**30
"""So many values (4 GiB as float32) are read at once: 7,000 photos of 224 px, 350,000 images of 32 px."""

_LABELS = ("labels", "label", "targets", "y")
_ROUNDING = 1e-6
_FLOATS = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class AdversarialImages:
    """Images that an attack made, and what is known of them.

    Attributes
    ----------
    images
        (N, C, H, W) float32 in [0, 1].
    labels
        (N,) int64, the true classes; None where the file does not say.
    indices
        (N,) int64, the ids of the original images; None where the file does not say.
    origin
        Where the images come from: model, attack, epsilon, norm, versions; see `described_origin`.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64] | None = None
    indices: NDArray[np.int64] | None = None
    origin: dict[str, str] = field(default_factory=dict)


def described_origin(*, model: str, attack: str, epsilon: float, norm: str, **more: str) -> dict[str, str]:
    """Return the ``origin`` of images made here: what is given, and the versions that made them."""
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    said = {"model": model, "attack": attack, "epsilon": repr(epsilon), "norm": norm}
    return said | more | {"sip_explorer": sip_explorer.__version__} | versions


def checked_ending(path: Path) -> str:
    """Return the ending of a file for adversarial images, in lower case; SipError where it is another."""
    ending = path.suffix.lower()
    if ending not in (".h5", ".hdf5", ".npy"):
        raise SipError(
            f"Adversarial images cannot be written to {path}: choose a name that ends in .h5 or .npy."
        )
    return ending


def write_adversarial(path: Path | str, adversarial: AdversarialImages) -> None:
    """Write the images atomically, exactly as float32.

    An ``.h5`` or ``.hdf5`` file holds the datasets images, labels and indices, and the origin as
    attributes. A ``.npy`` file holds the images alone: which they are, and of what attack, has to be
    remembered elsewhere.

    Raises
    ------
    SipError
        The ending is another one.
    """
    path = Path(path)
    images = np.ascontiguousarray(adversarial.images, np.float32)
    ending = checked_ending(path)
    with atomic_path(path) as temporary:
        if ending == ".npy":
            with open(temporary, "wb") as stream:
                np.save(stream, images, allow_pickle=False)
            return
        with h5py.File(temporary, "w") as file:
            file.attrs.update({**adversarial.origin, "kind": KIND, "format": FORMAT})
            file["images"] = images  # not compressed: noise does not shrink, and it would take minutes
            for name in ("labels", "indices"):
                values = getattr(adversarial, name)
                if values is not None:
                    file[name] = np.asarray(values, np.int64)


def read_adversarial(
    path: Path | str,
    *,
    shape: tuple[int, int, int] | None = None,
    indices: Sequence[int] | NDArray[np.int64] | None = None,
) -> AdversarialImages:
    """Return the adversarial images in a file, made here or elsewhere; nothing in it is executed.

    Read are ``.npy``, ``.npz``, ``.pt`` and ``.pth`` (a tensor, or a dict or tuple with one), ``.h5``
    and ``.hdf5``: the array called ``images``, or the only one with four dimensions; float in [0, 1] or
    uint8; channels first or last. True classes are taken from an array called ``labels`` (also label,
    targets, y) or the whole numbers beside the images in a tuple; not those that AutoAttack saves
    under ``adv_complete``, which are the model's answers.

    Parameters
    ----------
    path
        The file.
    shape
        (C, H, W) of the original images; without it one or three channels are looked for.
    indices
        (N,) ids of the original images. A file with ids of its own is brought into this order; one
        without must hold as many images.

    Raises
    ------
    SipError
        One sentence that names the file and what is wrong with it.
    """
    path = Path(path)
    with stored_arrays(path) as found:
        ours = found.attributes.get("kind") == KIND
        version = found.attributes.get("format", "0")
        if ours and version.isdecimal() and int(version) > FORMAT:
            raise SipError(
                f"{path} was written by a newer version of SIP Explorer: update the program to read it."
            )
        stored = _the_images(path, found.arrays)
        last = _channels_last(path, stored.shape, shape, ours)
        ids = _numbers(found.arrays, ("indices",), stored.shape[0])
        if ids is None and indices is not None and len(indices) != stored.shape[0]:
            raise SipError(
                f"{path} holds {stored.shape[0]} images and the originals are {len(indices)}: select the "
                "images that it was made from."
            )
        if prod(stored.shape) > LARGEST:
            raise SipError(
                f"{path} holds {stored.shape[0]} images of {prod(stored.shape[1:])} values, more than are "
                "read at once: cut it into several files."
            )
        labels = _numbers(found.arrays, (*_LABELS, ""), stored.shape[0])
        images = _in_unit_interval(path, stored.read())
    if last:
        images = images.transpose(0, 3, 1, 2)
    origin = {name: value for name, value in found.attributes.items() if name not in ("kind", "format")}
    if indices is not None:
        wanted = np.asarray(indices, np.int64)
        if ids is not None and not np.array_equal(ids, wanted):
            places = _places(path, ids, wanted)
            images, labels = images[places], None if labels is None else labels[places]
        ids = wanted
    return AdversarialImages(np.ascontiguousarray(images), labels, ids, origin)


def _the_images(path: Path, arrays: Sequence[StoredArray]) -> StoredArray:
    candidates = [array for array in arrays if len(array.shape) == 4]
    chosen = [array for array in candidates if array.name == "images"] or candidates
    if not chosen:
        shapes = ", ".join(str(array.shape) for array in arrays[:3]) or "nothing"
        raise SipError(
            f"{path} holds no images: one array of shape (images, channels, height, width) is needed, and "
            f"there is {shapes}."
        )
    if len(chosen) > 1:
        names = ", ".join(array.name or str(array.shape) for array in chosen[:4])
        raise SipError(f"{path} holds several sets of images ({names}): save the one to be judged by itself.")
    if chosen[0].dtype not in (*_FLOATS, "uint8"):
        raise SipError(
            f"{path} holds images as {chosen[0].dtype}: save them as floats in [0, 1] or as uint8, 0 to 255."
        )
    if 0 in chosen[0].shape:
        raise SipError(f"{path} holds no pixels, its images have the shape {chosen[0].shape}: make it again.")
    return chosen[0]


def _channels_last(
    path: Path, found: tuple[int, ...], shape: tuple[int, int, int] | None, ours: bool
) -> bool:
    if shape is None:
        first, last = found[1] in (1, 3), found[3] in (1, 3)
        wanted = "one or three channels"
    else:
        first, last = found[1:] == tuple(shape), found[1:] == (*shape[1:], shape[0])
        wanted = f"{shape[0]} × {shape[1]} × {shape[2]}, channels first or last"
    if first and ours:  # always written with the channels first
        return False
    if first and last:
        raise SipError(
            f"{path} holds images of shape {found[1:]}, which can be read with the channels first or last: "
            "save it as .h5 from this program, or with larger images."
        )
    if not first and not last:
        raise SipError(
            f"{path} holds images of shape {found[1:]} where {wanted} are needed: choose another file."
        )
    return last


def _numbers(arrays: Sequence[StoredArray], names: Sequence[str], count: int) -> NDArray[np.int64] | None:
    for name in names:
        for array in arrays:
            if array.name == name and array.shape == (count,) and array.dtype.startswith(("int", "uint")):
                return array.read().astype(np.int64)
    return None


def _in_unit_interval(path: Path, values: NDArray[np.generic]) -> NDArray[np.float32]:
    if values.dtype == np.uint8:
        return values.astype(np.float32) / np.float32(255)
    images = values.astype(np.float32)
    low, high = float(images.min()), float(images.max())  # NaN, where there is one
    if not np.isfinite((low, high)).all():
        faulty = int((~np.isfinite(images)).any((1, 2, 3)).argmax())
        raise SipError(
            f"{path} holds pixels that are no numbers (NaN or infinity), first in image {faulty}: make it "
            "again."
        )
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        advice = "undo the normalisation, or clip what lies outside"
        if low >= 0 and 2 < high <= 255:
            advice = "these are 8-bit levels, divide them by 255"
        raise SipError(f"{path} holds values from {low:.4g} to {high:.4g} where [0, 1] is needed: {advice}.")
    return images.clip(0, 1)


def _places(path: Path, ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(ids, kind="stable")
    places = np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)
    rows: NDArray[np.int64] = order[places]
    missing = wanted[ids[rows] != wanted]
    if len(missing):
        raise SipError(
            f"{path} holds nothing for image {missing[0]} and {len(missing) - 1} more of the selection: "
            "select the images that it was made from."
        )
    return rows
