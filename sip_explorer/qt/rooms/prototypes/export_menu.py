"""The one button from which pictures, animations and tables leave a view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QPushButton, QWidget

from sip_explorer.qt import theme
from sip_explorer.qt.rooms.prototypes.requests import Job

_ARROW = (Path(theme.__file__).parent / "assets" / "down.svg").as_posix()
_STYLE = (
    "QPushButton { padding-right: 22px; }"
    f"QPushButton::menu-indicator {{ image: url({_ARROW});"
    " subcontrol-origin: padding; subcontrol-position: right center; right: 4px; width: 12px; height: 12px; }"
)
KINDS = {
    ".png": "Pictures (*.png)",
    ".gif": "Animations (*.gif)",
    ".csv": "Tables (*.csv)",
    ".h5": "HDF5 (*.h5)",
}
"""Kinds of files by suffix, for the dialogue."""


@dataclass(frozen=True)
class Export:
    """Something that a view can write.

    Attributes
    ----------
    words : on the menu, such as "Samples (PNG)".
    name : of the file, as suggested; its suffix is the kind.
    job : returns the job that writes to a path.
    on : the thread that it runs in.
    where : written there without a question; None asks a person.
    """

    words: str
    name: str
    job: Callable[[Path], Job]
    on: str = "disk"
    where: Path | None = None


class ExportMenu(QPushButton):
    """A menu of what the view on show has in hand.

    Signals
    -------
    wanted(object, object)
        An `Export`, and the path that was chosen.
    """

    wanted = Signal(object, object)

    def __init__(self, offers: Callable[[], Sequence[Export]], parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.setStyleSheet(_STYLE)
        self.setToolTip("Write what is on show as pictures, animations and tables")
        self._offers = offers
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)

    def fill(self) -> None:
        """List what there is now."""
        self._menu.clear()
        offers = self._offers()
        for offer in offers:
            action = self._menu.addAction(f"{offer.words}{'' if offer.where else '…'}")
            action.triggered.connect(lambda _checked=False, offer=offer: self._choose(offer))
        if not offers:
            self._menu.addAction("There is nothing to write yet").setEnabled(False)

    def _choose(self, offer: Export) -> None:
        path = offer.where or self.ask_where(offer)
        if path is not None:
            self.wanted.emit(offer, path)

    def ask_where(self, offer: Export) -> Path | None:
        """Ask a person where it goes; None: nowhere. The suffix is added where it was left out."""
        name = offer.name.replace("/", "-")  # of a class, such as T-shirt/top
        suffix = Path(name).suffix
        path, _ = QFileDialog.getSaveFileName(self, offer.words, name, KINDS[suffix])
        if not path or Path(path).suffix.casefold() == suffix:
            return Path(path) if path else None
        whole = Path(path + suffix)  # which the dialogue did not ask about
        question = f"{whole.name} is there already. Write over it?"
        if (
            whole.exists()
            and QMessageBox.question(self, offer.words, question) != QMessageBox.StandardButton.Yes
        ):
            return None
        return whole
