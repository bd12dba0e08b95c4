"""The files of a sweep: ``manifest.json`` and one ``cells/<cell>.h5`` per finished cell."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sip_explorer.records.atomic import atomic_path, write_text
from sip_explorer.records.errors import SipError
from sip_explorer.records.step_rules import step_text

FORMAT = 2
"""2: the attack, its step rule and restarts are part of a cell's place; 1 had them in the manifest."""
FORMAT_WITH_REGION = 3
"""Of a cell whose attack was kept to a region, so that what knows no regions refuses it; others stay 2."""

REGIONS = ("everywhere", "salient", "background")
"""Where an attack may move pixels: all of them, those of the salience, or the others."""


@dataclass(frozen=True)
class CellKey:
    """One place of a sweep: a model under one attack.

    ``step`` is the text of `step_text`, or ``adaptive`` where the attack chooses its own lengths;
    ``batch_size`` is the logical mini-batch; ``region`` one of `REGIONS`.
    """

    model: str
    loss: str
    reduction: str
    precision: str
    epsilon: float
    batch_size: int
    attack: str = "pgd"
    step: str = "sign"
    restarts: int = 1
    region: str = REGIONS[0]

    @property
    def restricted(self) -> bool:
        """Whether the attack was kept to a region."""
        return self.region != REGIONS[0]

    @property
    def name(self) -> str:
        """Return the file name without ending: readable, and unique through a hash of all values."""
        values = asdict(self)
        if not self.restricted:  # the name from before there were regions
            del values["region"]
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:10]
        attack = f"{self.attack}-{self.step}-r{self.restarts}"
        region = f"-{self.region}" if self.restricted else ""
        condition = f"{self.loss}-{self.reduction}-{self.precision}-{attack}"
        readable = f"{self.model}-e{self.epsilon:.4f}{region}-n{self.batch_size}-{condition}"
        return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', readable)[:100]}-{digest}"


@dataclass(frozen=True)
class CellResult:
    """What one attack of a sweep did to the selected images.

    Attributes
    ----------
    model, loss, reduction, precision, epsilon, batch_size, attack, step, restarts, region
        The cell's place in the sweep, see `CellKey`.
    images
        How many images were attacked.
    success
        Share of all images that end misclassified, those included that were wrong from the start.
    clean_wrong
        Share of images that were wrong from the start.
    zero_gradient_fraction
        Share of all steps of all images at which the gradient was identically zero.
    success_per_image, clean_correct, loss_per_image, zero_gradient_per_image
        (images,) bool, bool, float32 and float32, in the order of ``indices``.
    indices
        (images,) int64, the image ids.
    shared
        True where the cell's numbers were computed for another mini-batch size, because a sum does
        not depend on it.
    preview_indices, preview_images, preview_logits
        (p,) int64, (p, C, H, W) float32 in [0, 1] and (p, K) float32: the adversarial images that
        were asked to be kept, and the model's outputs at them.
    micro_batch
        The batch shape that the model saw while this cell was computed; 0 where it is not recorded.
    breakers, broken_by_per_image
        The runs of an attack that is a sequence of runs, and (images,) int64, the place in it of the run
        that broke the image, −1 for none. Empty for an attack that is a single run.
    notices
        What the attack warned of, a sentence each.
    """

    model: str
    loss: str
    reduction: str
    precision: str
    epsilon: float
    batch_size: int
    images: int
    success: float
    clean_wrong: float
    zero_gradient_fraction: float
    success_per_image: NDArray[np.bool_]
    clean_correct: NDArray[np.bool_]
    loss_per_image: NDArray[np.float32]
    zero_gradient_per_image: NDArray[np.float32]
    indices: NDArray[np.int64]
    shared: bool = False
    preview_indices: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    preview_images: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0, 0, 0), np.float32))
    preview_logits: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    attack: str = "pgd"
    step: str = "sign"
    restarts: int = 1
    micro_batch: int = 0
    breakers: tuple[str, ...] = ()
    broken_by_per_image: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    notices: tuple[str, ...] = ()
    region: str = REGIONS[0]

    @property
    def key(self) -> CellKey:
        """Return the cell's place in the sweep."""
        return CellKey(**{place.name: getattr(self, place.name) for place in fields(CellKey)})

    @property
    def robust_accuracy(self) -> float:
        """Return the share of images that the model still gets right."""
        return 1 - self.success


