"""Trained models in the window: the dialogue that brings one in, and the card of one that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

if TYPE_CHECKING:
    from sip_explorer.qt.models.add_dialog import AddDialog
    from sip_explorer.qt.window import MainWindow
    from sip_explorer.state import Session
    from sip_explorer.workspace import ModelEntry

_FILTER = "Checkpoints (*.safetensors *.pt *.pth *.pt2 *.ckpt *.bin *.tar);;All files (*)"


def ask_add_model(window: MainWindow, path: Path | str | None = None) -> AddDialog | None:
    """Show what a checkpoint holds and how it is best read, and add it if wanted; None where it cannot be.

    ``path``: the checkpoint; None: chosen first.
    """
    from sip_explorer.qt.models.add_dialog import AddDialog  # the window comes up without it

    if window.session.workspace is None:
        window.session.problem.emit("No workspace is open: open one before adding a model.", "")
        return None
    if path is None:
        name, _ = QFileDialog.getOpenFileName(window, "Trained model", "", _FILTER)
        if not name:
            return None
        path = name
    return _opened(AddDialog(window.session, Path(path), parent=window))


def ask_change_model(session: Session, entry: ModelEntry, parent: QWidget) -> AddDialog:
    """Show how a model that is there already is read, and how it could be."""
    from sip_explorer.qt.models.add_dialog import AddDialog

    return _opened(AddDialog(session, entry.path, entry=entry, parent=parent))


def _opened(dialog: AddDialog) -> AddDialog:
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
