"""Trained models: one to look with (combo), or several to compare (checked list)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QListWidget, QListWidgetItem, QWidget

from sip_explorer.state import Session


class CurrentModelBox(QComboBox):
    """Chooses ``selection.current_model`` among the classifiers."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAccessibleName("Model")
        self.setPlaceholderText("no model yet")
        self.setMinimumContentsLength(14)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        session.models_changed.connect(self._fill)
        session.selection.current_model_changed.connect(self._show)
        self.activated.connect(self._choose)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for entry in self._session.models:
            if entry.kind == "classifier":
                self.addItem(entry.name, entry.id)
        self._show(self._session.selection.current_model)

    def _show(self, model_id: str | None) -> None:
        self.setCurrentIndex(self.findData(model_id))

    def _choose(self, _index: int) -> None:
        self._session.selection.current_model = self.currentData()


class ModelCheckList(QListWidget):
    """Chooses ``selection.models`` among the classifiers, in the order of the list."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAccessibleName("Models to attack")
        session.models_changed.connect(self._fill)
        session.selection.models_changed.connect(self._show)
        self.itemChanged.connect(self._choose)
        self._fill()

    def _fill(self) -> None:
        self.blockSignals(True)
        self.clear()
        chosen = self._session.selection.models
        for entry in self._session.models:
            if entry.kind == "classifier":
                item = QListWidgetItem(entry.name)
                item.setData(Qt.ItemDataRole.UserRole, entry.id)
                item.setToolTip(str(entry.path))
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if entry.id in chosen else Qt.CheckState.Unchecked)
                self.addItem(item)
        self.blockSignals(False)
        rows = max(3, min(8, self.count()))
        self.setFixedHeight(rows * (self.fontMetrics().height() + 6) + 6)

    def _show(self, chosen: tuple[str, ...]) -> None:
        self.blockSignals(True)
        for row in range(self.count()):
            item = self.item(row)
            on = item.data(Qt.ItemDataRole.UserRole) in chosen
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.blockSignals(False)

    def _choose(self, _item: QListWidgetItem) -> None:
        self._session.selection.models = [
            self.item(row).data(Qt.ItemDataRole.UserRole)
            for row in range(self.count())
            if self.item(row).checkState() == Qt.CheckState.Checked
        ]
