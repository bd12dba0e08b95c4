"""The loading dialogue in the real window, on real files, by mouse and key."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from sip_explorer.models import Choice, build_classifier
from sip_explorer.qt.models import ask_add_model, ask_change_model
from sip_explorer.qt.models.add_dialog import AddDialog
from tests.qt.models.conftest import CLASSES, added, click, ready, refused

LEFT = Qt.MouseButton.LeftButton


def gone(qtbot, window):
    qtbot.waitUntil(lambda: not window.findChildren(AddDialog), timeout=5_000)


def pick(table, row):
    """Click on a row of the settings."""
    item = table.topLevelItem(row)
    QTest.mouseClick(table.viewport(), LEFT, pos=table.visualItemRect(item).center() - QPoint(100, 0))


def type_into(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def test_a_foreign_checkpoint_is_looked_into_measured_and_added(window, foreign, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(foreign), ""))
    segments = window.rooms["library"].segments
    segments.setFocus()
    QTest.keyClick(segments, Qt.Key.Key_Right)
    click(window.rooms["library"].add)
    dialog = window.findChild(AddDialog)
    ready(qtbot, dialog)
    assert dialog.facts.name.text() == "shapes-net.pt"
    said = dialog.facts.facts.text()
    assert "0.44 million parameters in 12 tensors" in said
    assert "under “state_dict”, beside epoch, optimizer" in said
    why = dialog.facts.architecture.why.text()
    assert why == "Every one of 12 keys and shapes is that of a small-cnn with 3 classes."
    table = dialog.settings.table
    assert table.topLevelItem(0).text(0).endswith("of 60 · 100.0 %")
    assert table.topLevelItem(0).text(1) == "none: the network takes 0 to 255"
    assert table.selectedItems() == [table.topLevelItem(0)]
    assert "proposed" in table.topLevelItem(0).text(table.columnCount() - 1)
    assert "square, bar, cross" in dialog.facts.classes.text()
    assert "all 3 classes of shapes are among them" in dialog.facts.classes.text()
    type_into(dialog.name, "my net")
    type_into(dialog.licence.lineEdit(), "MIT")
    click(dialog.go)
    entry = added(qtbot, window)
    assert entry.name == "my-net"
    assert entry.card.licence == "MIT"
    assert entry.card.choice.classes == CLASSES
    assert entry.card.choice.normalisation == ((0.0,), (1 / 255,))
    assert "none: the network takes 0 to 255" in entry.card.reason
    assert entry.load().classes == CLASSES
    assert window.rooms["library"].models.card.title.text() == "my-net"
    gone(qtbot, window)


def test_another_row_may_be_chosen(window, foreign, qtbot):
    dialog = ask_add_model(window, foreign)
    ready(qtbot, dialog)
    table = dialog.settings.table
    pick(table, 1)
    other = table.rows[1].setting
    assert dialog.settings.why.text().startswith(f"Your choice: {other.normalisation}")
    click(dialog.go)
    entry = added(qtbot, window)
    assert entry.card.choice == other.choice
    assert entry.card.reason.startswith("chosen by hand: ")


def test_what_is_set_by_hand_is_tried_before_it_is_taken(window, foreign, qtbot):
    dialog = ask_add_model(window, foreign)
    ready(qtbot, dialog)
    hand = dialog.settings.hand
    click(hand.section._title)
    hand.normalisation.setFocus()
    while hand.normalisation.currentText() != "another one …":
        QTest.keyClick(hand.normalisation, Qt.Key.Key_Down)
    type_into(hand.mean, "0.5")
    type_into(hand.std, "0.0")
    assert not dialog.go.isEnabled()
    qtbot.waitUntil(lambda: hand.note.isVisible(), timeout=5_000)
    assert hand.note.text() == "A standard deviation must be above 0."
    type_into(hand.std, "0.004")
    ready(qtbot, dialog)
    assert not hand.note.isVisible()
    table = dialog.settings.table
    assert table.topLevelItem(0).text(table.columnCount() - 1) == "by hand"
    assert table.selectedItems() == [table.topLevelItem(0)]
    click(dialog.go)
    entry = added(qtbot, window)
    (mean,), (std,) = entry.card.choice.normalisation
    assert (mean, std) == pytest.approx((0.5, 0.004), rel=1e-6)
    assert entry.card.reason.startswith("set by hand: ")


def test_names_of_another_number_are_refused(window, foreign, qtbot):
    dialog = ask_add_model(window, foreign)
    ready(qtbot, dialog)
    hand = dialog.settings.hand
    click(hand.section._title)
    hand.classes.setFocus()
    hand.classes.selectAll()
    QTest.keyClicks(hand.classes, "cat")
    qtbot.waitUntil(lambda: hand.note.isVisible(), timeout=5_000)
    assert hand.note.text().startswith("1 class names stand here, and the network has 3 logits")
    assert not dialog.go.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(qtbot, window)


def test_nothing_can_be_measured_and_that_is_said(window, tmp_path, qtbot):
    model = build_classifier(
        "small-cnn",
        classes=[str(n) for n in range(5)],
        input_shape=(1, 28, 28),
        mean=(0.0,),
        std=(1.0,),
        seed=0,
    )
    torch.save(model.network.state_dict(), tmp_path / "five.pt")
    dialog = ask_add_model(window, tmp_path / "five.pt")
    ready(qtbot, dialog)
    assert not dialog.settings.table.isVisible()
    assert "no class in common" in dialog.settings.why.text()
    assert dialog.settings.hand.normalisation.isVisible()  # unfolded: these are assumed
    assert dialog.settings.hand.classes.toPlainText().splitlines() == [f"class {n}" for n in range(5)]
    click(dialog.go)
    entry = added(qtbot, window)
    assert "no class in common" in entry.card.reason


def test_weights_and_their_average_are_a_choice(window, tmp_path, network, qtbot):
    state = network.state_dict()
    wrong = {key: torch.zeros_like(value) for key, value in state.items()}
    torch.save({"model": wrong, "ema": state}, tmp_path / "two.pt")
    dialog = ask_add_model(window, tmp_path / "two.pt")
    ready(qtbot, dialog)
    weights = dialog.facts.weights
    assert [weights.tabText(place) for place in range(3)] == ["the better of both", "model", "EMA"]
    assert dialog.settings.choice.weights == "EMA"
    QTest.mouseClick(weights, LEFT, pos=weights.tabRect(1).center())
    assert not dialog.go.isEnabled()
    ready(qtbot, dialog)
    assert dialog.settings.choice.weights == "model"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(qtbot, window)


def test_a_cifar_resnet_is_recognised(window, tmp_path, qtbot):
    model = build_classifier(
        "resnet18-cifar",
        classes=[str(n) for n in range(10)],
        input_shape=(3, 32, 32),
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        seed=0,
    )
    torch.save({"net": model.network.state_dict()}, tmp_path / "ckpt.pth")
    dialog = ask_add_model(window, tmp_path / "ckpt.pth")
    ready(qtbot, dialog)
    assert dialog.facts.architecture.box.currentText() == "resnet18-cifar"
    assert "122 keys and shapes" in dialog.facts.architecture.why.text()
    assert "11.2 million parameters" in dialog.facts.facts.text()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(qtbot, window)


def test_own_code_runs_only_after_the_tick(window, tmp_path, qtbot):
    ran = tmp_path / "ran"
    (tmp_path / "strange_nets.py").write_text(
        f"""
