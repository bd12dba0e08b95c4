"""Rows of the inspector: the reset mark follows the value, and a hidden row has none."""

from PySide6.QtWidgets import QSpinBox

from sip_explorer.qt.widgets.section import Section


def test_a_hidden_row_has_no_mark_whatever_its_value_becomes(qtbot):
    section = Section("Attack")
    qtbot.addWidget(section)
    editor = QSpinBox()
    row = section.add_row("Steps", editor)
    row.track(editor.valueChanged, editor.value, lambda: editor.setValue(0), 0)
    section.show()
    editor.setValue(3)
    assert row.reset.isVisible()
    row.set_visible(False)
    editor.setValue(4)
    assert not row.reset.isVisible()
    row.set_visible(True)
    editor.setValue(5)
    assert row.reset.isVisible()
    row.reset.click()
    assert editor.value() == 0
    assert not row.reset.isVisible()
