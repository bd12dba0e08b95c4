"""Files held over the window and dropped on it: what is said, and what opens."""

import json

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from sip_explorer.qt.exchange.import_dialog import ImportDialog
from sip_explorer.qt.importing.import_dialog import ImagesDialog
from sip_explorer.qt.models.add_dialog import AddDialog

BUTTONS, KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
COPY = Qt.DropAction.CopyAction


def picture(path, seed=0, size=(28, 28), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def masks(tmp_path):
    """A folder of three masks."""
    (tmp_path / "masks").mkdir()
    for number in range(3):
        Image.fromarray(np.full((28, 28), 200, np.uint8)).save(tmp_path / "masks" / f"{number}.png")
    return tmp_path / "masks"


@pytest.fixture
def pets(tmp_path):
    for place, name in enumerate(("cat", "dog")):
        for number in range(4):
            picture(tmp_path / "pets" / name / f"{name}{number}.jpg", 10 * place + number)
    return tmp_path / "pets"


def urls(paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def hold(window, paths):
    """Bring files over the window, and move them on over what lies there then."""
    data = urls(paths)
    enter = QDragEnterEvent(QPoint(40, 40), COPY, data, BUTTONS, KEYS)
    QApplication.sendEvent(window, enter)
    overlay = window.drops.overlay
    if overlay.isVisible():  # as Qt does it: the part that is left hears of it first
        QApplication.sendEvent(window, QDragLeaveEvent())
        QApplication.sendEvent(overlay, QDragEnterEvent(QPoint(50, 50), COPY, data, BUTTONS, KEYS))
    return enter.isAccepted()


def move(window, paths):
    data = urls(paths)  # the event does not own it
    event = QDragMoveEvent(QPoint(60, 60), COPY, data, BUTTONS, KEYS)
    QApplication.sendEvent(window.drops.overlay, event)
    return event.isAccepted()


def let_go(window, paths):
    data = urls(paths)
    event = QDropEvent(QPointF(60, 60), COPY, data, BUTTONS, KEYS)
    over = window.drops.overlay if window.drops.overlay.isVisible() else window
    QApplication.sendEvent(over, event)
    return event.isAccepted()


def drop(window, paths):
    return hold(window, paths), let_go(window, paths)


def opened(window, kind, qtbot):
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(kind)), timeout=10_000)
    (dialog,) = (d for d in window.findChildren(kind) if d.isVisible())
    return dialog


def said(window, qtbot):
    overlay = window.drops.overlay
    qtbot.waitUntil(
        lambda: overlay.isVisible() and not overlay.sentence.startswith("Looking"), timeout=10_000
    )
    return overlay.sentence


@pytest.mark.parametrize(
    "names", [[""], ["0.png"], ["0.png", "1.png", "2.png"]], ids=["folder", "file", "files"]
)
def test_masks_dropped_on_the_window_are_asked_about(names, open_window, shapes_path, masks, qtbot):
    window = open_window(shapes_path)
    assert drop(window, [masks / name for name in names]) == (True, True)
    dialog = opened(window, ImportDialog, qtbot)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=10_000)
    assert f"{len(names) if names[0] else 3} mask" in dialog.preview.words
    dialog.reject()


def test_text_dropped_on_the_window_is_not_taken(open_window, shapes_path):
    window = open_window(shapes_path)
    data = QMimeData()
    data.setText("hello")
    event = QDragEnterEvent(QPoint(40, 40), COPY, data, BUTTONS, KEYS)
    event.ignore()
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()
    assert not window.drops.overlay.isVisible()


def test_what_a_drop_will_do_is_said_while_it_is_held(open_window, shapes_path, pets, masks, qtbot):
    window = open_window(shapes_path)
    for paths, sentence in (
        ([pets], "Make a workspace of the folder pets: 2 folders of pictures"),
        ([pets / "cat" / "cat0.jpg"], "Import cat0.jpg into shapes"),
        (sorted((pets / "cat").iterdir()), "Import 4 pictures into shapes"),
        ([masks], "Import the masks in the folder masks as salience into shapes"),
    ):
        assert hold(window, paths)
        assert said(window, qtbot) == sentence
        assert move(window, paths)
        QApplication.sendEvent(window.drops.overlay, QDragLeaveEvent())
        qtbot.waitUntil(lambda: not window.drops.overlay.isVisible())
    assert not window.findChildren(ImagesDialog)
    assert not window.findChildren(ImportDialog)


def test_the_overlay_lies_over_the_whole_window(open_window, shapes_path, pets, qtbot):
    window = open_window(shapes_path)
    hold(window, [pets])
    said(window, qtbot)
    overlay = window.drops.overlay
    assert overlay.geometry() == window.rect()
    assert window.childAt(window.rect().center()) is overlay
    window.resize(1100, 700)
    qtbot.waitUntil(lambda: overlay.geometry() == window.rect())
    QApplication.sendEvent(overlay, QDragLeaveEvent())
    qtbot.waitUntil(lambda: not overlay.isVisible())


