"""The window: rooms, menus, the first start, closing with work, what is dropped on bad input."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.rooms import ROOMS
from sip_explorer.qt.theme import DARK, LIGHT, theme
from sip_explorer.qt.widgets.command_palette import CommandPalette
from sip_explorer.records import CancelToken, Event, Progress, SipError


def test_every_room_opens_by_its_key_and_shows_something(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for number, key in enumerate(ROOMS):
        QTest.keyClick(window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda key=key: key in window.rooms and window.rooms[key].isVisible())
        picture = window.grab().toImage()
        assert picture.width() >= 1280
    assert window.session.told == []


def test_light_and_dark_follow_the_choice(open_window, shapes_path):
    window = open_window(shapes_path)
    window._choose_theme("dark")
    assert theme.tokens is DARK
    window._choose_theme("light")
    assert theme.tokens is LIGHT
    assert window.session.settings["theme"] == "light"


def test_a_foreign_checkpoint_gets_one_sentence_and_the_program_goes_on(open_window, shapes_path, tmp_path):
    window = open_window(shapes_path)
    bad = tmp_path / "notes.pt"
    bad.write_text("this is no checkpoint")
    assert not window.session.attempt(lambda: window.session.add_model(bad))
    (sentence,) = window.session.told
    assert "notes.pt" in sentence
    assert window.banner.isVisible()
    assert window.banner.text.text() == sentence
    assert window.rooms["salience"].canvas.has_image()


def test_a_whole_pickled_model_is_refused_when_it_is_added(open_window, shapes_path, tmp_path, qtbot):
    import torch

    window = open_window(shapes_path)
    torch.save(torch.nn.Linear(4, 3), tmp_path / "whole.pt")
    window.session.import_model(tmp_path / "whole.pt")
    qtbot.waitUntil(lambda: len(window.session.told) == 1, timeout=20_000)
    assert "state_dict()" in window.session.told[0]
    assert window.session.models == []


def test_a_folder_that_is_no_workspace_leaves_the_open_one(open_window, shapes_path, tmp_path):
    window = open_window(shapes_path)
    before = window.session.workspace
    assert not window.session.attempt(lambda: window.session.open_workspace(tmp_path))
    assert window.session.workspace is before
    assert str(tmp_path) in window.session.told[0]
    assert window.banner.problem
    window.open_workspace(str(shapes_path))
    assert not window.banner.problem


def test_closing_with_work_asks(open_window, shapes_path, qtbot, monkeypatch):
    window = open_window(shapes_path)
    go_on = threading.Event()

    def endless(_token: CancelToken) -> Iterator[Event | None]:
        while not go_on.wait(0.005):
            yield None

    row = window.session.jobs.run("long work", endless, lambda event: None, on="disk")
    qtbot.waitUntil(lambda: row.state == "running")
    asked = []
    monkeypatch.setattr(window, "ask_close_with_work", lambda: asked.append(True) or False)
    assert not window.close()
    assert window.isVisible()
    assert asked == [True]
    assert not row.handle.done
    monkeypatch.setattr(window, "ask_close_with_work", lambda: True)
    assert window.close()
    assert row.handle.state == "cancelled"


def test_the_palette_finds_commands(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    palette = CommandPalette(window.actions(), window)
    palette.show()
    QTest.keyClicks(palette.search, "attack room")
    assert palette.list.count() == 1
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "attacks" in window.rooms)
    palette.deleteLater()


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900)])
def test_no_room_needs_more_than_the_window_has(open_window, shapes_path, size):
    window = open_window(shapes_path, size=size)
    for key in ROOMS:
        window.enter(key)
        assert window.minimumSizeHint().width() <= 1280, key
        assert window.minimumSizeHint().height() <= 800, key


def test_another_workspace_opens_while_work_goes_on(open_window, shapes_path, tmp_path, qtbot):
    import shutil

    window = open_window(shapes_path)
    for key in ROOMS:
        window.enter(key)
    session = window.session
    shutil.copytree(shapes_path, tmp_path / "other", ignore=shutil.ignore_patterns(".lock", "*-wal", "*-shm"))
    first, go_on = session.workspace, threading.Event()
    folder = first.new_run_folder("a run")

    def work(_token: CancelToken) -> Iterator[Event | None]:
        while not go_on.wait(0.005):
            yield None
        (folder / "result").write_text("done")

    row = session.jobs.run("a run", work, lambda event: None, on="disk")
    qtbot.waitUntil(lambda: row.state == "running")
    session.open_workspace(tmp_path / "other")
    assert session.workspace.path == tmp_path / "other"
    go_on.set()
    qtbot.waitUntil(lambda: row.state == "completed")
    assert (folder / "result").read_text() == "done"
    assert folder.parent.parent == shapes_path
    assert session.told == []


def test_a_problem_stays_until_it_is_closed_or_solved(open_window, shapes_path):
    window = open_window(shapes_path)
    banner = window.banner
    window.session.problem.emit("The disk is full.", "")
    window.session.notice.emit("A run finished.")
    assert banner.text.text() == "A run finished."
    banner._timer.timeout.emit()
    assert banner.text.text() == "The disk is full."
    assert banner.isVisible()
    window.session._tell_of_saving("1 change is not saved yet.")
    window.session._tell_of_saving("")
    banner._timer.stop()
    banner._notice_over()
    assert not banner.isVisible()
    window.session.problem.emit("Another one.", "")
    QTest.mouseClick(banner._close, Qt.MouseButton.LeftButton)
    assert not banner.isVisible()


def test_long_names_do_not_widen_the_window(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    go_on = threading.Event()

    def work(_token: CancelToken) -> Iterator[Event | None]:
        yield Progress(1, 9, "y" * 400)
        while not go_on.wait(0.005):
            yield None

    window.session.problem.emit("/" + "x" * 500 + " cannot be read.", "")
    row = window.session.jobs.run("import " + "z" * 300, work, lambda event: None, on="disk")
    qtbot.waitUntil(lambda: row.done == 1)
    assert window.minimumSizeHint().width() <= 1280
    go_on.set()
    qtbot.waitUntil(lambda: row.handle.done)


def test_what_no_slot_caught_is_told(open_window, shapes_path, monkeypatch):
    import sys

    from sip_explorer.qt.app import tell_what_escapes

    window = open_window(shapes_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    tell_what_escapes(window)
    for error in (SipError("The file is gone."), ZeroDivisionError("by nought")):
        try:
            raise error
        except Exception:
            sys.excepthook(*sys.exc_info())
    first, second = window.session.told
    assert first == "The file is gone."
    assert "ZeroDivisionError" in second
    assert "Traceback" in window.banner._details


def test_a_model_is_added_in_the_background(open_window, shapes_path, tmp_path, qtbot):
    from sip_explorer.models import build_classifier, save_checkpoint

    window = open_window(shapes_path)
    path = tmp_path / "Größe.safetensors"
    shape = {"input_shape": (1, 28, 28), "mean": (0,), "std": (1,)}
    save_checkpoint(path, build_classifier("small-cnn", classes=("square", "bar", "cross"), seed=0, **shape))
    for _ in range(2):  # the second time it is there already
        window.session.import_model(path)
        qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=60_000)
        window.session.mailbox.drain(1.0)
    chosen = window.session.selection.current_model
    assert window.session.model(chosen).path.name == "größe.safetensors"
    assert window.session.selection.models.count(chosen) == 1
    window.session.import_model(tmp_path / "absent.pt")
    qtbot.waitUntil(lambda: bool(window.session.told), timeout=20_000)
    assert "absent.pt" in window.session.told[0]


def test_closing_just_as_the_device_gets_ready_leaves_no_thread(open_window, shapes_path):
    window = open_window(shapes_path)
    window.session.jobs.warm_up()
    window.close_now()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("sip-")]


def test_thumbnails_of_photos_come_from_the_disk_thread(open_window, tmp_path, qtbot):
    from sip_explorer.workspace import NewImage, Workspace

    images = []
    for number in range(3):
        Image.fromarray(np.full((700, 900, 3), 80 * number, np.uint8)).save(tmp_path / f"{number}.jpg")
        images.append(NewImage(0, False, (700, 900, 3), path=str(tmp_path / f"{number}.jpg")))
    Workspace.create(tmp_path / "photos", "photos", ["cat", "dog"], images).close()
    (tmp_path / "2.jpg").unlink()
    window = open_window(tmp_path / "photos")
    kept = window.film_strip.strip._thumbnails
    qtbot.waitUntil(lambda: isinstance(kept.get(2), str), timeout=20_000)
    assert "2.jpg" in kept.get(2)
    qtbot.waitUntil(lambda: kept.get(1) is not None and kept.get(1).width() > 1, timeout=20_000)
    assert abs(kept.get(1).pixelColor(1, 1).red() - 80) < 4
    assert window.session.told == []


def test_a_long_word_pushes_nothing_out_of_the_inspector(open_window, tmp_path):
    from sip_explorer.workspace import Workspace

    pixels = np.zeros((4, 8, 8, 1), np.uint8)
    Workspace.from_arrays(tmp_path / "a", "a", pixels, np.arange(4) % 2, ("x" * 90, "dog")).close()
    window = open_window(tmp_path / "a")
    for key in ROOMS:
        inspector = window.enter(key).inspector
        inspector.widget().updateGeometry()
        inspector.ensurePolished()
        window.grab()
        assert inspector.widget().width() <= inspector.viewport().width(), key
