"""Salience maps that were computed once, kept on disk for the next run.

One folder holds the maps of one model by one method; each of its files was written once, under the
hash of the images it speaks of, and is whole or absent. What a map belongs to is a key of 16 bytes
that follows from the image and what was asked of it, so any run finds what any other has computed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sip_explorer.records.atomic import atomic_path

KEY_BYTES = 16
_CHUNK_BYTES = 1 << 16
Maps = npt.NDArray[np.uint8]


def write_maps(folder: Path, keys: list[bytes], maps: Maps) -> Path:
    """Write ``maps`` uint8 (N, H, W) under their ``keys`` as one more file of ``folder``; return it."""
    import h5py

    path = folder / f"{hashlib.sha256(b''.join(sorted(keys))).hexdigest()[:16]}.h5"
    height, width = maps.shape[1:]
    chunk = min(len(maps), max(1, _CHUNK_BYTES // (height * width)))
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file["keys"] = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), KEY_BYTES)
        file.create_dataset(
            "maps", data=maps, chunks=(chunk, height, width), compression="gzip", compression_opts=1
        )
    return path


def read_maps(folder: Path, wanted: Mapping[bytes, int], into: Maps) -> Iterator[list[int]]:
    """Copy the maps that ``folder`` holds to their rows.

    A damaged file, or one of maps of another size, is passed over: its maps are computed again.

    Parameters
    ----------
    folder
        Where `write_maps` wrote; need not be there.
    wanted
        Key -> row of ``into``.
    into
        uint8 (N, H, W).

    Yields
    ------
    The rows that a file filled, one list a file.
    """
    import h5py

    for path in sorted(folder.glob("*.h5")):
        try:
            with h5py.File(path, "r") as file:
                packed = file["keys"][:].tobytes()
                keys = [packed[start : start + KEY_BYTES] for start in range(0, len(packed), KEY_BYTES)]
                places = [place for place, key in enumerate(keys) if key in wanted]
                rows = [wanted[keys[place]] for place in places]
                if rows and file["maps"].shape[1:] == into.shape[1:]:
                    into[rows] = file["maps"][:][places]  # whole: picking is slower than reading
                    yield rows
        except (OSError, KeyError, RuntimeError, ValueError):
            continue
