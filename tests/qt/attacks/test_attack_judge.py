"""Images made elsewhere, judged in the Attack room."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from sip_explorer.attacks import PGD
from sip_explorer.models import load_checkpoint
from sip_explorer.records.adversarial import AdversarialImages, write_adversarial

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def judged(room, qtbot, monkeypatch):
    """Click “Judge images…”, answer the dialog with a file, and wait for the verdict or a problem."""
    room.bench.show_view(room.evaluate)

    def judge(path):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        QTest.mouseClick(room.evaluate.judge, LEFT)
        qtbot.waitUntil(lambda: not room.evaluate.running, timeout=20_000)
        return room.evaluate.judged

    return judge


def attacked(checkpoints, squares, ids):
    """Return adversarial images of the short model at 0.1, and which of them succeed."""
    images = torch.from_numpy(squares[0][ids]).permute(0, 3, 1, 2) / 255
    labels = torch.from_numpy(squares[1][ids])
    model = load_checkpoint(checkpoints / "short.safetensors")
    result = PGD(epsilon=0.1, steps=10)(model, images, labels, indices=ids.tolist())
    return result.images.numpy(), result.success.numpy(), result.clean_correct.numpy()


def test_a_file_without_ids_holds_the_chosen_images_in_their_order(
    room, judged, checkpoints, squares, tmp_path, qtbot
):
    ids = np.linspace(40, 59, 12).round().astype(np.int64)  # as the form spreads them over the test images
    made, success, correct = attacked(checkpoints, squares, ids)
    made[0] = 1 - made[0]  # far outside the ball: does not count
    np.save(tmp_path / "others.npy", made)
    pane = judged(tmp_path / "others.npy")
    assert room.problems == []
    assert pane.isVisible()
    assert pane.title.text() == "others.npy · 12 images · L∞ 25.5/255 = 0.1"
    success[0] = not correct[0]
    (bar,) = pane.chart.bars
    assert bar.figures.startswith(f"{100 * success.mean():.1f} % misclassified (")
    found = {segment.words: segment.ids.tolist() for segment in bar.segments}
    assert found["misclassified"] == ids[success & correct].tolist()
    assert found["does not count: outside the ball"] == ([ids[0]] if correct[0] else [])
    assert f"{int(success.sum())} of 12 images succeed" in pane.sentences.text()
    assert "outside the ball" in pane.sentences.text()
    # Click on what succeeded, then back.
    segment, rect = next(s for s in pane.chart.segment_rects(bar) if s[0].words == "misclassified")
    QTest.mouseDClick(pane.chart, LEFT, pos=rect.center().toPoint())
    assert list(room.session.selection.images) == segment.ids.tolist()
    QTest.mouseClick(pane.back, LEFT)
    assert room.evaluate._empty.isVisible()


def test_a_file_with_ids_is_judged_on_its_own_images_by_all_ticked_models(
    room, judged, checkpoints, squares, tmp_path
):
    ids = np.array([7, 3, 21])
    made, success, _ = attacked(checkpoints, squares, ids)
    write_adversarial(tmp_path / "ours.h5", AdversarialImages(made, squares[1][ids], ids))
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    pane = judged(tmp_path / "ours.h5")
    assert room.problems == []
    assert [group.heading for group in pane.chart._groups] == ["short", "long"]
    assert f"short: {int(success.sum())} of 3 images succeed" in pane.sentences.text()


def test_what_cannot_be_judged_is_told(room, judged, tmp_path):
    np.save(tmp_path / "few.npy", np.zeros((5, 1, 12, 12), np.float32))
    judged(tmp_path / "few.npy")
    assert "few.npy holds 5 images and 12 are chosen" in room.problems[-1]
    (tmp_path / "words.npy").write_text("nothing")
    judged(tmp_path / "words.npy")
    assert "words.npy" in room.problems[-1]
    room.form.epsilons.setText("much")
    judged(tmp_path / "few.npy")
    assert "“much” is not a number" in room.problems[-1]
    room.session.selection.models = ()
    judged(tmp_path / "few.npy")
    assert "No model is chosen" in room.problems[-1]
