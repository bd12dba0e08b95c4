"""The dialogue for images, asked for from the menu, from a room, or by dropping files on the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.qt.salience_exchange import ask_import_salience, open_dialog

if TYPE_CHECKING:
    from sip_explorer.qt.importing.import_dialog import ImagesDialog
    from sip_explorer.qt.window import MainWindow


def ask_import_images(window: MainWindow, paths: Sequence[Path] = (), *, adds: bool = False) -> ImagesDialog:
    """Show what is in ``paths`` and ask where it goes; without any, they are chosen in the dialogue.

    ``adds``: the open workspace is suggested, where there is one that can be changed.
    """
    from sip_explorer.qt.importing.import_dialog import ImagesDialog  # the window comes up without it

    dialog = ImagesDialog(
        window.session,
        window.recognising,
        paths,
        adds=adds,
        as_masks=lambda chosen: ask_import_salience(window, chosen, images_too=True),
        parent=window,
    )
    open_dialog(dialog)
    return dialog
