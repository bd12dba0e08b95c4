"""The card of a model in the Library room, by mouse and key."""

import hashlib
import threading

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from sip_explorer.models import Choice, build_classifier, save_checkpoint
from sip_explorer.qt.models.accuracy_bar import AccuracyBar
from sip_explorer.qt.models.add_dialog import AddDialog
from sip_explorer.qt.models.model_card import ModelCardView
from sip_explorer.workspace import Workspace
from tests.qt.models.conftest import CLASSES, click, ready

GOOD = Choice(
    architecture="small-cnn", classes=CLASSES, normalisation=((0.0,), (1 / 255,)), input_shape=(1, 28, 28)
)


@pytest.fixture
def card(window, foreign, tmp_path, qtbot):
    """The card of the shapes' model; another model is beside it."""
    session = window.session
    other = build_classifier(
        "small-cnn", classes=CLASSES, input_shape=(1, 28, 28), mean=(0.1,), std=(0.3,), seed=1
    )
    save_checkpoint(
        tmp_path / "other.safetensors", other.eval(), origin={"method": "clean", "licence": "MIT"}
    )
    entry = session.workspace.add_model(foreign, choice=GOOD, reason="best of 12 settings")
    session.workspace.add_model(tmp_path / "other.safetensors")
    session.refresh_models()
    session.jobs.warm_up()
    room = window.rooms["library"]
    room.segments.setCurrentIndex(1)
    view = room.models.card
    assert isinstance(view, ModelCardView)
    show(view, window, entry.name)
    qtbot.waitUntil(lambda: "0.44 million" in view.facts.words, timeout=30_000)
    return view


def texts(widget):
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def show(card, window, name):
    """Click on a model in the list."""
    table = window.rooms["library"].models.table
    (item,) = table.findItems(name, Qt.MatchFlag.MatchExactly)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(item).center())
    assert card.title.text() == name


def test_what_is_known_of_a_model(card, foreign, window):
    said = card.facts.words
    assert card.title.text() == "shapes-net"
    assert "small-cnn" in said
    assert "28 × 28 pixels, grey" in said
    assert "3: square, bar, cross" in said
    assert "standard deviation 0.003922" in said
    assert "best of 12 settings" in said
    assert str(foreign) in said
    click(card.hash)
    assert QGuiApplication.clipboard().text() == hashlib.sha256(foreign.read_bytes()).hexdigest()
    assert window.session.news[-1] == "The SHA-256 of shapes-net is on the clipboard."


def test_accuracies_are_measured_with_their_intervals(card, qtbot):
    assert "Not measured here yet." in texts(card.accuracy)
    click(card.accuracy.go)
    assert card.accuracy.stop.isVisible()
    qtbot.waitUntil(lambda: "Clean" in texts(card.accuracy), timeout=60_000)
    qtbot.waitUntil(lambda: card.accuracy.go.isVisible(), timeout=10_000)
    qtbot.waitUntil(lambda: "Clean" in texts(card.accuracy), timeout=5_000)  # filled anew once more
    said = texts(card.accuracy)
    assert "100.0 %" in said
    assert any(words.endswith("60 of 60") for words in said)
    assert "PGD-20, L∞, log-odds at 8/255 = 0.03137" in said
    assert any(words.startswith("Measured on 60 images of shapes (15 of the test split), ") for words in said)
    assert sum(bar.isVisible() for bar in card.accuracy.findChildren(AccuracyBar)) == 2


def test_checks_have_a_mark_and_a_word(card, window, qtbot):
    click(card.checks.go)
    qtbot.waitUntil(lambda: "passed" in texts(card.checks), timeout=60_000)
    qtbot.waitUntil(lambda: card.checks.go.isEnabled(), timeout=10_000)
    checks = window.session.model("models/shapes-net.pt").card.checks
    words = texts(card.checks)
    assert words.count("passed") == sum(check.passed for check in checks) >= 5
    assert words.count("failed") == sum(not check.passed for check in checks)
    assert any(text.startswith("Deterministic\n") for text in words)
    marks = [label for label in card.checks.findChildren(QLabel) if not label.pixmap().isNull()]
    assert len(marks) == len(checks)


