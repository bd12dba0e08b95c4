import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from sip_explorer.attacks import PGD, SweepSpec, sweep
from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Progress, SipError, Started
from sip_explorer.records.sweeps import read_manifest, read_sweep

SPEC = SweepSpec(
    epsilons=(0.0, 0.05),
    batch_sizes=(1, 4, 64),
    losses=("ce",),
    reductions=("mean", "sum"),
    steps=3,
    step_rules=("raw",),
    raw_step_size=0.05,
    micro_batch=16,
)


class _Counting(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.calls = model, 0

    def forward(self, images):
        self.calls += 1
        return self.model(images)


@pytest.fixture
def ten(pictures):
    return pictures[0][:10], pictures[1][:10]


def _cells(folder):
    return {cell.key: cell for cell in read_sweep(folder)}


def _assert_same_numbers(found, expected):
    for field in dataclasses.fields(found):
        if field.name not in ("batch_size", "shared"):
            np.testing.assert_array_equal(
                getattr(found, field.name), getattr(expected, field.name), field.name
            )


def test_every_cell_is_the_attack_by_itself(model, ten, tmp_path):
    ids = torch.arange(50, 60)

    events = list(sweep({"small": model}, *ten, SPEC, tmp_path, indices=ids))

    cells = _cells(tmp_path)
    assert len(cells) == 2 * 2 * 3
    for key, cell in cells.items():
        attack = PGD(step="raw", step_size=0.05, steps=3, loss="ce", reduction=key.reduction, micro_batch=16)
        n = [key.batch_size] * 10 if key.batch_size != 4 else [4] * 8 + [2] * 2
        alone = attack(model, *ten, epsilon=key.epsilon, batch_size=torch.tensor(n), indices=ids)
        assert cell.success_per_image.tolist() == alone.success.tolist()
        assert cell.loss_per_image.tolist() == alone.loss.tolist()
        assert cell.success == pytest.approx(alone.success.float().mean().item())
        assert cell.clean_wrong == pytest.approx(1 - alone.clean_correct.float().mean().item())
        assert cell.zero_gradient_fraction == pytest.approx(alone.zero_gradient_fraction.mean().item())
        assert cell.indices.tolist() == ids.tolist()
        assert cell.shared == ((key.reduction == "sum" or key.epsilon == 0) and key.batch_size != 1)
    at_mean = [cell.loss_per_image for key, cell in cells.items() if key.reduction == "mean" and key.epsilon]
    assert not np.array_equal(at_mean[0], at_mean[2])  # a mini-batch of 64 is weaker than one of 1

    assert isinstance(events[0], Started)
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == events[0].total
    assert [event.data.key.name in event.path for event in events if _is_cell(event)] == [True] * 12
    assert events[-1] == Finished("completed", {"cells": 12, "computed": 12, "kept": 0})
    assert events.count(None) > 3 * 3


def _is_cell(event):
    return isinstance(event, Artefact) and event.kind == "cell"


def test_a_killed_sweep_goes_on_where_it_was(model, ten, tmp_path):
    whole = _Counting(model)
    for _ in sweep({"m": whole}, *ten, SPEC, tmp_path / "whole"):
        pass
    part = _Counting(model)
    job = sweep({"m": part}, *ten, SPEC, tmp_path / "part")
    for event in job:
        if _is_cell(event) and len(_cells(tmp_path / "part")) == 4:
            break
    job.close()
    finished = _cells(tmp_path / "part")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "part" / "cells").iterdir()}

    rest = _Counting(model)
    events = list(sweep({"m": rest}, *ten, SPEC, tmp_path / "part"))

    assert len(finished) == 4
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert sum(map(_is_cell, events)) == 8
    assert events[-1].summary == {"cells": 12, "computed": 8, "kept": 4}
    assert 0 < rest.calls < whole.calls
    resumed, straight = _cells(tmp_path / "part"), _cells(tmp_path / "whole")
    assert resumed.keys() == straight.keys()
    for key, cell in straight.items():
        _assert_same_numbers(resumed[key], cell)

    again = _Counting(model)
    assert list(sweep({"m": again}, *ten, SPEC, tmp_path / "part"))[-1].summary["computed"] == 0
    assert again.calls == 0


def test_cancel_and_stop_keep_every_finished_cell(model, ten, tmp_path):
    token = CancelToken()
    job = sweep({"m": model}, *ten, SPEC, tmp_path / "a", token=token)
    while not _is_cell(next(job)):
        pass
    token.cancel()
    with pytest.raises(Cancelled):
        list(job)
    assert len(_cells(tmp_path / "a")) >= 1

    token = CancelToken()
    token.stop()
    events = list(sweep({"m": model}, *ten, SPEC, tmp_path / "b", token=token))
    assert events[-1].outcome == "stopped"
    assert 0 < len(_cells(tmp_path / "b")) < 12


def test_axes_and_models_may_grow(model, ten, tmp_path):
    small = dataclasses.replace(SPEC, batch_sizes=(1,), epsilons=(0.05,))
    for _ in sweep({"a": model}, *ten, small, tmp_path):
        pass

    events = list(sweep({"a": model, "b": model}, *ten, SPEC, tmp_path))

    assert events[-1].summary == {"cells": 24, "computed": 22, "kept": 2}
    manifest = read_manifest(tmp_path)
    assert manifest["axes"]["epsilons"] == [0.05, 0.0]
    assert set(manifest["models"]) == {"a", "b"}
    assert len(manifest["environments"]) == 1


