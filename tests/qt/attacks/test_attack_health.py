"""Health reports in the Attack room."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.models import load_checkpoint, save_checkpoint
from sip_explorer.qt.rooms.attacks.bench import Bench

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(room):
    """The Health view on few images."""
    room.bench.show_view(room.health)
    room.form.count.setValue(6)
    return room.health


def test_a_report_per_model_with_a_mark_figure_and_sentence_per_finding(
    room, view, worked, checkpoints, tmp_path
):
    assert view._empty.isVisible()
    assert view._empty.button.text() == room._run.text() == "Check the model"
    worked()
    assert room.problems == []
    findings = view.checked[room.ids["short"]].report.findings
    assert [row.finding for row in view.rows] == list(findings)
    assert {row.verdict for row in view.rows} <= {"passed", "look at this"}
    assert view._title.text() == "short · 6 test images · L∞ 25.5/255 = 0.1"
    for row in view.rows:
        assert row.finding.figure in row.accessibleName()
        assert row.finding.sentence in row.accessibleName()
    # A model that answers every image alike has no gradients: that is said, first in the verdict.
    flat = load_checkpoint(checkpoints / "short.safetensors")
    flat.network.classifier[-1].weight.data.zero_()
    save_checkpoint(tmp_path / "flat.safetensors", flat)
    room.session.add_model(tmp_path / "flat.safetensors")
    assert view._empty.isVisible()  # it is the current model now, and has no report
    worked()
    open_ = [row.finding.name for row in view.rows if not row.finding.passed]
    assert any("radient" in name for name in open_)
    assert view.verdict.text().endswith(", ".join(open_))
    assert view.verdict.text().startswith(f"{len(open_)} of {len(view.rows)} checks want a look")
    # Back to the first one: its report is still there.
    room.session.selection.current_model = room.ids["short"]
    assert [row.finding for row in view.rows] == list(findings)


def test_a_check_is_cancelled_and_the_last_report_stays(room, view, worked, qtbot):
    worked()
    shown = [row.finding for row in view.rows]
    room.form.count.setValue(20)
    QTest.mouseClick(room._run, LEFT)
    qtbot.waitUntil(lambda: room.session.jobs.running[-1].done > 0, timeout=20_000)
    QTest.mouseClick(room._cancel, LEFT)
    qtbot.waitUntil(lambda: not view.running, timeout=10_000)
    assert [row.finding for row in view.rows] == shown
    assert room.problems == []


def test_each_view_has_its_button_and_its_part_of_the_inspector(room, qtbot):
    bench: Bench = room.bench
    seen = []
    for place, view in enumerate(bench.views):
        QTest.mouseClick(bench.switch, LEFT, pos=bench.switch.tabRect(place).center())
        assert bench.view is view
        assert room._run.text() == view.act
        seen.append([section._title.text() for section in view.sections])
        for other in bench.views:
            assert all(section.isVisible() == (other is view) for section in other.sections)
    assert seen == [
        ["Compared in the sweep", "More to compare"],
        ["Evaluation"],
        ["Transfer"],
        ["Health check"],
    ]
    qtbot.keyClick(bench.switch, Qt.Key.Key_Left)
    assert bench.view is room.transfer