def test_checks_do_not_wait_for_a_long_job(card, window, qtbot):
    release = threading.Event()

    def long(_token):
        while not release.wait(0.01):
            yield None

    window.session.jobs.run("training", long, lambda _event: None)
    try:
        click(card.checks.go)
        qtbot.waitUntil(lambda: "passed" in texts(card.checks), timeout=60_000)
        assert [row.title for row in window.session.jobs.running] == ["training"]
    finally:
        release.set()
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=10_000)


def test_a_measurement_can_be_stopped_and_keeps_to_its_model(card, window, qtbot):
    release = threading.Event()

    def long(_token):
        while not release.wait(0.01):
            yield None

    window.session.jobs.run("training", long, lambda _event: None)
    click(card.accuracy.go)
    qtbot.waitUntil(lambda: card.accuracy.words.text() == "Waits for the work before it", timeout=5_000)
    show(card, window, "other")
    assert card.accuracy.go.isVisible()
    assert not card.accuracy.stop.isVisible()
    show(card, window, "shapes-net")
    assert card.accuracy.stop.isVisible()
    window.session.jobs.rows[-1].handle.token.cancel()
    release.set()
    qtbot.waitUntil(lambda: card.accuracy.go.isVisible(), timeout=10_000)
    assert window.session.model("models/shapes-net.pt").card.measured == ()


def test_notes_and_licence_are_saved_by_themselves(card, window, qtbot):
    card.texts.notes.setFocus()
    QTest.keyClicks(card.texts.notes, "trained in May")
    stored = window.session.workspace
    qtbot.waitUntil(
        lambda: stored.card(window.session.model("models/shapes-net.pt")).notes == "trained in May",
        timeout=10_000,
    )
    card.texts.licence.lineEdit().setFocus()
    QTest.keyClicks(card.texts.licence.lineEdit(), "MIT")
    show(card, window, "other")  # before the pause is over
    assert card.texts.notes.toPlainText() == ""
    assert card.texts.licence.currentText() == "MIT"  # as that file says
    qtbot.waitUntil(
        lambda: stored.card(window.session.model("models/shapes-net.pt")).licence == "MIT", timeout=10_000
    )
    show(card, window, "shapes-net")
    assert card.texts.notes.toPlainText() == "trained in May"


def test_notes_survive_a_window_that_closes_at_once(card, window, shapes_path):
    card.texts.notes.setFocus()
    QTest.keyClicks(card.texts.notes, "do not lose me")
    window.close_now()
    with Workspace.open(shapes_path) as workspace:
        entry = next(entry for entry in workspace.models() if entry.name == "shapes-net")
        assert workspace.card(entry).notes == "do not lose me"


def test_change_how_it_is_read(card, window, qtbot):
    click(card.change)
    dialog = window.findChild(AddDialog)
    ready(qtbot, dialog)
    assert dialog.settings.choice == GOOD
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(AddDialog), timeout=5_000)


def test_a_model_that_cannot_be_loaded_says_so(card, window, qtbot, tmp_path):
    torch.save({"strange.weight": torch.rand(3, 3)}, tmp_path / "strange.pt")
    window.session.workspace.add_model(tmp_path / "strange.pt")
    window.session.refresh_models()
    show(card, window, "strange")
    qtbot.waitUntil(lambda: card.problem.isVisible(), timeout=30_000)
    assert "is of an architecture that its keys do not tell" in card.problem.sentence.text()
    click(card.checks.go)
    qtbot.waitUntil(lambda: "keys do not tell" in card.checks.words.text(), timeout=30_000)
    show(card, window, "shapes-net")
    assert not card.problem.isVisible()
    assert card.checks.words.text() == ""
