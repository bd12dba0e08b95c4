"""Masks in and out of the window: what is said first, real clicks."""

import json
import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QFileDialog

from sip_explorer.qt.exchange.export_dialog import ExportDialog
from sip_explorer.qt.exchange.import_dialog import ImportDialog
from sip_explorer.qt.salience_exchange import ask_export_salience, ask_import_salience
from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace

SIDE = 28


@pytest.fixture
def window(open_window, shapes_path):
    opened = open_window(shapes_path)
    opened.session.choose_annotator("Ada")
    opened.session.news = []
    opened.session.notice.connect(opened.session.news.append)
    return opened


@pytest.fixture
def masks(tmp_path):
    """A folder: three masks that fit, one of another size, one of an image that is not there."""
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:9, 6:20] = 200
    for name in ("0", "1", "2", "who"):
        Image.fromarray(mask).save(folder / f"{name}.png")
    Image.fromarray(mask[:14, :14]).save(folder / "3.png")
    return folder


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    place = button.rect().center()
    if isinstance(button, QCheckBox):
        place.setX(button.fontMetrics().averageCharWidth())  # only its box and words answer
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=place)


def choose(box, key):
    """Choose an entry as the keyboard does."""
    box.setFocus()
    row = box.findData(key)
    assert row >= 0
    while box.currentIndex() != row:
        QTest.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < row else Qt.Key.Key_Up)


def ready(qtbot, dialog):
    qtbot.waitUntil(lambda: dialog.go.isEnabled(), timeout=10_000)


def ended(qtbot, window):
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=10_000)
    qtbot.waitUntil(lambda: bool(window.session.news or window.session.told), timeout=10_000)


def painted_by_ada(workspace, image, value=255):
    before = workspace.mask(image, "Ada")
    after = before.copy()
    after[2:5, 2:5] = value
    workspace.commit_stroke(image, "Ada", Patch.between(before, after), "brush")


def test_import_says_what_would_happen_and_then_does_it(window, masks, qtbot):
    workspace = window.session.workspace
    painted_by_ada(workspace, 2)
    dialog = ask_import_salience(window, masks)
    ready(qtbot, dialog)
    said = dialog.preview.words
    assert "4 masks for 4 images of shapes." in said
    assert "1 mask has a name that belongs to no image of shapes: who." in said
    assert "Of another size than the image: 1 mask, image 3; a mask that is resized is not exact." in said
    assert "Of images that are painted already: 1 mask." in said
    assert dialog.annotator.currentText() == "Ada"
    assert workspace.states([0, 1, 3], "Ada") == ["unpainted"] * 3  # nothing has happened yet
    choose(dialog.size, "resize")
    click(dialog.go)
    ended(qtbot, window)
    assert workspace.states([0, 1, 2, 3], "Ada") == ["painted"] * 4
    assert workspace.mask(0, "Ada")[4, 6] == 200
    assert workspace.mask(2, "Ada")[4, 6] == 0  # what is painted stays
    (sentence,) = window.session.told
    assert sentence.startswith("3 masks imported, 1 kept as they were, 1 left out. ")


def test_an_import_shows_on_the_canvas_and_can_be_undone(window, masks, qtbot):
    session = window.session
    session.selection.current_image = 0
    canvas = window.rooms["salience"].canvas
    dialog = ask_import_salience(window, [masks / "0.png", masks / "1.png"])
    ready(qtbot, dialog)
    assert not dialog.size.isVisible()
    assert not dialog.painted.isVisible()
    click(dialog.go)
    ended(qtbot, window)
    assert session.news == ["2 masks imported."]
    np.testing.assert_array_equal(canvas.mask(), session.workspace.mask(0, "Ada"))
    assert canvas.mask()[4, 6] == 200
    window.in_room("undo")
    assert not canvas.mask().any()
    assert [stroke.tool for stroke in _flushed(session.workspace).strokes(0, "Ada")] == ["import", "undo"]


