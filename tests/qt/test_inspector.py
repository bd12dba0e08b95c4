"""The column at the right: the wheel scrolls it, and changes no field on the way."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QSpinBox

from sip_explorer.qt.widgets.inspector import Inspector


def wheel(widget):
    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_the_wheel_changes_only_the_field_that_someone_is_in(qtbot):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    number, choice = QSpinBox(), QComboBox()
    number.setValue(50)
    choice.addItems(["one", "two"])
    section = inspector.add_section("Things")
    section.add_row("Number", number)
    section.add_row("Choice", choice)
    section.add_widget(QLabel("\n" * 80))
    inspector.resize(inspector.width(), 300)
    inspector.show()
    qtbot.waitExposed(inspector)
    qtbot.waitUntil(lambda: inspector.verticalScrollBar().maximum() > 0)
    wheel(number)
    wheel(choice)
    assert (number.value(), choice.currentIndex()) == (50, 0)
    assert inspector.verticalScrollBar().value() > 0
    number.setFocus()
    qtbot.waitUntil(number.hasFocus)
    wheel(number)
    assert number.value() == 49
