"""Which formats there are, and which one a file or folder has."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import (
    arrays,
    authors_csv,
    coco,
    coco_polygons,
    cub,
    hdf5,
    labelme,
    png_masks,
)
from sip_explorer.salience.exchange.files import files_in
from sip_explorer.salience.exchange.foreign import OutgoingMask, Reading
from sip_explorer.salience.exchange.json_file import JSON, read_json
from sip_explorer.salience.exchange.picture_file import SUFFIXES

_LOOKED_AT = 10  # files of a folder, until one says what they are


class _Write(Protocol):
    def __call__(
        self, path: Path, masks: Iterable[OutgoingMask], *, force: bool = False
    ) -> Generator[str, None, None]: ...


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    key
        Its name on the command line.
    words
        What people call it.
    suffix
        The ending of the file that it writes; "" where it writes a folder.
    keeps_soft, keeps_annotators
        Whether values between 0 and 255, and several masks of an image, have room in it.
    """

    key: str
    words: str
    suffix: str
    read: Callable[[Path], Iterator[Reading]]
    write: _Write
    keeps_soft: bool = True
    keeps_annotators: bool = True

    def loss(self, soft: int) -> str:
        """Return one sentence on what is not kept of masks, "" where everything is.

        Parameters
        ----------
        soft
            How many of them have values between 0 and 255.
        """
        if not self.keeps_annotators:
            return (
                "There is room for one mask an image: the annotator's name stands only inside the pictures, "
                "where this program finds it again."
            )
        if self.keeps_soft or not soft:
            return ""
        which = "1 mask has" if soft == 1 else f"{soft:,} masks have"
        return (
            f"{which} values between 0 and 255, which {self.words} does not keep: pixels that are at least "
            "half salient (128) become salient, the others do not."
        )


FORMATS: dict[str, Format] = {
    entry.key: entry
    for entry in (
        Format("png", "PNG masks in folders", "", png_masks.read, png_masks.write),
        Format("coco", "COCO JSON with run lengths", ".json", coco.read, coco.write, keeps_soft=False),
        Format(
            "coco-polygons",
            "COCO JSON with polygons",
            ".json",
            coco_polygons.read,
            coco_polygons.write,
            keeps_soft=False,
        ),
        Format("labelme", "labelme JSON", "", labelme.read, labelme.write, keeps_soft=False),
        Format("numpy", "NumPy arrays", ".npz", arrays.read, arrays.write),
        Format("hdf5", "HDF5", ".h5", hdf5.read, hdf5.write),
        Format(
            "csv",
            "SIP-AT authors' CSV",
            "",
            authors_csv.read,
            authors_csv.write,
            keeps_annotators=False,
        ),
        Format("cub", "CUB-200-2011 layout", "", cub.read, cub.write, keeps_annotators=False),
    )
}


def format_named(key: str) -> Format:
    """Return a format; `SipError` naming all where there is none of that name."""
    if key not in FORMATS:
        raise SipError(f"There is no format {key!r}: choose one of {', '.join(FORMATS)}.")
    return FORMATS[key]


def recognised(path: Path) -> Format:
    """Return the format of a file or folder, from its ending and what lies in it.

    Raises
    ------
    SipError
        If it is not there, or of no format that can be read.
    """
    if not path.exists():
        raise SipError(f"{path} is not there: choose a file or folder with masks.")
    return FORMATS[_folder(path) if path.is_dir() else _file(path)]


def _folder(path: Path) -> str:
    if cub.is_cub(path):
        return "cub"
    if (path / authors_csv.TABLE).is_file():
        return "csv"
    described = _described(path)
    if described:  # the pictures beside it are photos
        return described
    if png_masks.holds_pictures(path):
        return "png"
    raise SipError(
        f"The folder {path} holds no masks: no pictures, no JSON of labelme or COCO, no CUB layout."
    )


def _described(path: Path) -> str:
    """Return which JSON a folder holds, from the first ones that there are; "" for none that is known."""
    files = (file for file in files_in(path, JSON) if isinstance(file, Path))
    for file in islice(files, _LOOKED_AT):
        try:
            content = read_json(file)
        except SipError:  # a damaged one says nothing of the others; it is named when it is read
            continue
        if "shapes" in content or "annotations" in content:
            return "labelme" if "shapes" in content else "coco"
    return ""


def _file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return "labelme" if "shapes" in read_json(path) else "coco"
    by_suffix = {".npz": "numpy", ".npy": "numpy", ".h5": "hdf5", ".hdf5": "hdf5", ".csv": "csv"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    if suffix in SUFFIXES:
        return "png"
    raise SipError(
        f"{path} is no file with masks: pictures, .json (COCO, labelme), .npz, .npy, .h5 and .csv are read."
    )