def test_masks_on_top_of_what_is_painted(window, masks, qtbot):
    workspace = window.session.workspace
    painted_by_ada(workspace, 0, value=9)
    dialog = ask_import_salience(window, masks / "0.png")
    ready(qtbot, dialog)
    choose(dialog.painted, "new-stroke")
    click(dialog.go)
    ended(qtbot, window)
    assert workspace.mask(0, "Ada")[4, 6] == 200
    assert workspace.mask(0, "Ada")[2, 2] == 0


def test_masks_for_someone_new(window, masks, qtbot):
    dialog = ask_import_salience(window, masks)
    ready(qtbot, dialog)
    dialog.annotator.lineEdit().selectAll()
    QTest.keyClicks(dialog.annotator.lineEdit(), "Zoe")
    assert not dialog.go.isEnabled()
    qtbot.waitUntil(lambda: "New here: Zoe." in dialog.preview.words, timeout=10_000)
    click(dialog.go)
    ended(qtbot, window)
    assert window.session.workspace.states([0, 1, 2], "Zoe") == ["painted"] * 3
    assert window.session.workspace.states([0], "Ada") == ["unpainted"]


def test_files_that_name_their_annotators(window, tmp_path, qtbot):
    images = [{"id": 1, "file_name": "0", "height": SIDE, "width": SIDE}]
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    annotations = [
        {"id": row, "image_id": 1, "segmentation": square, "attributes": {"annotator": name}}
        for row, name in enumerate(("Ben", "Cleo"))
    ]
    (tmp_path / "c.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    dialog = ask_import_salience(window, tmp_path / "c.json")
    ready(qtbot, dialog)
    assert dialog.annotator.currentText() == "As the masks say"
    assert "New here: Ben, Cleo." in dialog.preview.words
    click(dialog.go)
    ended(qtbot, window)
    workspace = window.session.workspace
    assert [workspace.mask(0, name).sum() for name in ("Ben", "Cleo", "Ada")] == [16 * 255, 16 * 255, 0]


def test_a_file_without_masks_is_said_in_the_dialogue(window, tmp_path, qtbot):
    (tmp_path / "c.json").write_text("{")
    dialog = ask_import_salience(window, tmp_path / "c.json")
    qtbot.waitUntil(lambda: "is no JSON" in dialog.preview.words, timeout=10_000)
    assert not dialog.go.isEnabled()
    click(dialog.buttons.button(dialog.buttons.StandardButton.Cancel))
    qtbot.waitUntil(lambda: not window.findChildren(ImportDialog))


def test_masks_are_chosen_in_the_dialogue(window, masks, qtbot, monkeypatch):
    dialog = ask_import_salience(window)
    assert not dialog.go.isEnabled()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(masks))
    click(dialog.folder)
    ready(qtbot, dialog)
    names = [str(masks / "0.png"), str(masks / "1.png")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (names, ""))
    click(dialog.file)
    qtbot.waitUntil(lambda: "2 masks for 2 images" in dialog.preview.words, timeout=10_000)
    assert dialog.source.text() == f"0.png and 1 more in {masks}"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(ImportDialog))


def test_export_says_what_is_lost_and_asks_before_it_overwrites(window, tmp_path, qtbot):
    workspace = window.session.workspace
    painted_by_ada(workspace, 0, value=90)
    painted_by_ada(workspace, 1)
    workspace.set_state(2, "Ada", "empty")
    target = tmp_path / "out.json"
    target.write_text("mine")
    dialog = ask_export_salience(window)
    choose(dialog.format, "coco")
    QTest.keyClicks(dialog.target, str(target))
    qtbot.waitUntil(lambda: "3 masks of 3 images." in dialog.preview.words, timeout=10_000)
    said = dialog.preview.words
    assert "1 mask has values between 0 and 255, which COCO JSON" in said
    assert "1 of the masks is zeros: images that were left empty on purpose." in said
    assert f"{target} is there already." in said
    assert not dialog.go.isEnabled()
    assert target.read_text() == "mine"
    click(dialog.overwrite)
    click(dialog.go)
    ended(qtbot, window)
    assert window.session.news == [f"3 masks written to {target}."]
    assert len(json.loads(target.read_text())["annotations"]) == 3


