"""Masks in and out, asked for from the menu or by dropping files on the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QDialog

if TYPE_CHECKING:
    from sip_explorer.qt.exchange.export_dialog import ExportDialog
    from sip_explorer.qt.exchange.import_dialog import ImportDialog
    from sip_explorer.qt.window import MainWindow


def ask_import_salience(
    window: MainWindow, path: Path | Sequence[Path] | None = None, *, images_too: bool = False
) -> ImportDialog | None:
    """Say what importing the masks at ``path`` would do, and do it if wanted; None where it cannot be.

    ``path``: a file or folder, or several; None: chosen in the dialogue. ``images_too``: whether they
    may as well be images, so that the dialogue offers to import them as such.
    """
    from sip_explorer.qt.exchange.import_dialog import ImportDialog  # the window comes up without it

    workspace = window.session.workspace
    if workspace is None:
        window.session.problem.emit("No workspace is open: open one before importing masks.", "")
        return None
    if workspace.read_only:
        reason = workspace.lock_holder.rstrip(".")
        window.session.problem.emit(f"{reason}: masks cannot be imported.", "")
        return None
    paths = [path] if isinstance(path, Path) else list(path or ())
    dialog = ImportDialog(window.session, paths, window)
    if images_too:
        from sip_explorer.qt.importing.asking import ask_import_images  # which asks for masks in turn

        dialog.offer(
            "These could also be images: import them as images…", lambda: ask_import_images(window, paths)
        )
    open_dialog(dialog)
    return dialog


def ask_export_salience(window: MainWindow) -> ExportDialog | None:
    """Ask which masks to export, as what and where; None where no workspace is open."""
    from sip_explorer.qt.exchange.export_dialog import ExportDialog

    if window.session.workspace is None:
        window.session.problem.emit("No workspace is open: open one before exporting masks.", "")
        return None
    dialog = ExportDialog(window.session, window)
    open_dialog(dialog)
    return dialog


def dropped_paths(data: QMimeData) -> list[Path]:
    """Return the files and folders of this machine that are dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def open_dialog(dialog: QDialog) -> None:
    """Show a dialogue over its window and forget it when it is closed."""
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
