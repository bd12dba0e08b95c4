"""Earlier work of one kind in the workspace, newest first, to be looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.records import Artefact, CancelToken, Event
from sip_explorer.workspace.folders import folder_title


class Record(Protocol):
    """What a folder says of itself."""

    @property
    def folder(self) -> Path: ...

    @property
    def models(self) -> tuple[str, ...]: ...

    @property
    def missing(self) -> str:
        """How far it is; empty where it is finished."""


def title(record: Record, running: Path | None = None) -> str:
    """Return when it began, how far it is and its models; ``running`` is the folder that is written now."""
    when = folder_title(record.folder).rpartition("(")[2].rstrip(")")
    state = "running" if record.folder == running else record.missing
    parts = (when.rpartition(":")[0] or when, state, ", ".join(record.models))
    return " · ".join(part for part in parts if part)


class EarlierBox(ElidedBox):
    """Says which one is on show; the list holds all others.

    Parameters
    ----------
    what : str
        What they are, such as "sweeps".

    Signals
    -------
    chosen(Record)
        A person chose this one.
    """

    chosen = Signal(object)

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._what = what
        self.setAccessibleName(f"{what.capitalize()} of this workspace")
        self.setToolTip(f"{what.capitalize()} of this workspace, newest first")
        self._current: Path | None = None
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))
        self.set_records([])

    def set_records(self, records: Sequence[Record], running: Path | None = None) -> None:
        """List these, newest first; the one in the folder ``running`` is written now."""
        self.blockSignals(True)
        self.clear()
        for record in records:
            self.addItem(title(record, running), record)
        self.setPlaceholderText(f"Earlier {self._what} ({len(records)})")
        self.blockSignals(False)
        self.show_current(self._current)

    def show_current(self, folder: Path | None) -> None:
        """Say that the one in ``folder`` is on show; None: none of the list."""
        self._current = folder
        places = [place for place in range(self.count()) if self.itemData(place).folder == folder]
        self.setCurrentIndex(places[0] if places else -1)


def list_job(
    folders: Callable[[], list[Path]], read: Callable[[Path], Record | None]
) -> Callable[[CancelToken], Iterator[Event | None]]:
    """Return the job that reads what folders say of themselves, newest first; for the disk thread.

    ``read`` returns None for a folder that holds nothing of the kind.
    """

    def job(_token: CancelToken) -> Iterator[Event | None]:
        records = []
        for folder in reversed(folders()):
            record = read(folder)
            if record is not None:
                records.append(record)
            yield None
        yield Artefact("earlier", data=records)

    return job
