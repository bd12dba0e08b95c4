"""The words at the left of the status bar: when was saved last, who paints, which model."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from sip_explorer.state import Session


class StatusLine(QLabel):
    """Follows the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._saved = ""
        self.setProperty("role", "muted")
        self.setContentsMargins(12, 2, 0, 2)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        session.saved.connect(self._show_saved)
        session.workspace_changed.connect(self._forget_saved)
        for signal in (session.selection.annotator_changed, session.selection.current_model_changed):
            signal.connect(self._show)
        session.models_changed.connect(self._show)

    def _show_saved(self, at: float) -> None:
        self._saved = time.strftime("saved %H:%M:%S", time.localtime(at))
        self._show()

    def _forget_saved(self, _workspace: object) -> None:
        self._saved = ""
        self._show()

    def _show(self, *_: object) -> None:
        selection = self._session.selection
        entry = self._session.model(selection.current_model)
        parts = [
            self._saved,
            f"annotator {selection.annotator}" if selection.annotator else "",
            f"model {entry.name}" if entry else "",
        ]
        self.setText(" · ".join(part for part in parts if part))
