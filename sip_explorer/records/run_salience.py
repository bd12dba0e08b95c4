"""``salience.h5``: the salience that a run really used, copied when it starts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sip_explorer.records.atomic import atomic_path
from sip_explorer.records.errors import SipError

if TYPE_CHECKING:
    import h5py

FORMAT = 2
CHUNK = 256
PART_BYTES = 4 << 20
"""Masks that are read or written at once: a few hundredths of a second."""
LEFT_OUT = "left out"
"""The source of an image whose salience was left out on purpose (format 2); its mask is zeros."""


@dataclass(frozen=True)
class RunSalience:
    """The salience of a run's images; an image that is not among ``ids`` carries none.

    ``ids`` int64 (N,), ``sources`` a name each ("painted: Ada", "segmentation", "boxes",
    "grad-cam: fashion-standard (0123456789abcdef, features)", `LEFT_OUT`), ``revisions`` int64 (N,)
    (strokes that made a painted mask, else 0), ``masks`` uint8 (N, H, W): S = value / 255, protected
    where >= 128.
    """

    ids: npt.NDArray[np.int64]
    sources: tuple[str, ...]
    revisions: npt.NDArray[np.int64]
    masks: npt.NDArray[np.uint8]


class SalienceWriter:
    """Appends masks to a salience file that is not in place yet."""

    def __init__(self, file: "h5py.File", size: tuple[int, int]) -> None:
        import h5py

        self._file = file
        options: dict[str, Any] = {"chunks": True}
        file.create_dataset("ids", (0,), "int64", maxshape=(None,), **options)
        file.create_dataset("sources", (0,), h5py.string_dtype(), maxshape=(None,), **options)
        file.create_dataset("revisions", (0,), "int64", maxshape=(None,), **options)
        file.create_dataset(
            "masks", (0, *size), "uint8", maxshape=(None, *size), chunks=(CHUNK, *size),
            compression="gzip", compression_opts=1,
        )  # fmt: skip
        file.attrs["format"] = FORMAT

    def add(
        self,
        ids: npt.NDArray[np.int64],
        sources: Sequence[str],
        revisions: npt.NDArray[np.int64],
        masks: npt.NDArray[np.uint8],
    ) -> None:
        """Append some images' salience (arrays as in `RunSalience`)."""
        old = len(self._file["ids"])
        for name, values in (
            ("ids", ids),
            ("sources", list(sources)),
            ("revisions", revisions),
            ("masks", masks),
        ):
            dataset = self._file[name]
            dataset.resize(old + len(ids), axis=0)
            dataset[old:] = values


@contextmanager
def salience_writer(path: Path | str, size: tuple[int, int]) -> Iterator[SalienceWriter]:
    """Yield a writer of masks of ``size`` (H, W); the file is in place, whole, on a clean exit."""
    import h5py

    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        yield SalienceWriter(file, size)


def read_salience(path: Path | str) -> RunSalience:
    """Return the salience in the file ``path``; SipError where it is no such file."""
    parts = list(salience_parts(path))
    return RunSalience(
        np.concatenate([part.ids for part in parts]),
        tuple(source for part in parts for source in part.sources),
        np.concatenate([part.revisions for part in parts]),
        np.concatenate([part.masks for part in parts]),
    )


def salience_parts(path: Path | str) -> Iterator[RunSalience]:
    """Yield the salience in the file ``path`` a few MB at a time, at least one part."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if int(file.attrs["format"]) > FORMAT:
                raise SipError(f"{path} was written by a newer version of the program: update it.")
            count, height, width = file["masks"].shape
            step = max(CHUNK, PART_BYTES // (height * width))
            for start in range(0, max(count, 1), step):
                part = slice(start, start + step)
                yield RunSalience(
                    file["ids"][part],
                    tuple(file["sources"].asstr()[part]),
                    file["revisions"][part],
                    file["masks"][part],
                )
    except (OSError, KeyError, ValueError) as error:
        raise SipError(f"{path} is not the salience of a run: {error}.") from None
