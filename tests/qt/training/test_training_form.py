"""The recipe's form: what it asks, what it refuses, what it says about salience."""

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.rooms.training.salience_count import SalienceCount, salience_sentence
from sip_explorer.training.recipe import Recipe
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton


def test_a_bad_field_gets_one_sentence_and_no_run_starts(room, fill):
    fill(room, method="clean")
    for key, typed, words in (
        ("epochs", "abc", "Epochs must be a whole number"),
        ("epochs", "0", "from 1 to 100000"),
        ("batch_size", "", "Batch size must be a whole number"),
        ("learning_rate", "-1", "Learning rate is '-1'"),
        ("learning_rate", "nan", "give a finite number above 0"),
        ("epsilon", "-0.1", "outside 0 to 1"),
        ("epsilon", "nan", "write 8/255"),
        ("seed", "1.5", "Seed must be a whole number"),
    ):
        field, mark = room.panel.form.fields[key], room.panel.form.rows[key].reset
        line = field.editor if key != "epsilon" else field.editor.focusProxy()
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, typed) if typed else QTest.keyClick(line, Qt.Key.Key_Delete)
        assert words in (field.problem or field.own_problem()), (key, typed)
        assert not room.start_button.isEnabled(), (key, typed)
        assert words in room.start_button.toolTip(), (key, typed)
        QTest.mouseClick(mark, LEFT)
        assert not field.problem
        assert room.start_button.isEnabled(), (key, typed)
        assert mark.isHidden()


def test_fields_that_contradict_each_other_are_named_as_the_form_names_them(room, fill):
    fill(room, method="adversarial", epochs="2", epsilon_warmup="5")
    assert room.panel.form.fields["epsilon_warmup"].problem.startswith("Epsilon warm-up (5")
    assert not room.start_button.isEnabled()


def test_what_does_not_matter_is_not_asked(room, fill):
    rows = room.panel.form.rows
    fill(room, method="clean")
    assert not rows["steps"].editor.isVisible()
    assert not rows["salience"].editor.isVisible()
    fill(room, method="sip-at", salience="grad-cam", steps="5")
    assert rows["reference"].editor.isVisible()
    assert "No trained model fits" in room.start_button.toolTip()
    assert rows["step_size"].editor.editor.placeholderText() == "0.05"
    fill(room, salience="none")
    assert not rows["reference"].editor.isVisible()
    assert room.start_button.isEnabled()


def test_a_field_that_does_not_matter_neither_counts_nor_refuses(room, fill):
    form = room.panel.form
    fill(room, method="sip-at", salience="painted", budget="soft", unannotated="half", trades_beta="6")
    assert not room.start_button.isEnabled()
    fill(room, method="trades")
    recipe = form.recipe()
    assert (recipe.method, recipe.budget, recipe.unannotated, recipe.trades_beta) == ("trades", "hard", 0, 6)
    assert room.start_button.isEnabled()
    assert form.rows["trades_beta"].editor.isVisible()
    fill(room, method="sip-at", unannotated="1/2")
    recipe = form.recipe()
    assert (recipe.budget, recipe.unannotated, recipe.trades_beta) == ("soft", 0.5, 1)


def test_rare_fields_are_folded_away_and_say_that_they_were_changed(room, fill):
    form = room.panel.form
    more, rows = form.more["momentum"], form.rows
    assert not rows["momentum"].editor.isVisible()
    room.inspector.ensureWidgetVisible(more)
    QTest.mouseClick(more, LEFT)
    assert rows["momentum"].editor.isVisible()
    assert not rows["schedule_factor"].editor.isVisible()
    fill(room, momentum="0.8", schedule="step")
    assert rows["schedule_factor"].editor.isVisible()
    QTest.mouseClick(more, LEFT)
    assert not rows["momentum"].editor.isVisible()
    assert more.text() == "More · 2 changed"
    fill(room, momentum="x")  # what stands in the way of a start is never out of sight
    assert rows["momentum"].editor.isVisible()


def test_every_field_of_a_recipe_has_a_place_in_the_form(room):
    missing = set(Recipe.rules()) - set(room.panel.form.fields)
    assert missing == {"annotator"}


def test_a_recipe_shown_is_the_very_same_recipe(room):
    form = room.panel.form
    wanted = Recipe.authors(method="sip-at", seed=3, collection="few", device="cpu", limit=20)
    form.load(dataclasses.asdict(wanted))
    assert form.recipe(annotator="").hash == wanted.hash


def test_a_collection_and_its_painted_images_are_counted(room, qtbot, fill, paint):
    paint(room.session, (3, 40))
    fill(room, collection="few", salience="painted")
    qtbot.waitUntil(lambda: "1 of 32 painted" in room.panel.form.salience_note.text(), timeout=5000)
    room.session.choose_annotator("Bo")
    assert "0 of 32 painted by Bo" in room.panel.form.salience_note.text()


def test_a_workspace_open_elsewhere_can_be_watched_but_not_trained_in(opened, workspace_path):
    first = Workspace.open(workspace_path)
    try:
        _, room = opened(workspace_path)
        assert not room.start_button.isEnabled()
        assert room.start_button.toolTip() == room.session.workspace.lock_holder
    finally:
        first.close()


@pytest.mark.parametrize(
    ("method", "policy", "expected"),
    [
        ("sip-at", "painted-else-grad-cam", "38 of 400 painted by Ana; 362 would get Grad-CAM of standard."),
        ("sip-at", "painted", "38 of 400 painted by Ana; the other 362 carry no salience"),
        ("sip-at", "grad-cam", "400 images would get Grad-CAM of standard; the 38 painted are not used."),
        ("sip-at", "none", "400 images without salience"),
        ("adversarial", "painted", "may move every pixel"),
        ("sip-at", "integrated-gradients", "400 images would get integrated gradients of standard;"),
        ("sip-at", "boxes-else-grad-cam", "those with boxes carry it, others would get Grad-CAM of standard"),
        ("sip-at", "segmentation", "those with a segmentation carry it, others carry no salience"),
        ("sip-at", "painted-else-segmentation", "of the other 362 those with a segmentation carry it."),
        ("trades", "painted", "TRADES may move every pixel"),
        ("clean", "painted", "needs no salience"),
    ],
)
def test_the_sentence_says_which_salience_a_run_would_use(method, policy, expected):
    assert expected in salience_sentence(SalienceCount(400, 38, "Ana"), method, policy, "standard")
