"""Composition: the application, the session, the window, the one timer that drains the mailbox."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.theme import theme
from sip_explorer.qt.window import MainWindow
from sip_explorer.records import SipError
from sip_explorer.state import Session
from sip_explorer.state.session import root_cause

log = logging.getLogger(__name__)

FRAME = 33
"""Milliseconds between two drains of the mailbox: 30 a second."""


def make_application() -> QApplication:
    """Return the application object, making it if there is none, with name and theme set."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("SIP Explorer")
    app.setOrganizationName("sip-explorer")
    app.setDesktopFileName("sip-explorer")
    return app


def make_window(app: QApplication, session: Session) -> MainWindow:
    """Return the window on a session, not yet shown, its mailbox drained 30 times a second."""
    # A shorter slice means that a busy working thread keeps the window waiting for 1 ms, not 5.
    sys.setswitchinterval(0.001)
    theme.install(app, session.settings["theme"])
    window = MainWindow(session)
    pump = QTimer(window)
    pump.setInterval(FRAME)
    pump.timeout.connect(session.mailbox.drain)
    pump.start()
    return window


def tell_what_escapes(window: MainWindow) -> None:
    """Have the window say what no slot caught: a person who started it from a menu sees no terminal."""

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):  # Ctrl+C in the terminal
            window.close()
            return
        cause = root_cause(error)
        if isinstance(cause, SipError):
            window.session.problem.emit(str(cause), cause.detail)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error("%s", details)
        window.session.problem.emit(f"The program failed here: {type(cause).__name__}: {cause}", details)

    sys.excepthook = told


def run(path: str | None = None) -> int:
    """Open the program on ``path``, else on the last workspace, else on the demo; return the exit code."""
    app = make_application()
    session = Session()
    window = make_window(app, session)
    tell_what_escapes(window)
    window.show()

    def open_first() -> None:
        def act() -> None:
            if path is None:
                session.open_last()
            else:
                session.open_workspace(Path(path).resolve())

        if not session.attempt(act) and session.workspace is None:
            session.attempt(session.open_demo)
        # torch takes seconds to import: begin once the first image is on the screen.
        QTimer.singleShot(400, window, session.jobs.warm_up)

    QTimer.singleShot(0, window, open_first)
    return app.exec()


__all__ = ["make_application", "make_window", "run"]