def test_another_sweep_is_not_mixed_in(model, ten, tmp_path):
    images, labels = ten
    for _ in sweep({"m": model}, *ten, SPEC, tmp_path):
        pass
    with torch.no_grad():
        changed = {name: value.clone() for name, value in model.state_dict().items()}
        changed["6.bias"] += 1

    def start(models=None, pictures=ten, spec=SPEC, **changes):
        next(sweep(models or {"m": model}, *pictures, spec, tmp_path, **changes))

    with pytest.raises(SipError, match=r"sweep with other settings \(steps\)"):
        start(spec=dataclasses.replace(SPEC, steps=4))
    with pytest.raises(SipError, match=r"sweep with other selection \(content\)"):
        start(pictures=(images.flip(0), labels))
    with pytest.raises(SipError, match=r"sweep with other selection"):
        start(indices=range(10, 20))
    model.load_state_dict(changed)
    with pytest.raises(SipError, match="results of another model named m"):
        start()


def test_a_start_that_came_to_nothing_does_not_keep_the_folder(model, ten, tmp_path):
    with pytest.raises(SipError, match="the model knows the classes 0 to 4"):
        list(sweep({"m": model}, ten[0], ten[1] + 5, SPEC, tmp_path))

    events = list(sweep({"m": model}, *ten, SPEC, tmp_path))

    assert events[-1].outcome == "completed"


def test_previews_show_the_growth_and_are_kept(model, ten, tmp_path):
    images = ten[0]
    events = list(sweep({"m": model}, *ten, SPEC, tmp_path, indices=range(100, 110), preview=[103, 109]))

    states = [event for event in events if isinstance(event, Artefact) and event.kind == "attack-state"]
    cells = _cells(tmp_path)
    for key, cell in cells.items():
        assert cell.preview_indices.tolist() == [103, 109]
        assert cell.preview_images.shape == (2, 1, 12, 12)
        moved = np.abs(cell.preview_images - images[[3, 9]].numpy()).max()
        assert moved <= key.epsilon + 1e-6
        assert (cell.preview_logits.argmax(1) != ten[1][[3, 9]].numpy()).tolist() == [
            cell.success_per_image[3],
            cell.success_per_image[9],
        ]
    for key in cells:
        mine = [event.data for event in states if key.name in event.path]
        if cells[key].shared:
            assert not mine
        elif key.epsilon:
            assert (
                [s.step for s in mine if 3 in s.rows] == [s.step for s in mine if 9 in s.rows] == [0, 1, 2, 3]
            )
            assert all(len(s.images) == len(s.loss) == len(s.success) == len(s.rows) for s in mine)


def test_literal_mini_batches_agree_with_weights(model, ten, tmp_path):
    # Different kernel shapes, so agreement is up to images on a decision boundary; here there are none.
    spec = dataclasses.replace(SPEC, batch_sizes=(1, 3, 10))
    for execution in ("vectorised", "literal"):
        spec = dataclasses.replace(spec, execution=execution)
        for _ in sweep({"m": model}, *ten, spec, tmp_path / execution):
            pass
    literal = _cells(tmp_path / "literal")

    for key, cell in _cells(tmp_path / "vectorised").items():
        assert cell.success_per_image.tolist() == literal[key].success_per_image.tolist()
        assert cell.loss_per_image == pytest.approx(literal[key].loss_per_image, abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epsilons": ()}, "no epsilons: choose at least one"),
        ({"batch_sizes": ()}, "no batch sizes"),
        ({"epsilons": (-0.1,)}, "Epsilon -0.1 is not possible"),
        ({"epsilons": (float("nan"),)}, "Epsilon nan is not possible"),
        ({"batch_sizes": (0,)}, "mini-batch size 0 is not possible"),
        ({"losses": ("kl",)}, "loss is 'kl'; choose one of"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_a_sweep_that_cannot_be_meant(changes, sentence):
    with pytest.raises(SipError, match=sentence):
        dataclasses.replace(SPEC, **changes)


def test_a_selection_that_cannot_be_meant(model, ten, tmp_path):
    images, labels = ten

    def start(models=None, pictures=ten, spec=SPEC, **changes):
        list(sweep({"m": model} if models is None else models, *pictures, spec, tmp_path, **changes))

    with pytest.raises(SipError, match="No model is selected"):
        start(models={})
    with pytest.raises(SipError, match="No images are selected"):
        start(pictures=(images[:0], labels[:0]))
    with pytest.raises(SipError, match="Epsilon 2 is not possible"):
        start(spec=dataclasses.replace(SPEC, epsilons=(0.1, 2.0)))
    with pytest.raises(SipError, match="10 images make none of 64"):
        start(spec=dataclasses.replace(SPEC, execution="literal"))
    with pytest.raises(SipError, match="Image 77 is to be shown but is not among those attacked"):
        start(preview=[77])
    assert not list(tmp_path.iterdir()) or not read_sweep(tmp_path)
    with pytest.raises(SipError, match="A label is 9 and the model knows the classes 0 to 4"):
        start(pictures=(images, labels + 9 - labels.max()))
