"""One image step by step: the growth preview of the Attack room."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle, QStyleOptionSlider

from sip_explorer.attacks import PGD
from sip_explorer.models import build_classifier
from sip_explorer.qt.rooms.attacks.growth import grow
from sip_explorer.qt.rooms.attacks.growth.playback import Playback
from sip_explorer.records import Artefact, CancelToken
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton
CLASSES = ("left", "right")


def test_one_image_is_seen_growing_step_by_step(room, qtbot, grown):
    steps = []
    room.growth.playback.shown.connect(lambda growth: steps.append((growth.step, growth.final)))
    room.form.steps.setValue(5)
    qtbot.waitUntil(lambda: len(steps) > 0 and steps[-1] == (5, True), timeout=20_000)
    growth = grown()
    assert steps[-7:] == [(0, False), (1, False), (2, False), (3, False), (4, False), (5, False), (5, True)]
    clean = growth.clean / 255
    for column, epsilon in enumerate(growth.epsilons):
        assert np.abs(growth.adversarial[:, column] - clean).max() <= epsilon + 1e-6
    # A sum does not depend on the batch size: both rows are one attack.
    assert np.array_equal(growth.adversarial[0], growth.adversarial[1])
    seen = len(steps)
    QTest.mouseClick(room.growth.replay, LEFT)
    qtbot.waitUntil(lambda: len(steps) == seen + 7, timeout=5000)


def test_the_slider_and_the_columns_are_one_thing(room, qtbot, grown):
    growth = grown()
    matrix, slider = room.growth.matrix, room.growth.matrix.slider
    assert matrix.cell == (0, 2)  # the largest epsilon first
    for column in (2, 1, 0):
        assert matrix.cell[1] == slider.value() == column
        option = QStyleOptionSlider()
        slider.initStyleOption(option)
        handle = slider.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
        )
        middle = slider.x() + handle.center().x()
        assert abs(middle - matrix.grid.cell_rect(0, column).center().x()) <= 2
        assert f"{growth.epsilons[column]:.4g}" in room.growth.state.text()
        QTest.keyClick(slider, Qt.Key.Key_Left)
    QTest.mouseClick(matrix.grid, LEFT, pos=matrix.grid.cell_rect(1, 1).center().toPoint())
    assert (matrix.cell, slider.value()) == ((1, 1), 1)
    assert "batch size 8" in room.growth.state.text()


def test_no_image_and_a_model_that_knows_other_classes(room, qtbot, grown):
    grown()
    room.form.images.setCurrentIndex(1)
    room.session.selection.images = ()
    QTest.mouseClick(room._run, LEFT)
    assert "There are no images in the film strip" in room.problems[-1]
    room.session.selection.current_model = room.ids["foreign"]
    qtbot.waitUntil(lambda: room.growth.growth.model == "foreign", timeout=10_000)
    growth = grown()
    seen = int(growth.clean_probabilities.argmax())
    assert (growth.assumed, growth.label) == (True, seen), "led away from what the model sees"
    assert growth.classes[seen] in room.growth.state.text()
    room.session.selection.current_model = room.ids["long"]
    qtbot.waitUntil(lambda: room.growth.growth.model == "long", timeout=10_000)
    assert not grown().assumed


def test_another_workspace_leaves_no_word_of_the_last_one(room, tmp_path):
    assert room._subject.text()
    images = np.zeros((6, 28, 28, 1), np.uint8)
    labels = np.arange(6) % 2
    Workspace.from_arrays(tmp_path / "bare", "bare", images, labels, ("a", "b"), test=labels > 0).close()
    room.session.open_workspace(tmp_path / "bare")
    assert not room._subject.text()
    assert "No trained model" in room.growth._empty.sentence.text()


def test_where_the_system_asks_for_no_motion_nothing_is_paced(room, qapp, grown):
    growth = grown()

    class Still(QProxyStyle):
        def styleHint(self, hint, option=None, widget=None, data=None):  # noqa: N802
            if hint == QStyle.StyleHint.SH_Widget_Animation_Duration:
                return 0
            return super().styleHint(hint, option, widget, data)

    room.growth.playback.replay()
    assert room.growth.playback.playing
    room.growth.playback.finish()
    playback = Playback(room)
    shown = []
    playback.shown.connect(shown.append)
    style = QApplication.style().objectName() or "fusion"
    qapp.setStyle(Still("fusion"))
    try:
        playback.feed(growth)
        assert shown == [growth]
        assert not playback.playing
        assert not playback.can_replay
    finally:
        qapp.setStyle(style)


def test_the_share_of_steps_without_gradient_is_right_at_every_step():
    model = build_classifier(
        "small-cnn", classes=CLASSES, input_shape=(1, 16, 16), mean=(0.3,), std=(0.3,), seed=0
    ).eval()
    model.network.classifier[-1].weight.data.zero_()  # no gradient anywhere
    attack = PGD(steps=2, zero_gradient="stay", loss="ce")
    read = np.zeros((16, 16, 1), np.uint8).copy
    job = grow(lambda: model, "flat", attack, read, 5, 0, CLASSES, (0.1,), (1, 4))
    seen = [event.data for event in job(CancelToken()) if isinstance(event, Artefact)]
    assert [(one.step, one.final) for one in seen] == [(0, False), (1, False), (2, False), (2, True)]
    assert all((one.zero_gradient == 1).all() for one in seen)
