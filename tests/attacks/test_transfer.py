"""Examples of each model tried on each other."""

import copy
import csv
import math

import numpy as np
import pytest
import torch
from torch import nn

from sip_explorer.attacks import PGD
from sip_explorer.attacks.apgd import APGD
from sip_explorer.attacks.transfer import transfer
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Finished,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.adversarial import read_adversarial
from sip_explorer.records.transfers import TransferMatrix

ATTACK = PGD(epsilon=0.08, steps=3, micro_batch=16)


@pytest.fixture
def models(model):
    """Return a trained model, one much like it, and one of its kind that learned nothing."""
    near, untrained = copy.deepcopy(model), copy.deepcopy(model)
    numbers = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in near.parameters():
            parameter += 0.3 * parameter.std(unbiased=False) * torch.randn(parameter.shape, generator=numbers)
        for parameter in untrained.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=numbers))
    return {"a/b": model, "near": near, "untrained": untrained}


@pytest.fixture
def twenty(pictures):
    return pictures[0][:20], pictures[1][:20]


class _Counting(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.calls = model, 0

    def forward(self, images):
        self.calls += 1
        return self.model(images)


def _counting(models):
    return {name: _Counting(model) for name, model in models.items()}


def _matrix(events) -> TransferMatrix:
    return next(event.data for event in events if isinstance(event, Artefact) and event.kind == "transfer")


def _made(events):
    return [event.path for event in events if isinstance(event, Artefact) and event.kind == "transfer-source"]


@pytest.mark.parametrize(
    "attack",
    [
        ATTACK,
        PGD(norm="l2", step="normalised", epsilon=0.6, steps=2, micro_batch=16),
        APGD(steps=6, epsilon=0.08),
    ],
    ids=["pgd", "l2", "apgd"],
)
def test_every_entry_is_the_targets_answer_to_the_sources_examples(attack, models, twenty, tmp_path):
    images, labels = twenty
    ids = torch.arange(30, 50)

    events = list(transfer(models, *twenty, attack, tmp_path, indices=ids))

    found = _matrix(events)
    assert found.models == tuple(models)
    assert found.images == 20
    assert found.indices.tolist() == ids.tolist()
    results = [attack(model, images, labels, indices=ids) for model in models.values()]
    with torch.no_grad():
        for source, made in enumerate(results):
            assert found.clean_correct[source].tolist() == made.clean_correct.tolist()
            assert found.success_per_image[source, source].tolist() == made.success.tolist()
            for target, model in enumerate(models.values()):
                fooled = model.eval()(made.images).argmax(1) != labels
                right = results[target].clean_correct
                success = fooled | ~right
                assert found.success_per_image[source, target].tolist() == success.tolist()
                assert found.success[source, target] == pytest.approx(float(success.float().mean()))
                both = made.clean_correct & right
                assert found.both_right[source, target] == int(both.sum())
                if both.any():
                    of_both = float(fooled[both].float().mean())
                    assert found.success_where_both_right[source, target] == pytest.approx(of_both)
                else:
                    assert math.isnan(found.success_where_both_right[source, target])
    assert 0 < found.success_where_both_right[0, 1] <= 1

    assert events[0] == Started("Transfer between 3 models over 20 images", 60)
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == 60
    assert events[-1] == Finished("completed", {"sources": 3, "computed": 3})
    kept = read_adversarial(_made(events)[0], indices=ids)
    assert torch.equal(torch.from_numpy(kept.images), results[0].images)
    assert kept.labels.tolist() == labels.tolist()
    assert kept.origin["model"] == "a/b"
    assert kept.origin["attack"] == repr(attack)


def test_the_table_holds_what_the_matrix_says(models, twenty, tmp_path):
    events = list(transfer(models, *twenty, ATTACK, tmp_path))

    found = _matrix(events)
    with open(tmp_path / "transfer.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["source"], row["target"]) for row in rows] == [(s, t) for s in models for t in models]
    assert [float(row["success"]) for row in rows] == found.success.flatten().tolist()
    for row, both, share in zip(
        rows, found.both_right.flatten(), found.success_where_both_right.flatten(), strict=True
    ):
        assert float(row["low_95"]) <= float(row["success"]) <= float(row["high_95"])
        assert int(row["images_where_both_right"]) == both
        assert row["success_where_both_right"] == ("" if both == 0 else str(share))


def test_shares_of_no_images_are_empty():
    nothing = TransferMatrix(
        ("a", "b"),
        np.ones((2, 2, 3), bool),
        np.array([[1, 1, 0], [0, 0, 1]], bool),
        np.arange(3),
        "linf",
        0.1,
    )

    assert nothing.both_right.tolist() == [[2, 0], [0, 1]]
    np.testing.assert_array_equal(nothing.success_where_both_right, [[1, np.nan], [np.nan, 1]])
    assert nothing.rows()[1]["success_where_both_right"] is None
    assert nothing.rows()[1]["low_95_where_both_right"] == 0


def test_a_killed_transfer_goes_on_where_it_was(models, twenty, tmp_path):
    whole, part, rest, again = (_counting(models) for _ in range(4))
    straight = _matrix(transfer(whole, *twenty, ATTACK, tmp_path / "whole"))
    job = transfer(part, *twenty, ATTACK, tmp_path / "part")
    while not _made([next(job)]):
        pass
    while part["near"].calls < 5:  # in the midst of the second source
        next(job)
    job.close()
    (first,) = (tmp_path / "part" / "sources").iterdir()
    written = first.stat().st_mtime_ns

    events = list(transfer(rest, *twenty, ATTACK, tmp_path / "part"))

    np.testing.assert_array_equal(_matrix(events).success_per_image, straight.success_per_image)
    assert first.stat().st_mtime_ns == written
    assert len(_made(events)) == 2
    assert events[-1].summary == {"sources": 3, "computed": 2}
    forwards = 2 * (1 + 3)  # two micro-batches: the clean images and three sources' examples
    assert rest["a/b"].calls == forwards
    assert rest["near"].calls == whole["near"].calls > forwards

    events = list(transfer(again, *twenty, ATTACK, tmp_path / "part"))
    assert [model.calls for model in again.values()] == [forwards] * 3
    assert events[1] == Notice("The examples of 3 of 3 models were there already and are kept.")
    assert events[-1].summary["computed"] == 0


def test_models_may_be_added(models, twenty, tmp_path):
    two = {name: models[name] for name in ("a/b", "near")}
    first = _matrix(transfer(two, *twenty, ATTACK, tmp_path))

    events = list(transfer(models, *twenty, ATTACK, tmp_path))

    assert events[-1].summary == {"sources": 3, "computed": 1}
    np.testing.assert_array_equal(_matrix(events).success_per_image[:2, :2], first.success_per_image)


def test_damaged_examples_are_made_again(models, twenty, tmp_path):
    events = list(transfer(models, *twenty, ATTACK, tmp_path))
    path = _made(events)[1]
    with open(path, "r+b") as file:
        file.truncate(200)

    again = list(transfer(models, *twenty, ATTACK, tmp_path))

    assert _made(again) == [path]
    notices = [event.message for event in again if isinstance(event, Notice)]
    assert any(path in message and "The examples of near are made again." in message for message in notices)
    np.testing.assert_array_equal(_matrix(again).success_per_image, _matrix(events).success_per_image)


@pytest.mark.parametrize("after", [1, 6, 12, 30, 50])
def test_a_cancel_is_heard_before_the_next_step(after, models, twenty, tmp_path):
    counting, token = _counting(models), CancelToken()
    job = transfer(counting, *twenty, ATTACK, tmp_path, token=token)
    for _ in range(after):
        next(job)
    token.cancel()
    calls = sum(model.calls for model in counting.values())

    with pytest.raises(Cancelled):
        list(job)

    assert sum(model.calls for model in counting.values()) <= calls + 1


def test_a_stop_keeps_the_source_at_work(models, twenty, tmp_path):
    token = CancelToken()
    token.stop()

    events = list(transfer(models, *twenty, ATTACK, tmp_path, token=token))

    assert events[-1] == Finished("stopped", {"sources": 1, "computed": 1})
    assert len(_made(events)) == 1


class _Limited(nn.Module):
    """A model that finds room for so many images at once."""

    def __init__(self, model: nn.Module, most: int) -> None:
        super().__init__()
        self.model, self.most = model, most

    def forward(self, images):
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self.model(images)


def test_too_little_memory_halves_the_micro_batch_of_the_source_at_work(models, twenty, tmp_path):
    limited = {"small": _Limited(models["a/b"], 5)} | models

    events = list(transfer(limited, *twenty, ATTACK, tmp_path, indices=range(20)))

    notices = [event.message for event in events if isinstance(event, Notice)]
    assert any(message.endswith("going on with 4.") for message in notices)
    made = read_adversarial(_made(events)[0])
    assert "micro_batch=4" in made.origin["attack"]
    at_four = PGD(epsilon=0.08, steps=3, micro_batch=4)(models["a/b"], *twenty, indices=range(20))
    assert torch.equal(torch.from_numpy(made.images), at_four.images)
    with pytest.raises(SipError, match="not enough memory on cpu"):
        list(transfer({"none": _Limited(models["near"], 0)} | models, *twenty, ATTACK, tmp_path))


def test_other_work_is_not_mixed_in(models, twenty, tmp_path):
    images, labels = twenty
    for _ in transfer(models, *twenty, ATTACK, tmp_path):
        pass

    def start(given=models, pictures=twenty, attack=ATTACK, **changes):
        next(transfer(given, *pictures, attack, tmp_path, **changes))

    with pytest.raises(SipError, match=r"other settings \(steps\)"):
        start(attack=PGD(epsilon=0.08, steps=4, micro_batch=16))
    with pytest.raises(SipError, match="other settings"):
        start(attack=APGD(epsilon=0.08, steps=3, micro_batch=16))
    with pytest.raises(SipError, match=r"other selection \(content\)"):
        start(pictures=(images.flip(0), labels))
    with pytest.raises(SipError, match="other selection"):
        start(indices=range(10, 30))
    with pytest.raises(SipError, match="another model named near"):
        start(given=models | {"near": models["untrained"]})


class _Described(nn.Module):
    def __init__(self, model: nn.Module, classes=tuple("abcde"), input_shape=(1, 12, 12), outputs=5) -> None:
        super().__init__()
        self.model, self.classes, self.input_shape, self.outputs = model, classes, input_shape, outputs

    def forward(self, images):
        return self.model(images)[:, : self.outputs]


def test_models_that_cannot_be_compared_are_named(model, pictures, tmp_path):
    images, labels = pictures[0][pictures[1] < 4], pictures[1][pictures[1] < 4]

    def run(**models):
        list(transfer(models, images, labels, ATTACK, tmp_path))

    with pytest.raises(SipError, match="choose at least two models"):
        run(one=model)
    with pytest.raises(SipError, match="one and other know different classes"):
        run(one=_Described(model), plain=model, other=_Described(model, classes=tuple("abcdf")))
    with pytest.raises(SipError, match="large takes images of 3 × 224 × 224 and these are 1 × 12 × 12"):
        run(one=model, large=_Described(model, input_shape=(3, 224, 224)))
    assert not list(tmp_path.glob("**/*.json"))
    with pytest.raises(SipError, match=r"different numbers of classes \(one: 5, few: 4\)"):
        run(one=model, few=_Described(model, classes=None, outputs=4))
    assert not list(tmp_path.glob("**/*.h5"))
