"""Jobs in the status bar: what runs, how far, how long still; a click lists them all."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QToolButton, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.state.jobs import JobList, JobRow


class JobBar(QWidget):
    """Shows the oldest running job; the menu lists the others and the last ones that ended."""

    def __init__(self, jobs: JobList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._widest = self.fontMetrics().averageCharWidth() * 70
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(self.fontMetrics().averageCharWidth() * 18)
        self._bar.setAccessibleName("Progress of the running job")
        self._cancel = QToolButton()
        self._cancel.setToolTip("Cancel this job")
        self._cancel.setAccessibleName("Cancel this job")
        self._cancel.clicked.connect(self._cancel_shown)
        self._list = QToolButton()
        self._list.setText("Jobs")
        self._list.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self._list)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._list.setMenu(self._menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(8)
        for widget in (self._text, self._bar, self._cancel, self._list):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setMinimumHeight(layout.sizeHint().height())  # the room does not jump when the first job comes
        jobs.added.connect(self._refresh)
        jobs.changed.connect(self._refresh)
        jobs.ended.connect(self._refresh)
        theme.changed.connect(self._tint)
        self._tint()
        self._refresh()

    def _tint(self) -> None:
        self._cancel.setIcon(icon("close", theme.tokens.muted))

    def _refresh(self, _row: JobRow | None = None) -> None:
        running = self._jobs.running
        for widget in (self._text, self._bar, self._cancel):
            widget.setVisible(bool(running))
        self._list.setVisible(bool(self._jobs.rows))
        if running:
            row = running[0]
            more = f" · {len(running) - 1} more" if len(running) > 1 else ""
            line = _line(row) + more
            # The name of a folder or file may be long: it must not widen the window.
            self._text.setText(
                self.fontMetrics().elidedText(line, Qt.TextElideMode.ElideMiddle, self._widest)
            )
            self._text.setToolTip(line)
            self._bar.setRange(0, max(0, row.total))
            self._bar.setValue(row.done)

    def _cancel_shown(self) -> None:
        if self._jobs.running:
            self._jobs.running[0].handle.token.cancel()

    def _fill_menu(self) -> None:
        self._menu.clear()
        for row in reversed(self._jobs.rows[-12:]):
            if row.handle.done:
                action = self._menu.addAction(f"{row.title} · {row.message or row.state}")
                action.setEnabled(False)
            else:
                action = self._menu.addAction(f"Cancel: {_line(row)}")
                action.triggered.connect(row.handle.token.cancel)


def _line(row: JobRow) -> str:
    parts = [row.title]
    if row.total:
        parts.append(row.text or f"{row.done:,}/{row.total:,}")
    if row.paused:
        parts.append("paused")
    elif row.remaining is not None:
        parts.append(f"{duration(row.remaining)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``45 s``, ``3 min``, ``1 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
