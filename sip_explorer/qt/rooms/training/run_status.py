"""How far the run on show is, how long it took and will take, and what it has to say."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.words import STATES, percent
from sip_explorer.qt.widgets.job_bar import duration


class RunStatus(QWidget):
    """One line of figures and one of the run's own words."""

    def __init__(self) -> None:
        super().__init__()
        self.figures = QLabel()
        self.figures.setWordWrap(True)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.figures)
        layout.addWidget(self.words)

    def show_run(self, run: RunTail | None, doing: str = "") -> None:
        """Show a run's figures; ``doing`` (waiting, stopping) goes before them."""
        if run is None:
            self.figures.clear()
            self.words.clear()
            return
        parts = progress_parts(run) if run.state == "running" else result_parts(run)
        _set_text(self.figures, " · ".join(part for part in (doing, *parts) if part))
        summary = run.summary
        words = " ".join((summary.message, *summary.notices)).strip()
        role = "bad" if summary.outcome == "failed" else "muted"
        if self.words.property("role") != role:
            self.words.setProperty("role", role)
            self.words.style().unpolish(self.words)
            self.words.style().polish(self.words)
        _set_text(self.words, words)
        self.words.setVisible(bool(words))


def progress_parts(run: RunTail) -> list[str]:
    """Return what is done, elapsed, an epoch's mean time and the time left, in words."""
    progress, seconds = run.summary.progress, run.seconds
    text = progress.text if progress else ""
    parts = [text[:1].upper() + text[1:] or "Preparing"]
    if seconds is not None:
        parts.append(f"{duration(seconds)} elapsed")
    pace = epoch_seconds(run)
    if pace is not None:
        parts.append(f"{duration(pace)} an epoch")
        left = pace * max(0.0, run.epochs - run.epochs_done)
        parts.append(f"about {duration(left)} left")
    return parts


def result_parts(run: RunTail) -> list[str]:
    """Return how the run ended and its figures at the best epoch, in words."""
    parts = [STATES.get(run.state, run.state).capitalize()]
    best = run.best_epoch
    if best is not None:
        parts.append(f"best at epoch {best:.3g}: {figures(run)}")
    if run.seconds is not None:
        parts.append(duration(run.seconds))
    return parts


def figures(run: RunTail) -> str:
    """Return the accuracies at the best epoch with what they were measured on."""
    held_out = run.held_out or 0
    on = f" ({held_out:,} images)" if held_out else ""
    parts = [f"clean {percent(run.at_best('validation/clean'))}{on}"]
    attacked = run.at_best("validation/pgd")
    if attacked is not None:
        count = min(int(run.recipe.get("validation_images", 0)), held_out)
        epsilon = float(run.recipe.get("epsilon", 0.0))
        on = f"{count:,} images, " if count else ""
        parts.append(
            f"PGD {percent(attacked)} ({on}L∞ {epsilon:.4g}, {run.recipe.get('validation_steps')} steps)"
        )
    return ", ".join(parts)


def epoch_seconds(run: RunTail) -> float | None:
    """Return the mean time of an epoch with its validation; before the second from the pace so far."""
    line = run.lines.get("validation/clean")
    if line is not None and len(line.times) > 1 and line.epochs[-1] > line.epochs[0]:
        return (line.times[-1] - line.times[0]) / (line.epochs[-1] - line.epochs[0])
    if run.seconds is not None and run.epochs_done > 0:
        return run.seconds / run.epochs_done
    return None


def _set_text(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
