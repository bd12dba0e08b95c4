"""The picture of batch_size_effect.py: a panel per step rule and precision, success against N."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "2")  # sharp on a screen with small pixels

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QWidget

from sip_explorer.qt.theme import SERIES, theme
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.records.intervals import wilson

if TYPE_CHECKING:
    from batch_size_effect import Setting

PANEL = (310, 150)  # pixels
INKS = {1: SERIES[0], 5: SERIES[3], 50: SERIES[1]}


def draw(settings: Sequence[Setting], path: Path, *, steps: int) -> Path:
    """Draw ``settings`` into a PNG in the program's light colours and return its path."""
    application = QApplication.instance() or QApplication([])
    theme.install(application, "light")
    sheet = QWidget()
    sheet.setProperty("role", "surface")
    sheet.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    grid = QGridLayout(sheet)
    grid.setContentsMargins(16, 12, 16, 12)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    rules = list(dict.fromkeys(setting.rule for setting in settings))
    precisions = list(dict.fromkeys(setting.precision for setting in settings))
    across = 1, len(precisions)  # rows and columns
    title = f"Success of PGD-{steps} against the size N of the mini-batch"
    grid.addWidget(_words(title, "title"), 0, 0, *across)
    for column, precision in enumerate(precisions):
        images = next(setting.images for setting in settings if setting.precision == precision)
        grid.addWidget(_words(f"{precision}, {images} images", "section"), 1, column)
    for number, rule in enumerate(rules):
        epsilon = next(setting.epsilon for setting in settings if setting.rule == rule)
        grid.addWidget(_words(f"{rule}, ε {epsilon:g}", "muted"), 2 + 2 * number, 0, *across)
        for column, precision in enumerate(precisions):
            panel = [s for s in settings if (s.rule, s.precision) == (rule, precision)]
            if panel:
                grid.addWidget(_panel(panel), 3 + 2 * number, column)
    grid.addWidget(_words(_caption(settings), "caption"), 3 + 2 * len(rules), 0, *across)
    sheet.adjustSize()
    sheet.show()
    for _ in range(3):  # the words at the curves find their places once the plots have their sizes
        application.processEvents()
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.grab().save(str(path))
    sheet.close()
    return path


def _panel(settings: Sequence[Setting]) -> CurvePlot:
    plot = CurvePlot(
        "N", "success", percent=True, log_x=True, x_words=lambda size: f"{size:.0f}", headed=True
    )
    plot.setFixedSize(*PANEL)
    plot.hold()
    for setting in settings:
        sizes = list(setting.ce_mean)
        _curve(plot, f"CE mean ×{setting.scale}", setting.ce_mean, setting.images, INKS[setting.scale])
    least = settings[0]
    flat = dict.fromkeys(sizes, least.log_odds_sum)
    _curve(plot, "log-odds sum", flat, least.images, SERIES[2])
    plot.set_curve("clean", sizes, [least.clean_wrong] * len(sizes), colour=SERIES[6], dashed=True)
    plot.release()
    return plot


def _curve(plot: CurvePlot, name: str, success: dict[int, float], images: int, ink: str) -> None:
    ends = [wilson(round(value * images), images) for value in success.values()]
    plot.set_curve(
        name,
        list(success),
        list(success.values()),
        low=[low for low, _ in ends],
        high=[high for _, high in ends],
        colour=ink,
        points=True,
    )


def _caption(settings: Sequence[Setting]) -> str:
    shown: dict[tuple[str, str], list[float]] = {}
    for setting in settings:
        shown.setdefault((setting.rule, setting.precision), []).append(setting.log_odds_sum)
    most = max(max(values) - values[0] for values in shown.values())
    least = max(values[0] - min(values) for values in shown.values())
    furthest = f"{100 * max(most, least):.1f} points"
    return (
        "CE mean: cross-entropy averaged over the mini-batch; ×5 and ×50: all logits multiplied by it. "
        f"Log-odds sum: shown at ×{settings[0].scale}, the others differ by {furthest} at most. "
        "Clean: images that are wrong without an attack. Bands: 95 % intervals."
    )


def _words(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setWordWrap(role == "caption")
    return label
