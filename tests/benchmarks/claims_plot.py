"""The picture of claims_report.py: clean against robust accuracy, a panel per epsilon, a dot per setting."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "2")  # sharp on a screen with small pixels

from claims_report import Figure, attacks_of, cells_of, figure, judged, scales, words_of
from claims_settings import CLAIMS
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QWidget

from sip_explorer.qt.rooms.attacks.evaluate.scatter import Dot, ScatterPlot
from sip_explorer.qt.theme import theme
from sip_explorer.records.robust_table import Entry

PANEL = (480, 300)  # pixels


def draw(results: Path, path: Path) -> None:
    """Draw all settings of SIP-AT and of what may be better, of the first scale, into a PNG."""
    claim = CLAIMS["sip-at"]
    scale = scales(results, claim)[0]
    settings = [(each, setting) for each in (claim, CLAIMS["better"]) for setting in each.settings]
    cells = {
        setting.name: list(cells_of(results, each, scale, setting.name).values())
        for each, setting in settings
    }
    application = QApplication.instance() or QApplication([])
    theme.install(application, "light")
    sheet = QWidget()
    sheet.setProperty("role", "surface")
    sheet.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    grid = QGridLayout(sheet)
    grid.setContentsMargins(16, 12, 16, 12)
    grid.addWidget(
        _label("Garments on photos, 32 px, exact masks: clean against robust accuracy", "title"), 0, 0, 1, 2
    )
    for number, attack in enumerate(attacks_of(claim)[1:]):
        found = [each for members in cells.values() for each in members]
        images = min(judged(cell, attack) for cell in found)
        plot = ScatterPlot()
        plot.setFixedSize(*PANEL)
        row, column = 1 + 2 * (number // 2), number % 2
        grid.addWidget(_label(f"{words_of(attack)}, {images} images", "section"), row, column)
        grid.addWidget(plot, row + 1, column)
        plot.show_dots(
            [
                Dot(name, _entry(figure(members, "clean", 0)), _entry(figure(members, attack, images)))
                for name, members in cells.items()
                if members
            ]
        )
    counts = sorted({len(members) for members in cells.values() if members})
    grid.addWidget(
        _label(f"Bars: standard deviation over seeds ({', '.join(map(str, counts))} of them).", "caption"),
        5,
        0,
        1,
        2,
    )
    sheet.adjustSize()
    sheet.show()
    for _ in range(3):  # names find their places once the plots have their sizes
        application.processEvents()
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.grab().save(str(path))
    sheet.close()


def _entry(measured: Figure) -> Entry:
    values = measured.values
    deviation = statistics.stdev(values) if len(values) > 1 else float("nan")
    return Entry(statistics.fmean(values), deviation, len(values), measured.images)


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    return label
