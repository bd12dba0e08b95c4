"""The sweeps of the workspace, newest first, to be looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from sip_explorer.qt.rooms.attacks.sweep.record import SweepRecord, read_record
from sip_explorer.records import Artefact, CancelToken, Event


class EarlierSweeps(QComboBox):
    """Says which sweep is on show; the list holds all others of the workspace.

    Signals
    -------
    chosen(SweepRecord)
        A person chose this sweep.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Sweeps of this workspace")
        self.setToolTip("Sweeps of this workspace, newest first")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self._current: Path | None = None
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))
        self.set_records([])

    def set_records(self, records: Sequence[SweepRecord]) -> None:
        """List these sweeps, newest first."""
        self.blockSignals(True)
        self.clear()
        for record in records:
            self.addItem(record.title, record)
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)  # wider than the box, uncut
        self.setPlaceholderText(f"Earlier sweeps ({len(records)})")
        self.blockSignals(False)
        self.show_current(self._current)

    def show_current(self, folder: Path | None) -> None:
        """Say that the sweep in ``folder`` is on show; None: none of the list."""
        self._current = folder
        places = [place for place in range(self.count()) if self.itemData(place).folder == folder]
        self.setCurrentIndex(places[0] if places else -1)

    @property
    def records(self) -> list[SweepRecord]:
        """What is listed."""
        return [self.itemData(place) for place in range(self.count())]

    @property
    def current(self) -> SweepRecord | None:
        """The listed sweep that is on show."""
        return self.currentData()  # type: ignore[no-any-return]


def list_job(folders: Callable[[], list[Path]]) -> Callable[[CancelToken], Iterator[Event | None]]:
    """Return the job that reads what the folders of sweeps say of themselves; for the disk thread."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        records = []
        for folder in reversed(folders()):
            record = read_record(folder)
            if record is not None:
                records.append(record)
            yield None
        yield Artefact("sweeps", data=records)

    return job
