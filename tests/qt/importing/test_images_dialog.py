"""The dialogue for images: what is said first, real clicks and keys, and what was done then."""

import shutil
import threading

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QToolButton

from sip_explorer.qt.importing.asking import ask_import_images
from sip_explorer.qt.importing.import_dialog import ImagesDialog
from sip_explorer.records import Notice


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def choose(box, key):
    """Choose an entry as the keyboard does."""
    box.setFocus()
    row = box.findData(key)
    assert row >= 0
    while box.currentIndex() != row:
        QTest.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < row else Qt.Key.Key_Up)


def write(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def turn(segments, place):
    QTest.mouseClick(segments, Qt.MouseButton.LeftButton, pos=segments.tabRect(place).center())


def ready(qtbot, dialog):
    qtbot.waitUntil(dialog.go.isEnabled, timeout=20_000)


def ended(qtbot, window):
    qtbot.waitUntil(lambda: bool(window.session.news or window.session.told), timeout=30_000)
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=30_000)


def test_a_workspace_is_made_of_class_folders(window, pets, qtbot):
    dialog = ask_import_images(window, [pets])
    ready(qtbot, dialog)
    assert dialog.found.headline.text() == "Class folders: 21 images of 2 classes"
    assert (
        "Split: 20 % of every class drawn with seed 0, 17 for training, 4 for testing." in dialog.told.words
    )
    assert {thumbnail.words for thumbnail in dialog.found.thumbnails} == {"cat", "dog"}
    assert dialog.where.target == pets.parent / "pets workspace"
    assert dialog.go.text() == "Make the workspace"
    assert dialog.told.left_out is not None  # the broken one was among those opened
    click(dialog.go)
    qtbot.waitUntil(lambda: window.session.workspace.classes == ("cat", "dog"), timeout=30_000)
    ended(qtbot, window)
    workspace = window.session.workspace
    assert workspace.path == pets.parent / "pets workspace"
    assert len(workspace.image_ids()) == 20
    assert len(workspace.image_ids(split="test")) == 4
    assert window.rooms["salience"].canvas.has_image()
    assert window.session.told == [
        "20 images imported; 1 thing was left out or is in doubt: Copy details says which."
    ]
    assert "broken.png" in window.banner._details


def test_name_place_copies_share_and_seed_are_as_chosen(window, pets, tmp_path, qtbot):
    dialog = ask_import_images(window, [pets])
    ready(qtbot, dialog)
    write(dialog.where.name, "My pets")
    assert dialog.where.target == tmp_path / "My pets"  # the place follows the name
    write(dialog.where.place, str(tmp_path / "there"))
    write(dialog.where.name, "Pets at home")
    assert dialog.where.target == tmp_path / "there"  # until a person chose one
    choose(dialog.where.copy, "copy")
    assert "are copied into the workspace" in dialog.told.words
    write(dialog.where.share, "30")
    write(dialog.where.seed, "5")
    assert "30 % of every class drawn with seed 5" in dialog.told.words
    QTest.keyClick(dialog, Qt.Key.Key_Return)  # the primary button is the default one
    qtbot.waitUntil(lambda: window.session.workspace.name == "Pets at home", timeout=30_000)
    ended(qtbot, window)
    shutil.rmtree(pets)
    workspace = window.session.workspace
    assert workspace.path == tmp_path / "there"
    assert workspace.image(0).shape == (40, 50, 3)
    assert len(workspace.image_ids(split="test")) == 6


def test_a_set_with_its_own_split_asks_for_no_share(window, birds, qtbot):
    dialog = ask_import_images(window, [birds])
    ready(qtbot, dialog)
    assert dialog.found.headline.text() == "CUB-200-2011: 6 images of 2 classes"
    assert not dialog.where.share.isVisible()
    for words in ("Its own split", "Object masks of 6 images.", "Boxes of 6 images."):
        assert words in dialog.told.words
    click(dialog.go)
    qtbot.waitUntil(lambda: len(window.session.workspace.image_ids()) == 6, timeout=30_000)
    workspace = window.session.workspace
    assert len(workspace.segmentations(workspace.image_ids())) == 6
    assert window.session.told == []


def test_pictures_come_into_the_open_workspace(window, photos, qtbot):
    workspace = window.session.workspace
    dialog = ask_import_images(window, photos, adds=True)
    ready(qtbot, dialog)
    where = dialog.where
    assert dialog.found.headline.text() == "3 pictures"
    assert dialog.go.text() == "Add 3 pictures"
    assert where.copies  # where single pictures lay, they may not stay
    assert where.collection_name == "dropped pictures"
    assert where.class_name is None
    assert "all images are for training" in dialog.told.words
    write(where.label.lineEdit(), "bar")
    click(dialog.go)
    ended(qtbot, window)
    assert window.session.news == ["3 images added to shapes."]
    assert window.session.workspace is workspace
    assert window.session.selection.images == (60, 61, 62)
    assert window.session.selection.current_image == 60
    assert window.film_strip.strip.ids().tolist() == [60, 61, 62]
    assert [workspace.classes[label] for label in workspace.labels([60, 61, 62])] == ["bar"] * 3
    assert workspace.image_ids(collection="dropped pictures").tolist() == [60, 61, 62]
    assert window.film_strip.collection.findText("dropped pictures") >= 0


def test_what_is_there_already_is_left_out(window, photos, qtbot):
    for told in (
        ["3 images added to shapes."],
        ["0 images added to shapes, 3 left out that were there already."],
    ):
        window.session.news.clear()
        dialog = ask_import_images(window, photos, adds=True)
        ready(qtbot, dialog)
        click(dialog.go)
        ended(qtbot, window)
        assert window.session.news == told
    assert len(window.session.workspace.image_ids()) == 63


