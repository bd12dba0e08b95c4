"""A sweep as a table for other programs: one row per cell, comma-separated."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sip_explorer.qt.rooms.attacks.sweep_results import SweepResults
from sip_explorer.records import write_text
from sip_explorer.records.intervals import wilson

COLUMNS = (
    "model", "norm", "steps", "step_rule", "loss", "reduction", "precision", "epsilon", "epsilon_255ths",
    "batch_size", "images", "misclassified", "misclassified_share", "low_95", "high_95", "clean_error",
    "zero_gradient_share",
)  # fmt: skip


def write_table(path: Path, results: SweepResults, norm: str, steps: int, step_rule: str) -> None:
    """Write the cells so far; OSError where ``path`` cannot be written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for place, cell in results.cells.items():
        wrong = round(cell.success * cell.images)
        low, high = wilson(wrong, cell.images)
        shares = (cell.success, low, high, cell.clean_wrong, cell.zero_gradient_fraction)
        variant = place.variant
        writer.writerow(
            [place.model, norm, steps, step_rule, variant.loss, variant.reduction, variant.precision]
            + [f"{place.epsilon:.6g}", f"{place.epsilon * 255:.4g}", place.batch_size, cell.images, wrong]
            + [f"{share:.6g}" for share in shares]
        )
    write_text(path, text.getvalue())