_ATTRIBUTES = (
    "model",
    "loss",
    "reduction",
    "precision",
    "epsilon",
    "batch_size",
    "images",
    "success",
    "clean_wrong",
    "zero_gradient_fraction",
    "shared",
)
_ATTRIBUTES_SINCE_2 = ("attack", "step", "restarts", "micro_batch")
_ARRAYS = (
    "success_per_image",
    "clean_correct",
    "loss_per_image",
    "zero_gradient_per_image",
    "indices",
    "preview_indices",
    "preview_images",
    "preview_logits",
)
_TEXTS = ("breakers", "notices")
_ARRAYS_SINCE_2 = ("broken_by_per_image",)


def cell_path(folder: Path | str, key: CellKey) -> Path:
    """Return where the cell of ``key`` lies in the sweep folder, written or not."""
    return Path(folder) / "cells" / f"{key.name}.h5"


def write_cell(folder: Path | str, cell: CellResult) -> Path:
    """Write a finished cell, whole or not at all, and return its path."""
    path = cell_path(folder, cell.key)
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = FORMAT_WITH_REGION if cell.key.restricted else FORMAT
        file.attrs["kind"] = "sweep-cell"
        if cell.key.restricted:
            file.attrs["region"] = cell.region
        for name in _ATTRIBUTES + _ATTRIBUTES_SINCE_2:
            file.attrs[name] = getattr(cell, name)
        for name in _TEXTS:
            file.attrs[name] = json.dumps(getattr(cell, name), ensure_ascii=False)
        for name in _ARRAYS + _ARRAYS_SINCE_2:
            values = getattr(cell, name)
            file.create_dataset(name, data=values, compression="gzip" if values.size else None)
    return path


def read_cell(path: Path | str) -> CellResult:
    """Return a finished cell; one of format 1 with the step rule and restarts of its folder's manifest.

    Raises
    ------
    SipError
        The file is not a cell, or one of a newer version.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("kind") != "sweep-cell":
                raise SipError(f"{path} is not a cell of a sweep: take it out of the sweep's folder.")
            version = _checked_format(int(file.attrs["format"]), path)
            new = version >= 2
            names = _ATTRIBUTES + (_ATTRIBUTES_SINCE_2 if new else ())
            values = {name: _plain(file.attrs[name]) for name in names}
            values |= {name: file[name][()] for name in _ARRAYS + (_ARRAYS_SINCE_2 if new else ())}
            if new:
                # A cell written before there were notices has none.
                values |= {name: tuple(json.loads(file.attrs.get(name, "[]"))) for name in _TEXTS}
            if version >= FORMAT_WITH_REGION:
                values["region"] = REGIONS[REGIONS.index(file.attrs["region"])]
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:  # damaged bytes raise any
        raise SipError(
            f"The sweep's cell {path} cannot be read ({error}): delete it and run the sweep again; "
            "only this cell is computed anew."
        ) from error
    cell = CellResult(**values)
    return cell if new else replace(cell, **_of_format_1(Path(path).parent.parent, cell))


def read_sweep(folder: Path | str) -> list[CellResult]:
    """Return the finished cells of a sweep, sorted by their place in it."""
    cells = [read_cell(path) for path in sorted((Path(folder) / "cells").glob("*.h5"))]
    return sorted(
        cells,
        key=lambda cell: (
            cell.model, cell.attack, cell.loss, cell.reduction, cell.precision, cell.step, cell.restarts,
            cell.epsilon, cell.batch_size, REGIONS.index(cell.region),
        ),
    )  # fmt: skip


def write_manifest(folder: Path | str, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json``: what is swept, over which models and images, with which software."""
    record = {"format": FORMAT, "kind": "sweep", **manifest}
    write_text(Path(folder) / "manifest.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def read_manifest(folder: Path | str) -> dict[str, Any] | None:
    """Return the manifest of a sweep folder, None where there is none yet."""
    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["kind"] != "sweep":
            raise KeyError("kind")
        _checked_format(int(manifest["format"]), path)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SipError(f"{path} is not the manifest of a sweep: choose another folder.") from error
    return dict(manifest)


def _of_format_1(folder: Path, cell: CellResult) -> dict[str, Any]:
    settings = (read_manifest(folder) or {}).get("settings")
    if not settings:
        return {}
    # Where mini-batches were really formed, they were what the model saw.
    literal = settings["execution"] == "literal"
    return {
        "step": step_text(settings["step_rule"], settings["guard"]),
        "restarts": settings["restarts"],
        "micro_batch": min(cell.batch_size, cell.images) if literal else settings["micro_batch"],
    }


def _checked_format(version: int, path: Path | str) -> int:
    if version > FORMAT_WITH_REGION:
        raise SipError(
            f"{path} was written by a newer version of SIP Explorer: update the program to read it."
        )
    return version


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
