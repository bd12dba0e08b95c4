"""Evaluation: counts that agree with a direct attack, regions, intervals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.attacks import PGD
from sip_explorer.data import to_float
from sip_explorer.models import Classifier, load_checkpoint
from sip_explorer.records import Artefact, CancelToken, Finished, SipError
from sip_explorer.records.intervals import wilson
from sip_explorer.salience import to_salience
from sip_explorer.training import EvaluationRow, Recipe, TrainingData, evaluate, train

MakeData = Callable[..., TrainingData]


@pytest.fixture
def data(make_data: MakeData) -> TrainingData:
    return make_data(45, painted="all")


@pytest.fixture
def model(recipe: Recipe, data: TrainingData, tmp_path: Path) -> Classifier:
    for _ in train(recipe.replace(method="clean", epochs=10, validation_images=0), tmp_path / "run", data):
        pass
    return load_checkpoint(tmp_path / "run" / "best.safetensors")


def rows_of(work: object) -> list[EvaluationRow]:
    return [event.data for event in work if isinstance(event, Artefact)]  # type: ignore[attr-defined]


def test_counts_are_those_of_the_attack_itself(model: Classifier, data: TrainingData) -> None:
    epsilons = (0.4, 0.05)
    events = list(evaluate(model, data.images, data.labels, epsilons=epsilons, steps=5, micro_batch=16))
    rows = rows_of(events)
    assert [(row.region, row.epsilon) for row in rows] == [
        ("everywhere", 0.0), ("everywhere", 0.05), ("everywhere", 0.4),
    ]  # fmt: skip
    images, labels = to_float(data.images), torch.from_numpy(data.labels)
    with torch.no_grad():
        right = int((model(images).argmax(1) == labels).sum())
    assert (rows[0].correct, rows[0].images) == (right, 45)
    for row in rows[1:]:
        attack = PGD(epsilon=row.epsilon, steps=5, micro_batch=16)
        result = attack(model, images, labels, indices=torch.arange(45))
        assert row.correct == int((~result.success).sum())
        assert row.accuracy == row.correct / 45
        assert (row.low, row.high) == wilson(row.correct, 45)
    assert rows[0].correct >= rows[1].correct > rows[2].correct
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert [one["correct"] for one in finished.summary["rows"]] == [row.correct for row in rows]


def test_regions_attack_only_their_part(model: Classifier, data: TrainingData) -> None:
    salience = to_salience(np.stack([data.painted[int(one)] for one in data.ids]))
    work = evaluate(
        model, data.images, data.labels, epsilons=[0.3], steps=5, salience=salience,
        regions=("everywhere", "salient", "background"),
    )  # fmt: skip
    _, everywhere, salient, background = rows_of(work)
    assert everywhere.correct <= min(salient.correct, background.correct)
    empty = evaluate(
        model, data.images, data.labels, epsilons=[0.3], steps=5, salience=torch.zeros_like(salience),
        regions=("salient", "background"),
    )  # fmt: skip
    clean, nothing, all_of_it = rows_of(empty)
    assert nothing.correct == clean.correct
    assert all_of_it.correct == everywhere.correct


def test_a_cancelled_evaluation_says_so_and_a_stopped_one_keeps_its_rows(
    model: Classifier, data: TrainingData
) -> None:
    for ask, outcome in (("cancel", "cancelled"), ("stop", "stopped")):
        token = CancelToken()
        last = None
        for event in evaluate(model, data.images, data.labels, epsilons=[0.1, 0.2], steps=2, token=token):
            if isinstance(event, Artefact):
                getattr(token, ask)()
            last = event or last
        assert isinstance(last, Finished)
        assert last.outcome == outcome
        assert len(last.summary.get("rows", [])) == (1 if ask == "stop" else 0)


def test_arguments_that_do_not_fit_are_refused(model: Classifier, data: TrainingData) -> None:
    for options, part in (
        ({"images": data.images[:0], "labels": data.labels[:0]}, "No images are selected"),
        ({"labels": data.labels[:3]}, "45 images need 45 labels"),
        ({"regions": ("salient",)}, "needs salience"),
        ({"regions": ("edge",)}, "no region 'edge'"),
        ({"epsilons": [-0.1]}, "Epsilon"),
        ({"epsilons": [float("nan")]}, "Epsilon"),
    ):
        arguments = {"images": data.images, "labels": data.labels, "epsilons": [0.1], **options}
        with pytest.raises(SipError, match=part):
            list(evaluate(model, **arguments))  # type: ignore[arg-type]
