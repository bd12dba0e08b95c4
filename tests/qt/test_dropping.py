"""Files dropped on the window."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.exchange.import_dialog import ImportDialog


@pytest.fixture
def masks(tmp_path):
    """A folder of three masks."""
    (tmp_path / "masks").mkdir()
    for number in range(3):
        Image.fromarray(np.full((28, 28), 200, np.uint8)).save(tmp_path / "masks" / f"{number}.png")
    return tmp_path / "masks"


def drop(window, paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(40, 40).toPoint(), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(40, 40), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(window, event)
    return enter.isAccepted(), event.isAccepted()


@pytest.mark.parametrize(
    "names", [[""], ["0.png"], ["0.png", "1.png", "2.png"]], ids=["folder", "file", "files"]
)
def test_masks_dropped_on_the_window_are_asked_about(names, open_window, shapes_path, masks, qtbot):
    window = open_window(shapes_path)
    assert drop(window, [masks / name for name in names]) == (True, True)
    qtbot.waitUntil(lambda: bool(window.findChildren(ImportDialog)))
    (dialog,) = window.findChildren(ImportDialog)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=10_000)
    assert f"{len(names) if names[0] else 3} mask" in dialog.preview.words
    dialog.reject()


def test_text_dropped_on_the_window_is_not_taken(open_window, shapes_path):
    window = open_window(shapes_path)
    data = QMimeData()
    data.setText("hello")
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDragEnterEvent(QPointF(40, 40).toPoint(), Qt.DropAction.CopyAction, data, buttons, keys)
    event.ignore()
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()
