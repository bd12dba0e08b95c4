"""The curves of the run on show, loss above accuracy, with other runs dashed behind them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.training.run_plot import RunPlot
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.theme import SERIES, theme
from sip_explorer.qt.widgets.elided_label import ElidedLabel

LOSS = {"train/loss": ("training", SERIES[2])}
ACCURACY = {
    "train/accuracy": ("training", SERIES[6]),
    "validation/clean": ("clean", SERIES[0]),
    "validation/pgd": ("PGD", SERIES[1]),
}
LAST = (0, 5, 10, 20, 50)


class RunCurves(QWidget):
    """Two plots over one epoch axis, made once and fed again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = RunPlot("", "loss")
        self.accuracy = RunPlot("epoch", "accuracy, %", percent=True)
        self.accuracy.plot.setXLink(self.loss.plot)
        self.log = QCheckBox("Log scale of loss")
        self.log.toggled.connect(self._redraw)
        self.last = QComboBox()
        self.last.setAccessibleName("Epochs on show")
        for number in LAST:
            self.last.addItem(f"Last {number} epochs" if number else "All epochs", number)
        self.last.currentIndexChanged.connect(self._redraw)
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "caption")
        options = QHBoxLayout()
        options.setSpacing(12)
        options.addWidget(self.caption, 1)
        options.addWidget(self.log)
        options.addWidget(self.last)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(options)
        layout.addWidget(self.loss, 4)
        layout.addWidget(self.accuracy, 5)
        # The axis is shared: its words stand once, under the lower plot.
        self.loss.plot.getPlotItem().getAxis("bottom").setStyle(showValues=False)
        theme.changed.connect(self._redraw)
        self._run: RunTail | None = None
        self._others: Sequence[RunTail] = ()

    def show_runs(self, run: RunTail | None, others: Sequence[RunTail] = ()) -> None:
        """Show a run, and others dashed behind it."""
        self._run, self._others = run, tuple(others)
        self._redraw()

    def _redraw(self) -> None:
        self.loss.set_log(self.log.isChecked())
        for plot, metrics in ((self.loss, LOSS), (self.accuracy, ACCURACY)):
            kept = set()
            for run in self._others:
                for metric, (words, colour) in metrics.items():
                    if metric != "train/accuracy":
                        label = _short(run.name) if metric == "train/loss" else f"{_short(run.name)} {words}"
                        kept |= self._draw(plot, run, metric, label, colour, muted=True)
            if self._run is not None:
                for metric, (words, colour) in metrics.items():
                    kept |= self._draw(plot, self._run, metric, words, colour)
            plot.keep(kept)
        self._show_range()
        self._show_caption()

    @staticmethod
    def _draw(
        plot: RunPlot, run: RunTail, metric: str, words: str, colour: str, *, muted: bool = False
    ) -> set[str]:
        x, y = run.line(metric)
        if not len(x):
            return set()
        key = f"{run.path} {metric} {muted}"
        points = metric.startswith("validation") and len(x) <= 40
        plot.draw(key, words, x, y, colour, muted=muted, points=points)
        return {key}

    def _show_range(self) -> None:
        run = self._run
        if run is None:
            return
        ended = run.state != "running"
        last = max([run.epochs_done if ended else run.epochs, *(other.epochs_done for other in self._others)])
        first = 0.0
        number = self.last.currentData()
        if number:
            last = max([run.epochs_done, *(other.epochs_done for other in self._others)])
            first = max(0.0, last - number)
        for plot in (self.loss, self.accuracy):
            plot.set_epochs(first, last)
            plot.mark_best(run.best_epoch)

    def _show_caption(self) -> None:
        run = self._run
        if run is None:
            return
        recipe = run.recipe
        words = "Loss: cross-entropy of the training batches as trained on"
        if run.held_out:
            words = f"Validation on {run.held_out:,} held-out images"
            count = min(int(recipe.get("validation_images", 0)), run.held_out)
            if "validation/pgd" in run.lines and count:
                epsilon = float(recipe.get("epsilon", 0.0))
                words += (
                    f"; PGD on {count:,} of them: every pixel, L∞ {epsilon:.4g}, "
                    f"{recipe.get('validation_steps')} steps, log-odds"
                )
        self.caption.setText(words)


def _short(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"
