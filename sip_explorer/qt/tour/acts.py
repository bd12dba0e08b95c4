"""What the tour does in each room, and the figures it brings home."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from sip_explorer.qt.tour.hand import Hand
from sip_explorer.records import SipError
from sip_explorer.records.epsilon import format_epsilon

if TYPE_CHECKING:
    from sip_explorer.qt.rooms.attacks import AttackRoom
    from sip_explorer.qt.rooms.prototypes import PrototypeRoom
    from sip_explorer.qt.rooms.salience import SalienceRoom
    from sip_explorer.qt.rooms.training import TrainingRoom
    from sip_explorer.qt.window import MainWindow

PAINTED = 8
"""Images that are painted by hand; one more takes the model's proposal."""

EPOCHS = 8
START = "fashion-standard"
RUN = "tour SIP-AT"
SWEEP_IMAGES = 50

Figures = dict[str, str]


def paint(window: MainWindow, hand: Hand, out: Path) -> Figures:
    """Paint some images of the small set with the mouse; accept a proposal on another."""
    room = cast("SalienceRoom", window.enter("salience"))
    session = window.session
    workspace = session.workspace
    assert workspace is not None
    hand.wait(room.canvas.has_image, "the first image", 10)
    classifier = next((m for m in session.models if m.name == START), None)
    if classifier is None:
        raise SipError(f"The demo model {START} is missing: install the program again.")
    session.selection.current_model = classifier.id
    room.canvas.setFocus()
    hand.key(room.canvas, Qt.Key.Key_B)
    room.canvas.set_brush_radius(1.5)
    for _ in range(PAINTED):
        image_id = session.selection.current_image
        assert image_id is not None
        for points in _strokes(workspace.image(image_id)):
            hand.stroke(room.canvas, [room.canvas.view_position(x, y) for x, y in points])
        hand.key(room.canvas, Qt.Key.Key_N)
    hand.key(room.canvas, Qt.Key.Key_P)
    hand.wait(lambda: room.proposals.current is not None, "a proposal of the model", 60)
    hand.picture(out / "salience-proposal.png")
    hand.key(room.canvas, Qt.Key.Key_Return)
    painted = room.canvas.mask()
    hand.wait(lambda: session.painting.pending == 0, "the strokes on disk", 10)
    ids = session.selection.images
    states = workspace.states(ids, session.selection.annotator)
    if states.count("painted") != PAINTED + 1:
        raise SipError(f"{states.count('painted')} images are painted, not {PAINTED + 1}: see {out}.")
    hand.picture(out / "salience.png")
    return {
        "images painted": f"{states.count('painted')} of {len(ids):,} (one by accepting a proposal)",
        "salient share of the last one": f"{(painted >= 128).mean():.0%}",
    }


def train(window: MainWindow, hand: Hand, out: Path) -> Figures:
    """Train SIP-AT on the small set, starting from the standard model."""
    room = cast("TrainingRoom", window.enter("training"))
    session = window.session
    form = room.panel.form
    start = next(model for model in session.models if model.name == START)
    for key, value in {
        "name": RUN,
        "method": "sip-at",
        "collection": "small set",
        "salience": "painted-else-grad-cam",
        "reference": start.id,
        "start": str(start.path),
        "epochs": EPOCHS,
        "batch_size": 32,
        "learning_rate": 0.05,
        "epsilon_warmup": EPOCHS / 2,
    }.items():
        form.fields[key].set_value(value)
    hand.live(0.1)
    if room.panel.problem:
        raise SipError(f"The training form refuses: {room.panel.problem}")
    began = time.monotonic()
    hand.click(room.start_button)
    hand.wait(lambda: room.working, "the training run", 10)
    hand.wait(lambda: not room.working, "the end of the training run", 150)
    seconds = time.monotonic() - began
    # The thread is done a moment before the window has heard of it.
    hand.wait(
        lambda: any(model.name == RUN for model in session.models), "its checkpoint among the models", 20
    )
    hand.live(0.5)
    hand.picture(out / "training.png")
    run = room.runs.current
    assert run is not None
    from sip_explorer.records.runs import RunFolder

    summary = RunFolder(run.path).summary()
    return {
        "method": f"SIP-AT, ε {format_epsilon(float(run.recipe['epsilon']))}, 400 images, {EPOCHS} epochs",
        "salience": summary.notices[0] if summary.notices else "",
        "time": f"{seconds:.0f} s",
        f"kept: epoch {run.best_epoch:g}, on 40 held-out images": (
            f"clean accuracy {run.at_best('validation/clean'):.1%}, "
            f"PGD accuracy {run.at_best('validation/pgd'):.1%}"
        ),
    }


