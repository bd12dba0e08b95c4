"""A ProtoFlow in the Train room: its form, its run, its curves and what it draws."""

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.protoflow import load_protoflow
from sip_explorer.qt.rooms.training.sample_strip import HEIGHT, arranged
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.samples_file import SampleGrid, samples_path

FAST = {
    "method": "protoflow", "layout": "squeeze, steps 1x4, squeeze, factor 4, steps 1x4", "components": "2",
    "epochs": "3", "batch_size": "16", "minutes": "0", "device": "cpu", "precision": "float32",
    "samples": "3",
}  # fmt: skip


def curves(plot):
    return {curve.name: curve for curve in plot._curves.values()}


def test_the_form_asks_what_a_flow_needs_and_nothing_else(room, fill):
    form = room.panel.form
    fill(room, method="clean", epochs="7")
    rate = form.fields["learning_rate"]
    assert rate.value() == "0.05"
    fill(room, method="protoflow")
    assert form.rows["density_weight"].editor.isVisible()
    assert not form.rows["consistency_ramp"].editor.isVisible()
    assert not form.rows["epsilon"].editor.isVisible()
    assert not next(section for section, keys in form.sections.items() if "epsilon" in keys).isVisible()
    assert rate.value() == "0.002"
    assert form.fields["epochs"].value() == "7"  # what was typed stays
    assert "needs no salience" in form.salience_note.text()
    assert room.start_button.isEnabled()
    recipe = form.recipe()
    assert recipe == ProtoFlowRecipe(epochs=7)
    fill(room, density_weight="0", classification_weight="0")
    assert form.fields["density_weight"].problem.startswith("Bits/dim × and")
    assert not room.start_button.isEnabled()
    fill(room, method="clean")
    assert rate.value() == "0.05"
    assert room.start_button.isEnabled()
    assert form.recipe(epsilon=0.1) == Recipe(
        method="clean", epochs=7, epsilon=0.1, salience=Recipe().salience, annotator=form.recipe().annotator
    )


def test_every_field_of_a_flows_recipe_has_a_place_and_a_recipe_shown_is_the_same(room):
    form = room.panel.form
    assert set(ProtoFlowRecipe.rules()) <= set(form.fields)
    wanted = ProtoFlowRecipe(
        consistency_weight=1.0, consistency_ramp=9.0, cluster_weight=0.1, minutes=2.5, outside="black",
        seed=4, average=0.99, collection="few", device="cpu", kmeans=False,
    )  # fmt: skip
    form.load(dataclasses.asdict(wanted))
    assert form.recipe() == wanted


@pytest.mark.parametrize("place", ["window", "process"])
def test_a_flow_is_trained_from_the_room(room, fill, ended, qtbot, place):
    fill(room, **FAST, place=place, collection="" if place == "window" else "few")
    QTest.mouseClick(room.start_button, Qt.MouseButton.LeftButton)
    ended(room)
    run = room.runs.current
    assert run.state == "completed", run.summary.message
    assert run.method == "ProtoFlow"
    assert run.best_epoch in (1, 2, 3)
    assert "bits/dim" in room.status.figures.text()
    flow = load_protoflow(run.path / "best.safetensors")
    assert flow.classes == ("left", "right")
    assert any(entry.name == run.name for entry in room.session.models)
    room.entered()
    upper, lower = curves(room.curves.loss), curves(room.curves.accuracy)
    assert {"training", "validation", "bare weights"} == set(upper)
    assert {"clean", "bare weights", "prototypes in use"} <= set(lower)
    room.curves.choices["parts"].setChecked(True)
    room.curves.choices["usage"].setChecked(True)
    upper, lower = curves(room.curves.loss), curves(room.curves.accuracy)
    assert {"half 1", "latent", "log-determinant"} <= set(upper)
    total = sum(upper[name].y for name in ("half 1", "latent", "log-determinant"))
    np.testing.assert_allclose(total, upper["validation"].y, atol=1e-6)
    used = sum(lower[name].y for name in ("left 1", "left 2", "right 1", "right 2"))
    np.testing.assert_allclose(used, 100)
    qtbot.waitUntil(lambda: room.drawn.isVisible() and room.drawn.grid.epoch == 3, timeout=10_000)
    assert room.drawn.grid.images.shape == (2, 3, 1, 12, 12)
    room.drawn.slider.setValue(0)
    qtbot.waitUntil(lambda: room.drawn.grid.epoch == 1, timeout=10_000)
    assert "after epoch 1" in room.drawn.caption.text()
    first, last = (SampleGrid.read(samples_path(run.path, epoch)) for epoch in (1, 3))
    assert np.array_equal(room.drawn.grid.images, first.images)
    assert not np.array_equal(first.images, last.images)


def test_draws_are_as_large_as_there_is_room_for():
    columns, scale = arranged(classes=10, count=8, width=28, height=28, room=1000)
    assert 10 * columns * 28 * scale + 9 * 10 <= 1000
    assert -(-8 // columns) * 28 * scale <= HEIGHT
    assert scale > 1
    assert arranged(classes=2, count=1, width=12, height=12, room=900) == (1, 3.0)
    assert arranged(classes=20, count=32, width=64, height=64, room=100)[1] > 0
