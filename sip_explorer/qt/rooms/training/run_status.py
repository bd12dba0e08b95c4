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
        parts = progress_parts(run) if run.working else result_parts(run)
        _set_text(self.figures, " · ".join(part for part in (doing, *parts) if part))
        summary = run.summary
        told = dict.fromkeys((summary.message, *summary.notices))  # a resumed run says some again
        words = " ".join(told).strip()
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
    pace = run.epoch_seconds
    if pace is not None:
        parts.append(f"{pace_words(pace)} an epoch")
        left = pace * max(0.0, run.epochs - run.epochs_done)
        parts.append(f"about {duration(left)} left")
    return [*parts, plateau_words(run)]


def pace_words(seconds: float) -> str:
    """Return an epoch's mean time; short ones to the tenth of a second."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def result_parts(run: RunTail) -> list[str]:
    """Return how the run ended and its figures at the best epoch, in words."""
    parts = [STATES.get(run.state, run.state).capitalize()]
    best = run.best_epoch
    if best is not None:
        parts.append(f"best at epoch {best:.3g}: {figures(run)}")
    if run.seconds is not None:
        parts.append(duration(run.seconds))
    pace = run.epoch_seconds
    return [*parts, f"{pace_words(pace)} an epoch"] if pace is not None else parts


def figures(run: RunTail) -> str:
    """Return the accuracies at the best epoch with what they were measured on."""
    held_out = run.held_out or 0
    on = f" ({held_out:,} images)" if held_out else ""
    parts = [f"clean {percent(run.at_best('validation/clean'))}{on}"]
    bits = run.at_best("validation/bits-per-dim")
    if bits is not None:
        parts.append(f"{bits:.3f} bits/dim")
    attacked = run.at_best("validation/pgd")
    if attacked is not None:
        count = min(int(run.recipe.get("validation_images", 0)), held_out)
        epsilon = float(run.recipe.get("epsilon", 0.0))
        on = f"{count:,} images, " if count else ""
        parts.append(
            f"PGD {percent(attacked)} ({on}L∞ {epsilon:.4g}, {run.recipe.get('validation_steps')} steps)"
        )
    return ", ".join(parts)


def plateau_words(run: RunTail) -> str:
    """Return for how long the validation accuracy is no better, and how long the recipe has patience."""
    if run.plateau < 1:
        return ""
    patience = int(run.recipe.get("patience") or 0)
    if patience:
        return f"no better for {run.plateau} of {patience} epochs"
    return f"no better for {run.plateau} {'epoch' if run.plateau == 1 else 'epochs'}"


def _set_text(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