def test_what_is_nothing_is_refused_before_and_told_after(open_window, shapes_path, tmp_path, qtbot):
    (tmp_path / "notes.txt").write_text("buy milk")
    window = open_window(shapes_path)
    hold(window, [tmp_path / "notes.txt"])
    sentence = said(window, qtbot)
    assert sentence.startswith("notes.txt is no picture")
    assert window.drops.overlay.refused
    assert not move(window, [tmp_path / "notes.txt"])
    let_go(window, [tmp_path / "notes.txt"])  # a file manager may let go all the same
    qtbot.waitUntil(lambda: window.session.told == [sentence], timeout=10_000)
    assert window.banner.text.text() == sentence


def test_pictures_are_added_and_a_folder_makes_a_workspace(open_window, shapes_path, pets, qtbot):
    window = open_window(shapes_path)
    drop(window, sorted((pets / "cat").iterdir()))
    dialog = opened(window, ImagesDialog, qtbot)
    assert dialog.where.adds
    qtbot.waitUntil(dialog.go.isEnabled, timeout=10_000)
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.session.workspace.image_ids()) == 64, timeout=20_000)
    qtbot.waitUntil(lambda: window.session.selection.current_image == 60, timeout=10_000)
    drop(window, [pets])
    dialog = opened(window, ImagesDialog, qtbot)
    assert not dialog.where.adds
    dialog.reject()


def test_a_workspace_is_opened(open_window, shapes_path, tmp_path, qtbot):
    from sip_explorer.workspace import Workspace

    pixels = np.zeros((4, 8, 8, 1), np.uint8)
    Workspace.from_arrays(tmp_path / "other", "other", pixels, [0, 1, 0, 1], ("a", "b")).close()
    window = open_window(shapes_path)
    drop(window, [tmp_path / "other"])
    qtbot.waitUntil(lambda: window.session.workspace.name == "other", timeout=10_000)
    assert not window.findChildren(ImagesDialog)


def test_without_a_workspace_images_make_one_and_models_wait(open_window, shapes_path, pets, tmp_path, qtbot):
    from safetensors.numpy import save_file

    save_file({"fc.weight": np.zeros((2, 3), np.float32)}, tmp_path / "net.safetensors")
    window = open_window(shapes_path)
    window.session.close_workspace()
    hold(window, [tmp_path / "net.safetensors"])
    assert "belongs to a workspace" in said(window, qtbot)
    QApplication.sendEvent(window.drops.overlay, QDragLeaveEvent())
    qtbot.waitUntil(lambda: not window.drops.overlay.isVisible())
    drop(window, [pets / "cat" / "cat0.jpg", pets / "dog" / "dog0.jpg"])
    dialog = opened(window, ImagesDialog, qtbot)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=10_000)
    assert dialog.go.text() == "Make the workspace"
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.workspace is not None, timeout=20_000)
    assert len(window.session.workspace.image_ids()) == 2
    drop(window, [shapes_path])
    qtbot.waitUntil(lambda: window.session.workspace.name == "shapes", timeout=10_000)


def test_masks_may_be_images_and_images_masks(open_window, shapes_path, masks, qtbot):
    window = open_window(shapes_path)
    drop(window, [masks])
    dialog = opened(window, ImportDialog, qtbot)
    QTest.mouseClick(dialog.other, Qt.MouseButton.LeftButton)
    images = opened(window, ImagesDialog, qtbot)
    qtbot.waitUntil(images.other.isVisible, timeout=10_000)
    QTest.mouseClick(images.other, Qt.MouseButton.LeftButton)
    opened(window, ImportDialog, qtbot).reject()


def test_json_of_masks_is_no_set_of_images(open_window, shapes_path, tmp_path, qtbot):
    content = {"version": "5.5", "imagePath": "0.png", "imageHeight": 28, "imageWidth": 28, "shapes": []}
    (tmp_path / "0.json").write_text(json.dumps(content))
    window = open_window(shapes_path)
    drop(window, [tmp_path / "0.json"])
    dialog = opened(window, ImportDialog, qtbot)
    assert not hasattr(dialog, "other")
    dialog.reject()


def test_a_checkpoint_is_asked_about(open_window, shapes_path, tmp_path, qtbot, monkeypatch):
    from safetensors.numpy import save_file

    path = tmp_path / "net.safetensors"
    save_file({"fc.weight": np.zeros((2, 3), np.float32)}, path)
    window = open_window(shapes_path)
    hold(window, [path])
    assert said(window, qtbot) == "Add net.safetensors as a trained model"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: pytest.fail("it was chosen already"))
    let_go(window, [path])
    opened(window, AddDialog, qtbot).reject()
