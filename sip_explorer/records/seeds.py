"""Figures of models that differ in nothing but the seed: mean and standard deviation."""

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from sip_explorer.records.errors import SipError
from sip_explorer.records.sweeps import CellKey, CellResult

Origin = Mapping[str, str]
"""What a checkpoint says of itself."""

_SEED = re.compile(r"[\s,;_·-]*\(?(?<![a-z])seed[\s_=-]*(\d+)\)?", re.IGNORECASE)
_DIFFERING = ("name", "seed", "recipe", "epoch", "program")
_EDGES = " ,;_·-(/"


@dataclass(frozen=True)
class SeedFigure:
    """One attack on the models of several seeds, or on a model that stands alone.

    Attributes
    ----------
    key
        The cells' place, the name that the models share in it.
    models
        Their own names.
    images
        On how many images each was attacked; the same ones.
    clean, clean_std, robust, robust_std
        Mean accuracies in [0, 1] and their standard deviations over the seeds, with n − 1 below; a
        standard deviation of one model is NaN.
    """

    key: CellKey
    models: tuple[str, ...]
    images: int
    clean: float
    clean_std: float
    robust: float
    robust_std: float

    @property
    def count(self) -> int:
        """How many seeds there are."""
        return len(self.models)


def seed_groups(models: Iterable[str], origins: Mapping[str, Origin]) -> dict[str, tuple[str, ...]]:
    """Return what is to be shown as one: the name of each group with its models, in their order.

    Models belong together where their checkpoints say the same ``family`` (the recipe without seed and name)
    and ``data``, else where their names are the same but for ``seed 3`` and their checkpoints agree in all
    that describes the training. Every seed may occur once; where one occurs twice, as of a run that was
    repeated, nothing is put together. A model alone is a group of its own.

    Parameters
    ----------
    models
        Names.
    origins
        By name, where a checkpoint says anything.
    """
    found: dict[object, list[str]] = {}
    for model in models:
        found.setdefault(_kind(model, origins.get(model, {})), []).append(model)
    groups: dict[str, tuple[str, ...]] = {}
    for members in found.values():
        seeds = {_seed(model, origins.get(model, {})) for model in members}
        together = [members] if len(seeds) == len(members) else [[model] for model in members]
        for names in together:
            title = names[0] if len(names) == 1 else _title(names)
            groups[title if title not in groups else ", ".join(names)] = tuple(names)
    return groups


def over_seeds(cells: Sequence[CellResult], origins: Mapping[str, Origin] | None = None) -> list[SeedFigure]:
    """Return the figures of every group of `seed_groups` under every attack, in the order of the cells.

    Parameters
    ----------
    cells
        All of one evaluation or sweep.
    origins
        What the models' checkpoints say of themselves, by name; the manifest's ``origins``.

    Raises
    ------
    SipError
        Models of one group were attacked on different images.
    """
    groups = seed_groups(dict.fromkeys(cell.model for cell in cells), origins or {})
    group_of = {model: title for title, models in groups.items() for model in models}
    found: dict[CellKey, list[CellResult]] = {}
    for cell in cells:
        found.setdefault(replace(cell.key, model=group_of[cell.model]), []).append(cell)
    return [_figure(key, members) for key, members in found.items()]


def _figure(key: CellKey, cells: Sequence[CellResult]) -> SeedFigure:
    first = np.sort(cells[0].indices)
    for cell in cells[1:]:
        if not np.array_equal(np.sort(cell.indices), first):
            raise SipError(
                f"{cells[0].model} and {cell.model} were attacked on different images: attack all seeds "
                "on the same ones."
            )
    clean = [1 - cell.clean_wrong for cell in cells]
    robust = [cell.robust_accuracy for cell in cells]
    return SeedFigure(
        key,
        tuple(cell.model for cell in cells),
        cells[0].images,
        statistics.fmean(clean),
        _deviation(clean),
        statistics.fmean(robust),
        _deviation(robust),
    )


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else math.nan


def _kind(model: str, origin: Origin) -> object:
    if origin.get("family"):
        return origin["family"], origin.get("data", "")
    if not _SEED.search(model):
        return model
    said = [
        (name, value)
        for name, value in sorted(origin.items())
        if name not in _DIFFERING and not name.startswith("validation")
    ]
    return _SEED.sub("", model), tuple(said)


def _seed(model: str, origin: Origin) -> str:
    in_name = _SEED.search(model)
    return origin.get("seed") or (in_name[1] if in_name else "")


def _title(models: Sequence[str]) -> str:
    plain = [_SEED.sub("", model) for model in models]
    if len(set(plain)) == 1 and plain[0]:
        return plain[0]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*plain, strict=False))
    return "".join(letters[0] for letters in alike).rstrip(_EDGES) or ", ".join(models)
