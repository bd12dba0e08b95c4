"""Training on a tiny real set: it learns, it writes its run folder, it ends when asked."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.attacks import PGD
from sip_explorer.protoflow import load_protoflow
from sip_explorer.records import Artefact, CancelToken, Failed, Finished, Metric, Progress, SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.protoflow_loop import train_protoflow
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_score import ProtoFlowScore, score_protoflow
from sip_explorer.training.training_data import TrainingData

TINY = ProtoFlowRecipe(
    name="tiny",
    layout="squeeze, steps 2x8, squeeze, steps 1x16, factor 8, steps 1x16",
    components=2,
    epochs=5,
    batch_size=16,
    micro_batch=8,
    average=0.9,
    validation_fraction=0.2,
    device="cpu",
    precision="float32",
    density_weight=10.0,
    diversity_weight=0.1,
    cluster_weight=0.01,
    shift=1,
    flip=True,
    warmup=0.2,
    learning_rate=5e-3,
)


def bars(count: int = 120) -> TrainingData:
    """8-pixel images of a bright bar on black: upright (class 0) or level (class 1)."""
    generator = np.random.default_rng(0)
    images = np.zeros((count, 8, 8, 1), np.uint8)
    labels = np.arange(count) % 2
    for image, label in zip(images, labels, strict=True):
        place, level = generator.integers(2, 5), generator.integers(150, 255)
        bar = image[:, place : place + 2] if label == 0 else image[place : place + 2]
        bar[:] = np.clip(level + generator.integers(-9, 9, bar.shape), 0, 255)
    return TrainingData(images, labels.astype(np.int64), np.arange(count), ("upright", "level"), name="bars")


def drain(events: object) -> list[object]:
    return list(events)


def test_it_learns_and_writes_its_run_folder(tmp_path: Path) -> None:
    events = drain(train_protoflow(TINY, tmp_path / "run", bars()))
    metrics: dict[str, list[float]] = {}
    for event in events:
        if isinstance(event, Metric):
            metrics.setdefault(event.name, []).append(event.value)
    bits = metrics["train/bits-per-dim"]
    assert np.mean(bits[-4:]) < np.mean(bits[:4]) - 0.1
    assert metrics["validation/bits-per-dim"][-1] < metrics["validation/bits-per-dim"][0]
    assert metrics["validation/clean"][-1] > 0.8
    assert len(metrics["time/epoch"]) == 5
    assert sum(event is None for event in events) > 5 * 2 * 6  # a breath per micro-batch
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].done == progress[-1].total == 30
    assert isinstance(events[-1], Finished)
    assert events[-1].outcome == "completed"

    run = RunFolder(tmp_path / "run")
    assert run.recipe()["method"] == "protoflow"
    assert ProtoFlowRecipe.from_toml(run.recipe_path) == TINY
    assert run.environment()["training_images"] == 96
    assert run.summary().outcome == "completed"
    kept = [event.path for event in events if isinstance(event, Artefact) and event.kind == "checkpoint"]
    assert kept[-1] == str(run.checkpoint)
    flow = load_protoflow(run.best_path)
    assert flow.classes == ("upright", "level")
    assert flow.origin["data"] == "bars"
    assert len(flow.probe) == 8
    assert flow.round_trip is not None
    assert flow.round_trip.exact
    images = torch.from_numpy(bars().images.transpose(0, 3, 1, 2)).float() / 255
    assert torch.equal(flow.decode(flow.encode(images)), images)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    recipe = TINY.replace(epochs=1)
    for name in "ab":
        drain(train_protoflow(recipe, tmp_path / name, bars()))
    one, two = (load_protoflow(tmp_path / name / "best.safetensors").state_dict() for name in "ab")
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_training_gives_an_exact_float32_flow(tmp_path: Path, precision: str) -> None:
    events = drain(train_protoflow(TINY.replace(epochs=2, precision=precision), tmp_path / "run", bars()))
    flow = load_protoflow(tmp_path / "run" / "best.safetensors")
    assert flow.round_trip is not None
    assert flow.round_trip.exact
    losses = [event.value for event in events if isinstance(event, Metric) and event.name == "train/loss"]
    full = drain(train_protoflow(TINY.replace(epochs=2), tmp_path / "full", bars()))
    others = [event.value for event in full if isinstance(event, Metric) and event.name == "train/loss"]
    assert losses != others
    assert losses == pytest.approx(others, rel=0.1)


def test_a_flow_is_a_classifier_to_an_attack(tmp_path: Path) -> None:
    drain(train_protoflow(TINY.replace(epochs=2), tmp_path / "run", bars()))
    flow, data = load_protoflow(tmp_path / "run" / "best.safetensors"), bars(16)
    images = torch.from_numpy(data.images.transpose(0, 3, 1, 2)).float() / 255
    result = PGD(epsilon=0.3, steps=5)(flow, images, torch.from_numpy(data.labels))
    assert float((result.images - images).abs().max()) <= 0.3 + 1e-6
    assert float(result.success.float().mean()) > float((~result.clean_correct).float().mean())
    assert all(parameter.grad is None for parameter in flow.parameters())


def test_stop_keeps_and_cancel_ends(tmp_path: Path) -> None:
    token = CancelToken()
    events = []
    for event in train_protoflow(TINY.replace(epochs=50), tmp_path / "stopped", bars(), token=token):
        events.append(event)
        if isinstance(event, Progress) and event.done == 2:
            token.stop()
    assert events[-1].outcome == "stopped"
    assert RunFolder(tmp_path / "stopped").checkpoint is not None
    token = CancelToken()
    for event in train_protoflow(TINY, tmp_path / "cancelled", bars(), token=token):
        events.append(event)
        if isinstance(event, Progress):
            token.cancel()
    assert events[-1] == Finished("cancelled")
    assert RunFolder(tmp_path / "cancelled").checkpoint is None


def test_a_time_limit_completes_the_run_early(tmp_path: Path) -> None:
    events = drain(train_protoflow(TINY.replace(epochs=1000, minutes=0.01), tmp_path / "run", bars()))
    assert events[-1].outcome == "completed"
    assert RunFolder(tmp_path / "run").checkpoint is not None


def test_faults_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SipError, match="not even"):
        drain(
            train_protoflow(
                TINY.replace(layout="squeeze, squeeze, squeeze, squeeze, steps 1x8"), tmp_path / "b", bars()
            )
        )
    assert RunFolder(tmp_path / "b").summary().outcome == "failed"
    with pytest.raises(SipError, match="already holds a run"):
        drain(train_protoflow(TINY, tmp_path / "b", bars()))
    wild = TINY.replace(
        learning_rate=1.0,
        mixture_learning_rate=1.0,
        density_weight=1e4,
        gradient_clip=1e9,
        warmup=0,
        epochs=200,
    )
    with pytest.raises(SipError, match="lower learning_rate"):
        drain(train_protoflow(wild, tmp_path / "c", bars()))
    events = RunFolder(tmp_path / "c").events()[0]
    assert isinstance(events[-1][1], Failed)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"average": 1.0}, "average is 1.0"),
        ({"method": "sip-at"}, "choose one of protoflow"),
        ({"epoch": 3}, "there is no field 'epoch'"),
    ],
)
def test_a_recipe_refuses_by_name(values: dict, words: str) -> None:
    with pytest.raises(SipError, match=words):
        ProtoFlowRecipe.from_mapping(values)


def test_a_recipe_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("epochs = = 3")
    with pytest.raises(SipError, match=r"r\.toml is not a TOML file"):
        ProtoFlowRecipe.from_toml(tmp_path / "r.toml")
    with pytest.raises(SipError, match="cannot be read"):
        ProtoFlowRecipe.from_toml(tmp_path / "missing.toml")


def test_scores_are_those_of_the_likelihoods(tmp_path: Path) -> None:
    drain(train_protoflow(TINY.replace(epochs=1), tmp_path / "run", bars()))
    flow, data = load_protoflow(tmp_path / "run" / "best.safetensors"), bars(30)
    scoring = score_protoflow(flow, data.images, data.labels, micro_batch=7)
    while True:
        try:
            assert next(scoring) is None
        except StopIteration as end:
            score = end.value
            break
    assert isinstance(score, ProtoFlowScore)
    images = torch.from_numpy(data.images.transpose(0, 3, 1, 2)).float() / 255
    found = flow.log_likelihood(images)
    assert score.images == 30
    assert score.accuracy == pytest.approx(float((found.per_class.argmax(1).numpy() == data.labels).mean()))
    assert score.bits_per_dimension == pytest.approx(float(found.bits_per_dimension.mean()), abs=1e-4)
    assert (
        0
        <= score.bits_per_dimension - score.bits_per_dimension_best_class
        <= math.log(2) / (64 * math.log(2))
    )
    assert 0 <= score.calibration_error <= 1