def attack(window: MainWindow, hand: Hand, out: Path) -> Figures:
    """Attack the new model next to the standard one over epsilons and batch sizes."""
    room = cast("AttackRoom", window.enter("attacks"))
    session = window.session
    chosen = [model for model in session.models if model.name in (START, RUN)]
    session.selection.models = [model.id for model in chosen]
    session.selection.current_model = chosen[-1].id
    workspace = session.workspace
    assert workspace is not None
    room.form.count.setValue(SWEEP_IMAGES)
    # Raw steps of the mean cross-entropy: where the batch size matters most, in every precision.
    for box, key in ((room.form.loss, "ce"), (room.form.reduction, "mean"), (room.form.step, "raw")):
        box.setCurrentIndex(box.findData(key))
    hand.wait(lambda: room.growth.growth is not None and room.growth.growth.final, "the growth matrix", 60)
    began = time.monotonic()
    hand.click(room._run)
    hand.wait(lambda: _sweeping(room), "the sweep", 10)
    choice = room.sweep.axes.choice()
    cells = len(chosen) * len(choice.variants) * len(choice.epsilons) * len(choice.batch_sizes)
    # The room gathers cells a few at a time: the job may end before the last ones are shown.
    hand.wait(lambda: not _sweeping(room) and len(room.sweep.results) == cells, "the end of the sweep", 150)
    seconds = time.monotonic() - began
    results = room.sweep.results
    room.growth.matrix.slider.setValue(room.growth.matrix.slider.maximum())
    hand.live(0.3)
    hand.picture(out / "attack.png")
    figures: Figures = {
        "images": f"{SWEEP_IMAGES} test images, {len(results)} cells in {seconds:.0f} s",
        "attack": choice.words,
    }
    largest = results.epsilons[-1]
    for model in results.models:
        for variant in results.variants:
            points = results.against_batch_size(model, variant, largest)
            shares = " → ".join(f"{point.success:.0%}" for point in points)
            sizes = ", ".join(str(point.place.batch_size) for point in points)
            figures[f"{model}, {variant.words}"] = (
                f"misclassified at ε {format_epsilon(largest)}: {shares} for N = {sizes}"
            )
    return figures


def invert(window: MainWindow, hand: Hand, out: Path) -> Figures:
    """Decode all prototypes, sample one, send an image through the flow and back."""
    room = cast("PrototypeRoom", window.enter("prototypes"))
    hand.wait(lambda: room.last_samples is not None, "samples of a prototype", 90)
    hand.wait(lambda: room.last_inverted is not None, "an image decoded", 60)
    room.grid.choose(7, 0)
    before = room.last_samples
    room.temperature.setValue(0.9)
    hand.wait(
        lambda: (
            room.last_samples is not before
            and room.last_samples is not None
            and room.last_samples.temperature == 0.9
        ),
        "samples at another temperature",
        60,
    )
    hand.live(1.0)
    hand.wait(lambda: not room.asking, "the last answers", 60)
    hand.picture(out / "prototypes.png")
    answer = room.last_inverted
    assert answer is not None
    return {
        "way back of the current image": (
            f"{answer.flipped} of {answer.image.size} values differ; "
            f"largest error before rounding {answer.largest_error:.1e} of a level"
        ),
        "log-likelihood": f"{answer.bits_per_dimension:.2f} bits/dim",
    }


def _sweeping(room: AttackRoom) -> bool:
    return any(row.title.startswith("attack ") for row in room.session.jobs.running)


def _strokes(image: NDArray[np.uint8]) -> list[list[tuple[float, float]]]:
    """Strokes over the middle of the garment: down through the brightest columns, in image pixels."""
    bright = image.max(axis=2) > 60
    rows = np.flatnonzero(bright.any(axis=1))
    strokes: list[list[tuple[float, float]]] = []
    for share in (0.35, 0.65):
        points: list[tuple[float, float]] = []
        for row in rows[2:-2:2]:
            columns = np.flatnonzero(bright[row])
            x = columns[0] + share * (columns[-1] - columns[0])
            points.append((float(x) + 0.5, float(row) + 0.5))
        if len(points) > 1:
            strokes.append(points)
    return strokes or [
        [(image.shape[1] / 2, image.shape[0] * 0.3), (image.shape[1] / 2, image.shape[0] * 0.7)]
    ]


ACTS: tuple[tuple[str, str, Any], ...] = (
    ("salience", "Salience", paint),
    ("training", "Train", train),
    ("attack", "Attack", attack),
    ("prototypes", "Prototypes", invert),
)
