"""The inspector of the Attack room: what is written there, and what is refused."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.attacks import threat_models
from sip_explorer.qt.rooms.attacks.threat_models import THREAT_MODELS

LEFT = Qt.MouseButton.LeftButton


def test_what_is_no_number_gets_one_sentence_beside_the_field(room, grown):
    grown()
    for field, text, words in (
        ("epsilons", "-0.1", "lies outside 0 to 1"),
        ("epsilons", "8/255, NaN", "lies outside 0 to 1"),
        ("epsilons", "much", "is not a number"),
        ("epsilons", " ", "No epsilon is given"),
        ("batch_sizes", "0", "whole number of at least 1"),
        ("batch_sizes", "1, 2.5", "whole number of at least 1"),
        ("batch_sizes", "", "No batch size is given"),
    ):
        edit = getattr(room.form, field)
        before = edit.text()
        edit.setText(text)
        assert words in room.form._reading.text()
        for view in room.bench.views[:3]:
            room.bench.show_view(view)
            room.problems.clear()
            QTest.mouseClick(room._run, LEFT)
            assert len(room.problems) == 1, (text, view.word)
            assert words in room.problems[0]
            assert not view.running
        assert room.growth.growth is not None  # the image that was on show still is
        edit.setText(before)
    assert room.form._reading.property("role") == "caption"


def test_a_threat_model_fills_norm_and_epsilons(room, qtbot, grown):
    form = room.form
    grown()
    assert {key: (m.norm, m.epsilon) for key, m in THREAT_MODELS.items()} == {
        key: (m.norm, m.epsilon) for key, m in threat_models().items()
    }
    form.threat.setCurrentIndex(form.threat.findData("l2-0.5"))
    choice = form.choice()
    assert (choice.norm, choice.epsilons, choice.variant.step) == (
        "l2",
        (0.125, 0.25, 0.5, 1.0),
        "normalised",
    )
    assert form.usual_epsilon == 0.5
    qtbot.waitUntil(
        lambda: room.growth.growth is not None and room.growth.growth.norm == "l2", timeout=20_000
    )
    grown()
    assert room.growth.matrix.grid._column_labels == ("0.125", "0.25", "0.5", "1")
    assert "ε 0.5 ·" in room.growth.state.text()
    # By hand it becomes one without a name; lengths beyond 1 are fine in L2, words are not.
    form.epsilons.setText("0.5, 2")
    assert form.threat.currentData() == ""
    assert form.choice().epsilons == (0.5, 2.0)
    form.epsilons.setText("0.5, far")
    assert "“far” is not a number" in form._reading.text()
    form.norm.setCurrentIndex(0)
    form.epsilons.setText("8/255")
    assert form.choice().variant.step == "sign"
