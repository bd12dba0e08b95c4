"""Out of memory: the model really asks the allocator for more than any machine has."""

import numpy as np
import pytest
import torch
from torch import nn

from sip_explorer.attacks import SweepSpec, sweep
from sip_explorer.attacks.memory import is_out_of_memory
from sip_explorer.records import Artefact, Notice, Progress, SipError
from sip_explorer.records.sweeps import read_sweep


class _Hungry(nn.Module):
    """Works on batches of at most ``most`` images; ``from_call`` on, where it is given."""

    def __init__(self, model, most, from_call=0):
        super().__init__()
        self.model, self.most, self.from_call, self.calls = model, most, from_call, 0

    def forward(self, images):
        self.calls += 1
        if len(images) > self.most and self.calls > self.from_call:
            torch.empty(2**50)
        return self.model(images)


SPEC = SweepSpec(
    epsilons=(0.05, 0.1), batch_sizes=(1, 16), losses=("ce",), reductions=("mean",), steps=2, micro_batch=8
)


@pytest.fixture
def ten(pictures):
    return pictures[0][:10], pictures[1][:10]


def _notices(events):
    return [event.message for event in events if isinstance(event, Notice)]


def _numbers(cells):
    return {
        cell.key: (cell.success_per_image.tolist(), cell.loss_per_image.tolist(), cell.micro_batch)
        for cell in cells
    }


def test_the_micro_batch_is_halved_until_it_fits_and_recorded(model, ten, tmp_path):
    events = list(sweep({"m": _Hungry(model, 3)}, *ten, SPEC, tmp_path / "hungry"))
    for _ in sweep({"m": model}, *ten, SPEC, tmp_path / "small"):
        pass
    small = SweepSpec(**(vars(SPEC) | {"micro_batch": 2}))
    for _ in sweep({"m": model}, *ten, small, tmp_path / "two"):
        pass

    assert [text.partition(" (")[0] for text in _notices(events)] == ["Not enough memory for m"] * 2
    assert "with 8 images at once" in _notices(events)[0]
    assert "(4.19e+06 GiB more were needed): going on with 4." in _notices(events)[0]
    assert "with 4 images at once" in _notices(events)[1]
    assert events[-1].summary == {"cells": 4, "computed": 4, "kept": 0}
    assert {cell.micro_batch for cell in read_sweep(tmp_path / "small")} == {8}
    assert _numbers(read_sweep(tmp_path / "hungry")) == _numbers(read_sweep(tmp_path / "two"))


def test_a_cell_has_one_micro_batch_and_what_is_on_disk_stays(model, ten, tmp_path):
    # Memory becomes scarce when the first of four cells is written and the second half done: 10 images and
    # 8 at once, so 6 rows of it are there. A call asks the clean images, two steps and the last ones.
    hungry = _Hungry(model, 4, from_call=2 * 4 + 1)

    events = list(sweep({"m": hungry}, *ten, SPEC, tmp_path))

    cells = [event.data for event in events if isinstance(event, Artefact) and event.kind == "cell"]
    assert [cell.micro_batch for cell in cells] == [8, 4, 4, 4]
    assert len(_notices(events)) == 1
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done[:2] == [8, 16]
    assert done[2] == 10 + 4  # the 6 rows begun at 8 are computed anew
    assert done[-1] == 40
    for spec, places in ((SPEC, [0]), (SweepSpec(**(vars(SPEC) | {"micro_batch": 4})), [1, 2, 3])):
        for _ in sweep({"m": model}, *ten, spec, tmp_path / str(spec.micro_batch)):
            pass
        straight = _numbers(read_sweep(tmp_path / str(spec.micro_batch)))
        for place in places:
            assert straight[cells[place].key] == _numbers([cells[place]])[cells[place].key]


def test_the_model_is_as_before_when_memory_ran_out(model, ten, tmp_path):
    hungry = _Hungry(model, 3)
    hungry.model[1].eval()
    modes = [module.training for module in hungry.modules()]
    before = {name: value.clone() for name, value in hungry.state_dict().items()}
    random = torch.get_rng_state()

    for event in sweep({"m": hungry}, *ten, SPEC, tmp_path):
        if isinstance(event, Notice):
            break

    assert [module.training for module in hungry.modules()] == modes
    assert all(parameter.requires_grad and parameter.grad is None for parameter in hungry.parameters())
    assert all(torch.equal(value, before[name]) for name, value in hungry.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.is_grad_enabled()


def test_what_does_not_fit_at_all_says_what_to_do(model, ten, tmp_path):
    with pytest.raises(
        SipError, match=r"not enough memory for one single image of m \(ce mean float32\): clo"
    ):
        list(sweep({"m": _Hungry(model, 0)}, *ten, SPEC, tmp_path))
    assert read_sweep(tmp_path) == []


def test_a_literal_mini_batch_is_not_halved(model, ten, tmp_path):
    literal = SweepSpec(**(vars(SPEC) | {"execution": "literal", "batch_sizes": (4, 8)}))

    with pytest.raises(
        SipError, match=r"literal mini-batch of 8 images of m .*: choose vectorised execution"
    ):
        list(sweep({"m": _Hungry(model, 7)}, *ten, literal, tmp_path))

    assert [(cell.batch_size, cell.micro_batch) for cell in read_sweep(tmp_path)] == [(4, 4)]


def test_other_faults_are_not_taken_for_want_of_memory(model, ten, tmp_path):
    narrow = ten[0][..., :11], ten[1]  # the last layer does not fit
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        list(sweep({"m": model}, *narrow, SPEC, tmp_path))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has ..."), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18.10 GB, other allocations: ..."), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("DefaultCPUAllocator"), False),
    ],
    ids=["cuda", "cudnn", "mps", "python", "shapes", "value"],
)
def test_the_errors_that_say_so(error, expected):
    assert is_out_of_memory(error) is expected


def test_numpy_says_so_too():
    with pytest.raises(MemoryError) as caught:
        np.empty(2**50)
    assert is_out_of_memory(caught.value)