def test_export_of_some_annotators_merged(window, tmp_path, qtbot):
    workspace = window.session.workspace
    painted_by_ada(workspace, 0)
    workspace.add_annotator("Ben")
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[3:8, 3:8] = 255
    workspace.commit_stroke(0, "Ben", Patch.between(np.zeros_like(mask), mask), "brush")
    dialog = ask_export_salience(window)
    QTest.keyClicks(dialog.target, str(tmp_path / "out"))
    choose(dialog.format, "cub")
    qtbot.waitUntil(lambda: "one mask an image" in dialog.preview.words, timeout=10_000)
    assert not dialog.go.isEnabled()
    (ben,) = (box for box in dialog.people if box.accessibleName() == "Masks of Ben")
    click(ben)
    ready(qtbot, dialog)
    assert "1 mask of 1 image." in dialog.preview.words
    click(ben)
    choose(dialog.merge, "intersection")
    ready(qtbot, dialog)
    click(dialog.go)
    ended(qtbot, window)
    (picture,) = (tmp_path / "out" / "segmentations").rglob("*.png")
    assert (np.array(Image.open(picture)) > 0).sum() == 4


def test_in_blind_mode_other_people_are_not_listed(window, qtbot):
    workspace = window.session.workspace
    painted_by_ada(workspace, 0)
    workspace.add_annotator("Ben")
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    workspace.commit_stroke(1, "Ben", Patch.between(np.zeros_like(mask), mask), "brush")
    workspace.set_setting("blind", "1").result(10)
    dialog = ask_export_salience(window)
    assert [box.text() for box in dialog.people] == ["Ada"]
    qtbot.waitUntil(lambda: "1 mask of 1 image." in dialog.preview.words, timeout=10_000)
    assert "Blind mode hides other people's masks" in dialog.preview.words
    QTest.keyClick(dialog, Qt.Key.Key_Escape)


def test_nothing_painted_is_said_and_where_is_chosen(window, tmp_path, qtbot, monkeypatch):
    dialog = ask_export_salience(window)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "out"), ""))
    click(dialog.choose)
    assert dialog.target.text() == str(tmp_path / "out")
    qtbot.waitUntil(lambda: "None of these images has masks" in dialog.preview.words, timeout=10_000)
    assert not dialog.go.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(ExportDialog))


def test_an_import_can_be_cancelled(window, masks, qtbot):
    for number in range(20, 60):
        (masks / f"{number}.png").write_bytes((masks / "0.png").read_bytes())
    release = threading.Event()
    jobs = window.session.jobs

    def blocking(token):  # so that the import waits behind it until it is cancelled
        while not release.wait(0.01):
            yield None

    jobs.run("in the way", blocking, lambda event: None, on="disk")
    dialog = ImportDialog(window.session, [masks], window)
    dialog.open()
    ready(qtbot, dialog)
    click(dialog.go)
    jobs.rows[-1].handle.token.cancel()
    release.set()
    ended(qtbot, window)
    assert window.session.news == [
        "The import was cancelled: what was painted until then stays, and can be undone."
    ]
    assert set(window.session.workspace.states(range(60), "Ada")) == {"unpainted"}
    dialog.deleteLater()


def test_a_workspace_open_to_read_is_told_so(window, masks, shapes_path, tmp_path):
    with Workspace.from_arrays(
        tmp_path / "theirs", "theirs", np.zeros((2, 4, 4, 1), np.uint8), np.arange(2), ("a", "b")
    ):
        window.session.open_workspace(tmp_path / "theirs")  # someone else has it open
        assert ask_import_salience(window, masks) is None
    assert "masks cannot be imported" in window.session.told[-1]


def _flushed(workspace):
    assert workspace.flush()
    return workspace