def test_a_set_into_the_open_workspace_brings_its_classes(window, pets, qtbot):
    dialog = ask_import_images(window, [pets])
    ready(qtbot, dialog)
    turn(dialog.where.into, 1)
    assert dialog.go.text() == "Add 21 images"
    assert not dialog.where.name.isVisible()
    assert dialog.where.collection_name == "pets"
    click(dialog.go)
    ended(qtbot, window)
    assert window.session.workspace.classes == ("square", "bar", "cross", "cat", "dog")
    assert len(window.session.workspace.image_ids(collection="pets")) == 20


def test_a_place_that_is_taken_is_said(window, pets, tmp_path, qtbot):
    dialog = ask_import_images(window, [pets])
    ready(qtbot, dialog)
    write(dialog.where.place, str(pets))
    assert not dialog.go.isEnabled()
    assert dialog.problem.text() == f"{pets} is there already: choose another place."
    write(dialog.where.place, str(tmp_path / "free"))
    assert dialog.go.isEnabled()
    assert not dialog.problem.isVisible()
    dialog.reject()


def test_what_is_no_image_is_said_and_something_else_can_be_chosen(
    window, pets, tmp_path, qtbot, monkeypatch
):
    (tmp_path / "notes.txt").write_text("buy milk")
    dialog = ask_import_images(window, [tmp_path / "notes.txt"])
    qtbot.waitUntil(lambda: "notes.txt" in dialog.found.words.text(), timeout=10_000)
    assert not dialog.go.isEnabled()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(pets))
    click(dialog.source.folder)
    ready(qtbot, dialog)
    assert dialog.source.words.text() == f"pets in {pets.parent}"
    (tmp_path / "more").mkdir()
    shutil.copyfile(pets / "cat" / "cat0.png", tmp_path / "more" / "one.png")
    chosen = [str(tmp_path / "more" / "one.png")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    click(dialog.source.files)
    qtbot.waitUntil(lambda: len(dialog.found.thumbnails) == 1, timeout=10_000)
    dialog.reject()


def test_a_workspace_and_a_model_are_no_images(window, shapes_path, tmp_path, qtbot):
    from numpy import zeros
    from safetensors.numpy import save_file

    save_file({"a": zeros(2)}, tmp_path / "net.safetensors")
    for path, words in (
        (shapes_path, "is a workspace"),
        (tmp_path / "net.safetensors", "is a trained model"),
    ):
        dialog = ask_import_images(window, [path])
        qtbot.waitUntil(lambda words=words, d=dialog: words in d.found.words.text(), timeout=10_000)
        dialog.reject()


def test_a_cancelled_import_leaves_nothing(window, pets, qtbot):
    held = threading.Event()
    dialog = ask_import_images(window, [pets])
    ready(qtbot, dialog)

    def hold(token):
        while not held.wait(0.01):
            yield None
        yield Notice("gone on")

    window.session.jobs.run("before it", hold, lambda event: None, on="disk")
    target = dialog.where.target
    click(dialog.go)
    qtbot.waitUntil(lambda: len(window.session.jobs.running) == 2)
    row = window.session.jobs.running[1]
    row.handle.token.cancel()
    held.set()
    ended(qtbot, window)
    assert window.session.news == [f"The import was cancelled: nothing was made at {target}."]
    assert not target.exists()
    assert window.session.workspace.name == "shapes"


def test_a_running_import_is_cancelled_in_the_job_bar(window, tmp_path, qtbot):
    for number in range(400):
        path = tmp_path / "many" / str(number % 2) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((200, 200), 90).save(path)
    dialog = ask_import_images(window, [tmp_path / "many"])
    ready(qtbot, dialog)
    click(dialog.go)
    (button,) = (b for b in window.findChildren(QToolButton) if b.accessibleName() == "Cancel this job")
    qtbot.waitUntil(button.isVisible)
    click(button)
    ended(qtbot, window)
    assert window.session.news == [
        f"The import was cancelled: nothing was made at {tmp_path / 'many workspace'}."
    ]
    assert not (tmp_path / "many workspace").exists()


def test_the_dialogue_opens_by_its_keys(window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    modifiers = Qt.KeyboardModifier.ControlModifier
    for more, adds in ((Qt.KeyboardModifier.NoModifier, False), (Qt.KeyboardModifier.ShiftModifier, True)):
        QTest.keyClick(window, Qt.Key.Key_N, modifiers | more)
        qtbot.waitUntil(lambda: bool(_open(window)))
        (dialog,) = _open(window)
        assert dialog.where.adds == adds
        assert not dialog.go.isEnabled()
        assert "Class folders" in dialog.found.words.text()
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: not _open(window))
        qtbot.waitUntil(window.isActiveWindow)


@pytest.mark.parametrize("read_only", [False, True], ids=["none open", "read-only"])
def test_without_a_workspace_that_can_be_changed_a_new_one_is_made(
    window, photos, shapes_path, qtbot, read_only
):
    session = window.session
    session.close_workspace()
    if read_only:
        from sip_explorer.workspace import Workspace

        holder = Workspace.open(shapes_path)
        session.open_workspace(shapes_path)
        assert session.workspace.read_only
    dialog = ask_import_images(window, photos, adds=True)
    ready(qtbot, dialog)
    assert not dialog.where.into.isVisible()
    assert dialog.go.text() == "Make the workspace"
    dialog.reject()
    if read_only:
        holder.close()


def _open(window):
    return [dialog for dialog in window.findChildren(ImagesDialog) if dialog.isVisible()]
