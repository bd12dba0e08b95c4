"""``prototypes/<id>.h5``: decoded and sampled prototypes of one checkpoint, written once."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.records.atomic import atomic_path
from sip_explorer.records.errors import SipError

FORMAT = "sip-explorer prototypes 2"
_OLDER = "sip-explorer prototypes 1"


@dataclass(frozen=True)
class PrototypeRecord:
    """What a checkpoint's prototypes look like.

    Parameters
    ----------
    checkpoint_hash
        SHA-256 of the checkpoint file, hexadecimal (`file_hash`).
    classes
        Names of the C classes.
    weights
        float, (C, K): each prototype's share of its class; a row sums to 1.
    means
        uint8, (C, K, H, W, channels): the decoded means, halves at temperature 0.
    samples
        uint8, (C, K, n, H, W, channels); n may be 0.
    temperature, halves_temperature, seed
        How the samples were drawn.
    truncated
        The bound on every number drawn; None: no bound.
    active
        bool, (C, K): False where a prototype is switched off or pruned; None, as in files of format 1,
        where it is not known of any.
    usage
        int64, (C, K): for how many images each prototype answered; None where nobody counted.

    Raises
    ------
    SipError
        Where the shapes do not fit each other.
    """

    checkpoint_hash: str
    classes: tuple[str, ...]
    weights: NDArray[np.floating]
    means: NDArray[np.uint8]
    samples: NDArray[np.uint8]
    temperature: float
    halves_temperature: float
    seed: int
    truncated: float | None = None
    active: NDArray[np.bool_] | None = None
    usage: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        grid = (len(self.classes), self.weights.shape[-1])
        fits = (
            self.weights.shape == grid
            and self.means.ndim == 5
            and self.means.shape[:2] == grid
            and self.samples.ndim == 6
            and self.samples.shape[:2] == grid
            and self.samples.shape[3:] == self.means.shape[2:]
            and self.means.dtype == self.samples.dtype == np.uint8
            and all(extra is None or extra.shape == grid for extra in (self.active, self.usage))
        )
        if not fits:
            raise SipError(
                f"Prototypes of {len(self.classes)} classes do not fit weights {self.weights.shape}, "
                f"means {self.means.shape} and samples {self.samples.shape}; decode them again."
            )


def file_hash(path: Path | str) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_prototypes(path: Path | str, record: PrototypeRecord) -> None:
    """Write ``record`` to ``path`` atomically."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["checkpoint_hash"] = record.checkpoint_hash
        file.attrs["classes"] = json.dumps(record.classes, ensure_ascii=False)
        file.attrs["temperature"] = record.temperature
        file.attrs["halves_temperature"] = record.halves_temperature
        file.attrs["seed"] = record.seed
        if record.truncated is not None:
            file.attrs["truncated"] = record.truncated
        file["weights"] = record.weights
        for name, extra in (("active", record.active), ("usage", record.usage)):
            if extra is not None:
                file[name] = extra
        file.create_dataset("means", data=record.means, compression="gzip", shuffle=True)
        chunks = None if record.samples.size == 0 else (1, 1, *record.samples.shape[2:])
        compression = None if chunks is None else "gzip"
        file.create_dataset("samples", data=record.samples, chunks=chunks, compression=compression)


def read_prototypes(path: Path | str) -> PrototypeRecord:
    """Read what `write_prototypes` wrote; SipError where the file is not there, damaged or foreign."""
    path = Path(path)
    if not path.is_file():
        raise SipError(f"{path} is not there; choose a prototype file.")
    try:
        with h5py.File(path, "r") as file:
            found = str(file.attrs.get("format"))
            if found not in (FORMAT, _OLDER):
                raise SipError(_refusal(path, found))
            return PrototypeRecord(
                str(file.attrs["checkpoint_hash"]),
                tuple(json.loads(file.attrs["classes"])),
                file["weights"][:],
                file["means"][:],
                file["samples"][:],
                float(file.attrs["temperature"]),
                float(file.attrs["halves_temperature"]),
                int(file.attrs["seed"]),
                float(file.attrs["truncated"]) if "truncated" in file.attrs else None,
                file["active"][:].astype(bool) if "active" in file else None,
                file["usage"][:].astype(np.int64) if "usage" in file else None,
            )
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise SipError(f"{path} cannot be read as prototypes ({error}); decode them again.") from error


def _refusal(path: Path, found: str) -> str:
    if found.startswith("sip-explorer prototypes "):
        return f"{path} was written by a newer SIP Explorer ({found}); update the program to open it."
    return f"{path} holds no prototypes of SIP Explorer; choose another file."