import pathlib
import torch
pathlib.Path({str(ran)!r}).touch()
class Net(torch.nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.body = torch.nn.Linear(28 * 28, num_classes)
    def forward(self, images):
        return self.body(images.flatten(1))
"""
    )
    torch.save({"body.weight": torch.rand(3, 784), "body.bias": torch.rand(3)}, tmp_path / "own.pt")
    dialog = ask_add_model(window, tmp_path / "own.pt")
    qtbot.waitUntil(lambda: dialog.keys.isVisible(), timeout=10_000)
    assert "body.weight   3 × 784   float32" in dialog.keys.lines.toPlainText()
    architecture = dialog.facts.architecture
    assert not dialog.go.isEnabled()
    type_into(architecture.box.lineEdit(), "strange_nets:Net")
    QTest.keyClick(architecture.box.lineEdit(), Qt.Key.Key_Return)
    assert architecture.tick.text() == "Run the code of strange_nets, which I trust"
    assert not dialog.go.isEnabled()
    qtbot.wait(100)
    assert not ran.exists()
    QTest.mouseClick(architecture.tick, LEFT, pos=QPoint(8, architecture.tick.height() // 2))
    assert "give the size of its images" in refused(qtbot, dialog)
    assert ran.exists()
    type_into(architecture.size, "1 x 28 x 28")
    QTest.keyClick(architecture.size, Qt.Key.Key_Return)
    ready(qtbot, dialog)
    assert not dialog.problem.isVisible()
    click(dialog.go)
    entry = added(qtbot, window)
    assert entry.card.choice.own_code
    assert entry.card.choice.architecture == "strange_nets:Net"
    assert entry.card.choice.input_shape == (1, 28, 28)


def test_another_architecture_that_does_not_fit_is_refused_in_the_dialogue(window, foreign, qtbot):
    dialog = ask_add_model(window, foreign)
    ready(qtbot, dialog)
    field = dialog.facts.architecture.box.lineEdit()
    type_into(field, "resnet18-cifar")
    QTest.keyClick(field, Qt.Key.Key_Return)
    sentence = refused(qtbot, dialog)
    assert sentence.startswith("shapes-net.pt ")
    assert not dialog.go.isEnabled()
    type_into(field, "no-such-net")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "is no architecture known here" in dialog.facts.architecture.why.text()
    assert not dialog.problem.isVisible()
    type_into(field, "small-cnn")
    QTest.keyClick(field, Qt.Key.Key_Return)
    ready(qtbot, dialog)
    assert not dialog.problem.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(qtbot, window)


def test_a_whole_module_shows_the_lines_that_save_it_anew(window, tmp_path, qtbot):
    torch.save(torch.nn.Linear(3, 4), tmp_path / "whole.pt")
    dialog = ask_add_model(window, tmp_path / "whole.pt")
    assert "whole.pt holds a whole pickled object" in refused(qtbot, dialog)
    lines = dialog.problem.lines.toPlainText().splitlines()
    assert len(lines) == 3
    assert dialog.problem.lines.isVisible()
    click(dialog.problem.copy)
    assert QGuiApplication.clipboard().text().splitlines() == lines
    assert not dialog.go.isEnabled()
    click(dialog.buttons.button(dialog.buttons.StandardButton.Cancel))
    gone(qtbot, window)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"", "empty"),
        (b"hello, this is text", "page.pt"),
    ],
)
def test_a_file_that_is_no_checkpoint(window, tmp_path, qtbot, content, said):
    (tmp_path / "page.pt").write_bytes(content)
    dialog = ask_add_model(window, tmp_path / "page.pt")
    assert said in refused(qtbot, dialog)
    assert not dialog.go.isEnabled()
    assert not dialog.name.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(qtbot, window)


def test_a_model_that_is_there_is_read_otherwise(window, foreign, qtbot):
    workspace = window.session.workspace
    given = Choice(
        architecture="small-cnn", classes=CLASSES, normalisation=((0.25,), (0.5,)), input_shape=(1, 28, 28)
    )
    entry = workspace.add_model(foreign, choice=given, reason="a guess")
    window.session.refresh_models()
    dialog = ask_change_model(window.session, window.session.model(entry.id), window)
    ready(qtbot, dialog)
    assert not dialog.name.isVisible()
    assert dialog.settings.choice.normalisation == ((0.25,), (0.5,))  # as it is read now
    table = dialog.settings.table
    assert table.selectedItems()[0].text(table.columnCount() - 1) == "by hand"
    proposed = next(
        row for row in range(9) if "proposed" in table.topLevelItem(row).text(table.columnCount() - 1)
    )
    pick(table, proposed)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.session.model(entry.id).card.choice != given, timeout=10_000)
    card = window.session.model(entry.id).card
    assert card.choice.normalisation == ((0.0,), (1 / 255,))
    classifier = window.session.model(entry.id).load()
    np.testing.assert_allclose(classifier.std.flatten(), 1 / 255)
    gone(qtbot, window)


def test_the_dialogue_closes_while_it_measures(window, tmp_path, foreign, qtbot):
    dialog = ask_add_model(window, foreign)
    qtbot.waitUntil(lambda: dialog.settings.bar.bar.isVisible(), timeout=10_000)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(qtbot, window)
    assert window.session.models == []


def test_without_a_workspace_it_is_said(qtbot, window, foreign):
    window.enter("salience")
    window.session.close_workspace()
    assert ask_add_model(window, foreign) is None
    assert window.session.told[-1] == "No workspace is open: open one before adding a model."
