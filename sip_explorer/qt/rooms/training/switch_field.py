"""A field that is on or off."""

from PySide6.QtWidgets import QCheckBox

from sip_explorer.qt.rooms.training.form_field import FormField


class SwitchField(FormField):
    """A check box; its label stands in the row."""

    def __init__(self, default: bool) -> None:
        self._box = QCheckBox()
        super().__init__(self._box, default)
        self._box.setChecked(default)
        self._box.toggled.connect(self.changed)

    def value(self) -> bool:
        return self._box.isChecked()

    def set_value(self, value: bool) -> None:
        self._box.setChecked(value)
