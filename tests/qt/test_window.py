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
from sip_explorer.records import CancelToken, Event


def test_every_room_opens_by_its_key_and_shows_something(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for number, key in enumerate(ROOMS, start=1):
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


def test_new_workspace_from_a_folder(open_window, shapes_path, tmp_path, qtbot):
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for number in range(10):
            folder = tmp_path / "pets" / name
            folder.mkdir(parents=True, exist_ok=True)
            pixels = generator.integers(0, 255, (40, 50, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    (tmp_path / "pets" / "cat" / "broken.png").write_bytes(b"no image at all")
    window = open_window(shapes_path)
    window.new_workspace(tmp_path / "pets", tmp_path / "pets workspace")
    qtbot.waitUntil(lambda: window.session.workspace.classes == ("cat", "dog"), timeout=20_000)
    assert len(window.session.workspace.image_ids()) == 20
    assert window.rooms["salience"].canvas.has_image()
    assert window.session.told == []


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


def test_a_folder_that_is_no_workspace_leaves_the_open_one(open_window, shapes_path, tmp_path):
    window = open_window(shapes_path)
    before = window.session.workspace
    assert not window.session.attempt(lambda: window.session.open_workspace(tmp_path))
    assert window.session.workspace is before
    assert str(tmp_path) in window.session.told[0]


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
