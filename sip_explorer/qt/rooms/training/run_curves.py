"""The curves of the run on show, loss above accuracy; of several runs side by side, one colour each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QSpinBox, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.training.run_metrics import (
    ACCURACY,
    BITS,
    FLOW_ACCURACY,
    LOSS,
    OPTIONAL,
    Shown,
    lower,
    upper,
)
from sip_explorer.qt.rooms.training.run_plot import RunPlot
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.elided_label import ElidedLabel

BEST = "best"
FEW = 40  # validations that are drawn as points too


class RunCurves(QWidget):
    """Two plots over one epoch axis, made once and fed again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = RunPlot("", "loss")
        self.accuracy = RunPlot("epoch", "accuracy, %", percent=True)
        self.accuracy.plot.setXLink(self.loss.plot)
        self.log = QCheckBox("Log scale")
        self.log.setToolTip("Draw the loss on a logarithmic scale")
        self.robust = QCheckBox("Ignore outliers")
        self.robust.setToolTip("Fit the loss axis to the bulk of the values; what is far off is out of sight")
        self.last = QSpinBox()
        self.last.setAccessibleName("Epochs on show")
        self.last.setRange(0, 100_000)
        self.last.setSpecialValueText("All epochs")
        self.last.setPrefix("Last ")
        self.last.setSuffix(" epochs")
        self.last.setKeyboardTracking(False)
        self.last.setFixedWidth(self.fontMetrics().averageCharWidth() * 22)
        self.choices: dict[str, QAction] = {}
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "caption")
        options = QHBoxLayout()
        options.setSpacing(12)
        options.addWidget(self.caption, 1)
        for widget in (self._make_menu(), self.log, self.robust, self.last):
            options.addWidget(widget)
        for toggle in (self.log, self.robust):
            toggle.toggled.connect(self._redraw)
        self.last.valueChanged.connect(self._redraw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(options)
        layout.addWidget(self.loss, 4)
        layout.addWidget(self.accuracy, 5)
        # The axis is shared: its words stand once, under the lower plot.
        self.loss.plot.getPlotItem().getAxis("bottom").setStyle(showValues=False)
        theme.changed.connect(self._redraw)
        self._runs: tuple[RunTail, ...] = ()
        self._colours: Mapping[Path, str] = {}

    def _make_menu(self) -> QToolButton:
        button = QToolButton()
        button.setText("Curves")
        button.setToolTip("Which curves are drawn")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        button.setMenu(menu)
        known = {shown.key: shown for shown in (*LOSS, *BITS, *ACCURACY, *FLOW_ACCURACY)}
        entries = [(key, shown.menu, shown.on) for key, shown in known.items()]
        several = [(key, words, False) for key, words in OPTIONAL]
        for key, words, on in (*entries, *several, (BEST, "Best so far, marked", True)):
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(on)
            action.toggled.connect(self._redraw)
            self.choices[key] = action
        return button

    def show_runs(self, runs: list[RunTail], colours: Mapping[Path, str]) -> None:
        """Show one run in the colours of its curves, or several, each in its own of ``colours``."""
        self._runs, self._colours = tuple(runs), colours
        self._redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_range()

    @property
    def _compared(self) -> bool:
        return len(self._runs) > 1

    def _redraw(self) -> None:
        self.loss.set_log(self.log.isChecked())
        self.loss.set_robust(self.robust.isChecked())
        flows = {run.is_flow for run in self._runs}
        self.loss.set_title(
            "bits/dim" if flows == {True} else "loss" if flows <= {False} else "loss, bits/dim"
        )
        for plot, of in ((self.loss, upper), (self.accuracy, lower)):
            kept = set()
            for run in self._runs:
                chosen = [one for one in of(run) if self.choices[one.entry].isChecked()]
                if self._compared:  # of training, the loss is enough; of a flow, what was held out
                    chosen = [one for one in chosen if one.key not in ("accuracy", "batch bits")]
                for one in chosen:
                    kept |= self._draw(plot, run, one, alone=len(chosen) == 1)
            plot.keep(kept)
        self._show_range()
        self._show_best()
        self._show_caption()

    def _draw(self, plot: RunPlot, run: RunTail, shown: Shown, *, alone: bool) -> set[str]:
        x, y = shown.line(run)
        if not len(x):
            return set()
        key = f"{run.path} {shown.key}"
        points = not shown.metric.startswith("train") and len(x) <= FEW
        if self._compared:
            name = _short(run.name)
            plot.draw(
                key, name if alone else f"{name}, {shown.words}", x, y, self._colours[run.path],
                dashed=shown.key in ("robust", "bare", "bare bits"),
                pale=shown.key == "epoch loss" and not alone,
                points=points,
            )  # fmt: skip
        else:
            plot.draw(key, shown.words, x, y, shown.colour, points=points)
        return {key}

    def _show_range(self) -> None:
        if not self._runs:
            return
        done = max(run.epochs_done for run in self._runs)
        planned = max(run.epochs if run.working else run.epochs_done for run in self._runs)
        number = self.last.value()
        first, last = (max(0.0, done - number), done) if number else (0.0, planned)
        words = max(self.loss.words_share(), self.accuracy.words_share())
        for plot in (self.loss, self.accuracy):
            plot.set_epochs(first, last, words)

    def _show_best(self) -> None:
        wanted = self.choices[BEST].isChecked()
        alone = self._runs[0] if len(self._runs) == 1 else None
        for plot in (self.loss, self.accuracy):
            plot.mark_best(alone.best_epoch if wanted and alone is not None else None)
        rings = []
        for run in self._runs if wanted else ():
            key = "robust" if run.recipe.get("best") == "robust" else "clean"
            rule = next(shown for shown in lower(run) if shown.key == key)
            best, value = run.best_epoch, run.at_best(rule.metric)
            if best is not None and value is not None and self.choices[key].isChecked():
                colour = self._colours[run.path] if self._compared else rule.colour
                rings.append((best, value, colour))
        self.accuracy.set_rings(rings)

    def _show_caption(self) -> None:
        if not self._runs:
            self.caption.setText("")
            return
        run = self._runs[0]
        words = "Loss: cross-entropy of the training batches as trained on"
        if self._compared:
            words = "One colour a run: clean solid, PGD dashed, the best so far ringed"
            if any(one.is_flow for one in self._runs):
                words = "One colour a run: averaged weights solid, bare weights and PGD dashed"
        elif run.is_flow and run.held_out:
            words = f"Validation on {run.held_out:,} held-out images, averaged weights, one draw of the noise"
        elif run.held_out:
            words = f"Validation on {run.held_out:,} held-out images"
            count = min(int(run.recipe.get("validation_images", 0)), run.held_out)
            if "validation/pgd" in run.lines and count:
                epsilon = float(run.recipe.get("epsilon", 0.0))
                words += (
                    f"; PGD on {count:,} of them: every pixel, L∞ {epsilon:.4g}, "
                    f"{run.recipe.get('validation_steps')} steps, log-odds"
                )
        self.caption.setText(words)


def _short(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"
