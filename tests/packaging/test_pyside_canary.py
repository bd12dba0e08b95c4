"""Canary for the installed PySide6: 6.12.0 lost a reference to True and None at every emit on Python 3.11."""

import sys

import pytest
from PySide6.QtCore import QObject, Signal

EMITS = 50_000


class _Sender(QObject):
    flag = Signal(bool)
    thing = Signal(object)
    bare = Signal()


def test_every_emit_arrives(qapp):
    sender, seen = _Sender(), []
    sender.flag.connect(seen.append)
    sender.thing.connect(seen.append)
    sender.bare.connect(lambda: seen.append("bare"))
    for _ in range(EMITS // 10):
        sender.flag.emit(True)
        sender.thing.emit(None)
        sender.bare.emit()
    assert seen == [True, None, "bare"] * (EMITS // 10)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True and None are immortal from Python 3.12 on")
def test_emit_keeps_the_references_of_true_and_none(qapp):
    # Spare references, so that a broken PySide6 fails this test instead of aborting the process.
    spare = [True, None] * (4 * EMITS)
    sender = _Sender()
    sender.flag.connect(lambda value: None)
    sender.thing.connect(lambda value: None)
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(EMITS):
        sender.flag.emit(True)
        sender.thing.emit(None)
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert len(spare) == 8 * EMITS
    assert abs(after[0] - before[0]) < EMITS // 100
    assert abs(after[1] - before[1]) < EMITS // 100


def test_docks_move_between_areas(qapp, qtbot):
    # 6.11.0 and 6.11.1 break docks.
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow

    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget("Layers", window)
    dock.setWidget(QLabel("content"))
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.show()
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    assert window.dockWidgetArea(dock) == Qt.DockWidgetArea.RightDockWidgetArea
    dock.setFloating(True)
    dock.setFloating(False)
    assert dock.widget().text() == "content"
