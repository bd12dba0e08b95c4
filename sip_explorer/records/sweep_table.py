"""A sweep as comma-separated tables for other programs: its cells, and the paired tests of its models."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sip_explorer.records.atomic import write_text
from sip_explorer.records.comparison import between_models
from sip_explorer.records.intervals import wilson
from sip_explorer.records.seeds import SeedFigure
from sip_explorer.records.sweeps import CellKey, CellResult

CELL_COLUMNS = (
    "model", "attack", "region", "norm", "epsilon", "epsilon_255ths", "steps", "step_rule", "step_size",
    "restarts", "loss", "reduction", "precision", "batch_size", "execution", "micro_batch", "zero_gradient",
    "seed", "images", "clean_accuracy", "robust_images", "robust_accuracy", "robust_low_95",
    "robust_high_95", "zero_gradient_share", "broken_by",
)  # fmt: skip
PAIRED_COLUMNS = (
    "first_model", "second_model", "attack", "region", "epsilon", "epsilon_255ths", "step_rule", "restarts",
    "loss", "reduction", "precision", "batch_size", "images", "only_first_wrong", "only_second_wrong",
    "robust_accuracy_difference", "difference_low_95", "difference_high_95", "p_mcnemar", "p_holm",
)  # fmt: skip

SEED_COLUMNS = (
    "model", "seeds", "models", "attack", "region", "epsilon", "epsilon_255ths", "step_rule", "restarts",
    "loss", "reduction", "precision", "batch_size", "images", "clean_mean", "clean_std", "robust_mean",
    "robust_std",
)  # fmt: skip


def write_table(path: Path | str, cells: Sequence[CellResult], settings: Mapping[str, Any]) -> None:
    """Write one row per cell; accuracies are shares, intervals are Wilson's of 95 %.

    Parameters
    ----------
    path
        A ``.csv`` file; replaced where it is there.
    cells
        In the order of the rows.
    settings
        What all cells share: the ``settings`` of the sweep's manifest. What it does not say stays empty.

    Raises
    ------
    OSError
        ``path`` cannot be written.
    """
    _write(path, CELL_COLUMNS, [_cell_row(cell, settings) for cell in cells])


def write_paired_table(path: Path | str, cells: Sequence[CellResult]) -> None:
    """Write `paired_rows`, one test of two models per row; OSError where ``path`` cannot be written."""
    _write(path, PAIRED_COLUMNS, paired_rows(cells))


def write_seeds_table(path: Path | str, figures: Sequence[SeedFigure]) -> None:
    """Write one row per figure of `over_seeds`; accuracies are shares, a single model has no deviation.

    Raises
    ------
    OSError
        ``path`` cannot be written.
    """
    rows = [
        {
            "model": figure.key.model,
            "seeds": figure.count,
            "models": "; ".join(figure.models),
            **_place(figure.key),
            "images": figure.images,
            "clean_mean": _share(figure.clean),
            "clean_std": _share(figure.clean_std),
            "robust_mean": _share(figure.robust),
            "robust_std": _share(figure.robust_std),
        }
        for figure in figures
    ]
    _write(path, SEED_COLUMNS, rows)


def paired_rows(cells: Sequence[CellResult]) -> list[dict[str, Any]]:
    """Return the tests of `between_models` as rows of `PAIRED_COLUMNS`, all of them one Holm family."""
    return [
        {
            "first_model": test.first.model,
            "second_model": test.second.model,
            **_place(test.first),
            "images": test.images,
            "only_first_wrong": test.only_first_wrong,
            "only_second_wrong": test.only_second_wrong,
            "robust_accuracy_difference": _share(test.difference),
            "difference_low_95": _share(test.low),
            "difference_high_95": _share(test.high),
            "p_mcnemar": f"{test.p_value:.4g}",
            "p_holm": f"{adjusted:.4g}",
        }
        for test, adjusted in between_models(cells)
    ]


def _cell_row(cell: CellResult, settings: Mapping[str, Any]) -> dict[str, Any]:
    robust = int((~cell.success_per_image).sum())
    low, high = wilson(robust, cell.images)
    broken = ((name, int(np.sum(cell.broken_by_per_image == run))) for run, name in enumerate(cell.breakers))
    return {
        "model": cell.model,
        **_place(cell.key),
        **{name: settings.get(name, "") for name in ("norm", "steps", "execution", "zero_gradient", "seed")},
        "step_size": _step_size(cell, settings),
        "micro_batch": cell.micro_batch or "",
        "images": cell.images,
        "clean_accuracy": _share(1 - cell.clean_wrong),
        "robust_images": robust,
        "robust_accuracy": _share(cell.robust_accuracy),
        "robust_low_95": _share(low),
        "robust_high_95": _share(high),
        "zero_gradient_share": _share(cell.zero_gradient_fraction),
        "broken_by": "; ".join(f"{name} {count}" for name, count in broken),
    }


def _place(key: CellKey) -> dict[str, Any]:
    return {
        "attack": key.attack,
        "region": key.region,
        "epsilon": f"{key.epsilon:.6g}",
        "epsilon_255ths": f"{key.epsilon * 255:.4g}",
        "step_rule": key.step,
        "restarts": key.restarts,
        "loss": key.loss,
        "reduction": key.reduction,
        "precision": key.precision,
        "batch_size": key.batch_size,
    }


def _step_size(cell: CellResult, settings: Mapping[str, Any]) -> str:
    if cell.step == "adaptive" or "step_size" not in settings:
        return ""
    size = settings["step_size"]
    if cell.step == "raw":  # in the first format raw steps shared the one step size
        size = settings.get("raw_step_size", size)
    return f"{2.5 * cell.epsilon / settings['steps'] if size is None else size:.6g}"


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"  # an attack of others may not say


def _write(path: Path | str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
