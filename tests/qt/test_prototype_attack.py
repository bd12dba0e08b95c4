"""The Attack view of the Prototype room on the demo's flow: one image, many images, the detector."""

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


def show(room, pane):
    for switch, place in (
        (room.switch, room.views.index(room.attack_view)),
        (room.attack_view.switch, room.attack_view.panes.index(pane)),
    ):
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=switch.tabRect(place).center())


def answered(room, qtbot, until):
    qtbot.waitUntil(lambda: until() and not room.asking, timeout=60_000)


def test_one_image_along_epsilon(prototypes, qtbot):
    room, view = prototypes, prototypes.attack_view
    pane = view.image
    form = view.form
    form.epsilons.setText("four")
    assert form.settings() is None
    assert "is not a number" in form._reading.text()
    form.epsilons.setText("0")
    assert "above 0" in form._reading.text()
    form.epsilons.setText("8/255")
    assert form.settings().epsilons == (8 / 255,)
    view.form.steps.setValue(4)
    view.form.epsilons.setText("4/255, 32/255")
    show(room, pane)
    answered(room, qtbot, lambda: pane.last is not None and len(pane.last.steps) == 3)
    clean, small, large = pane.last.steps
    assert np.array_equal(clean.images[0], room.last_inverted.image)
    for step, levels in ((small, 4), (large, 32)):
        change = np.abs(step.images[0].astype(int) - clean.images[0])
        assert 0 < change.max() <= levels, "within the ball"
    assert large.success[0], "a flow is fragile"
    assert "it is taken for" in pane.title.text()
    assert room.attack_view.image.plot.isVisible()
    assert pane.grid.frame(0, 2) == "bad"
    # What is asked for while the pane is out of sight is asked again when it comes back.
    show(room, view.detector)
    view.form.steps.setValue(1)
    assert pane.last.settings.steps == 4
    show(room, pane)
    answered(room, qtbot, lambda: pane.last.settings.steps == 1 and len(pane.last.steps) == pane.last.total)
    assert "with 1 step," in pane._words.text()
    large = pane.last.steps[2]
    QTest.mouseClick(pane.grid, Qt.MouseButton.LeftButton, pos=pane.grid.cell_rect(2, 2).center().toPoint())
    assert room.subject.cell == large.cells[0], "a click chooses the prototype it drifted to"


def test_many_images_their_drift_and_the_detector(prototypes, qtbot, tmp_path):
    room, view = prototypes, prototypes.attack_view
    view.form.steps.setValue(3)
    view.form.count.setValue(12)
    view.form.epsilons.setText("8/255")
    show(room, view.many)
    assert view.many._empty.isVisible()
    QTest.mouseClick(room._act, Qt.MouseButton.LeftButton)
    assert room._act.text() == "Cancel"
    qtbot.waitUntil(lambda: view.results.row is None, timeout=60_000)
    clean, attacked = view.results.steps
    assert len(clean.cells) == 12
    assert attacked.success.mean() > clean.success.mean()
    assert "misclassified" in view.many.sentence.text()
    _, shares = view.many.plot.values("PGD")
    assert np.allclose(shares, [100 * clean.success.mean(), 100 * attacked.success.mean()])
    assert view.many.destinations.rows
    offers = view.many.exports()
    show(room, view.detector)
    found = view.detector.detectors["ε 8/255"]
    expected = (attacked.log_likelihood[None] < clean.log_likelihood[:, None]).mean()
    assert abs(found.auroc - expected) < 1e-9
    generator = np.random.default_rng(0)
    for number in range(6):
        Image.fromarray(generator.integers(0, 256, (28, 28), np.uint8)).save(tmp_path / f"{number}.png")
    view.results.score(tmp_path)
    qtbot.waitUntil(lambda: view.results.row is None, timeout=60_000)
    assert tmp_path.name in view.detector.detectors
    assert view.detector.detectors[tmp_path.name].foreign == 6
    assert view.detector.detectors[tmp_path.name].auroc > 0.9, "noise is no garment"
    assert "Nalisnick" in view.detector.paradox.text()
    # Another folder of the same name is another curve.
    twin = tmp_path / "twin" / tmp_path.name
    twin.mkdir(parents=True)
    for number in range(5):
        Image.fromarray(np.full((28, 28), 20 * number, np.uint8)).save(twin / f"{number}.png")
    view.results.score(twin)
    qtbot.waitUntil(lambda: view.results.row is None, timeout=60_000)
    assert view.detector.detectors[f"twin/{tmp_path.name}"].foreign == 5
    assert view.detector.detectors[tmp_path.name].foreign == 6
    offers = (*offers, *view.detector.exports())
    assert len(offers) == 4
    for number, offer in enumerate(offers):
        room._write(offer, tmp_path / f"{number}{offer.name[-4:]}")
    qtbot.waitUntil(lambda: not room.session.jobs.running, timeout=30_000)
    assert room.session.told == []
    assert all((tmp_path / f"{n}{offer.name[-4:]}").is_file() for n, offer in enumerate(offers))
