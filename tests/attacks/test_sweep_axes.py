"""Step rules and restarts as axes, and a folder that goes on however it was interrupted."""

import dataclasses
import json
import tempfile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sip_explorer.attacks import PGD, SweepSpec, sweep
from sip_explorer.records import Artefact, Cancelled, CancelToken, SipError
from sip_explorer.records.sweeps import CellKey, read_manifest, read_sweep

SPEC = SweepSpec(
    epsilons=(0.2, 0.0),
    batch_sizes=(1, 4),
    losses=("ce",),
    reductions=("sum", "mean"),
    step_rules=("normalised", "normalised:add:1e-2", "raw"),
    restarts=(1, 3),
    norm="l2",
    steps=2,
    raw_step_size=0.5,
    micro_batch=8,
)
RULES = {"normalised": ("normalised", None), "normalised:add:0.01": ("normalised", ("add", 0.01)),
         "raw": ("raw", None)}  # fmt: skip


@pytest.fixture
def six(pictures):
    return pictures[0][:6], pictures[1][:6]


def _drained(*arguments, **changes):
    return list(sweep(*arguments, **changes))


def _numbers(folder):
    return {
        cell.key: (cell.loss_per_image.tolist(), cell.success_per_image.tolist(), cell.shared)
        for cell in read_sweep(folder)
    }


def test_every_step_rule_and_number_of_restarts_is_a_cell_of_its_own(model, six, tmp_path):
    events = _drained({"m": model}, *six, SPEC, tmp_path, indices=range(6))

    cells = read_sweep(tmp_path)
    assert len(cells) == 2 * 2 * 2 * 3 * 2
    assert {cell.key for cell in cells} == set(SPEC.cells("m"))
    for cell in cells:
        step, guard = RULES[cell.step]
        attack = PGD(
            norm="l2", steps=2, loss="ce", reduction=cell.reduction, step=step, guard=guard,
            step_size=0.5 if step == "raw" else None, restarts=cell.restarts, micro_batch=8,
        )  # fmt: skip
        radius = torch.full((6,), cell.epsilon)
        alone = attack(model, *six, epsilon=radius, batch_size=cell.batch_size, indices=range(6))
        assert cell.loss_per_image.tolist() == alone.loss.tolist()
        assert (cell.attack, cell.micro_batch) == ("pgd", 8)
    moved = {
        (cell.step, cell.restarts): cell.loss_per_image.sum()
        for cell in cells
        if cell.epsilon and cell.batch_size == 4 and cell.reduction == "mean"
    }
    assert len(set(moved.values())) == 6
    assert all(moved[step, 3] > moved[step, 1] for step in RULES)
    manifest = read_manifest(tmp_path)
    assert manifest["axes"]["step_rules"] == ["normalised", "normalised:add:0.01", "raw"]
    assert manifest["axes"]["restarts"] == [1, 3]
    assert manifest["settings"]["raw_step_size"] == 0.5
    assert not {"step_rule", "guard", "restarts"} & manifest["settings"].keys()
    texts = " ".join(getattr(event, "text", "") for event in events)
    assert "m: ce mean float32 normalised:add:0.01 3 restarts, ε 0.2, N 4" in texts


def test_the_same_rule_written_twice_is_one(model):
    spec = dataclasses.replace(SPEC, step_rules=("normalised:floor:1e-6", " normalised:floor:0.000001"))

    assert spec.step_rules == ("normalised:floor:1e-06",)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"step_rules": ()}, "no step rules: choose at least one"),
        ({"step_rules": ("adaptive",)}, "The step rule “adaptive” is unknown: write sign"),
        ({"restarts": ()}, "no restarts: choose at least one"),
        ({"restarts": (1, 1.5)}, "1.5 is no whole number"),
        ({"batch_sizes": (1, 2.5)}, "2.5 is no whole number"),
        ({"steps": 2.5}, "steps is 2.5; it must be a whole number"),
        ({"restarts": (1, 0)}, "restarts is 0; it must be at least 1"),
        ({"raw_step_size": 0.0}, "step size 0.0 is not possible"),
        ({"step_size": float("nan")}, "step size nan is not possible"),
        ({"micro_batch": 0}, "micro_batch is 0; it must be at least 1"),
        ({"norm": "l1"}, "norm is 'l1'; choose one of linf, l2"),
        ({"execution": "quick"}, "execution is 'quick'; choose one of vectorised, literal"),
    ],
)
def test_axes_that_cannot_be_meant(changes, sentence):
    with pytest.raises(SipError, match=sentence):
        dataclasses.replace(SPEC, **changes)


def test_batch_sizes_of_a_sum_are_recorded_without_computing_again(model, six, tmp_path):
    small = dataclasses.replace(
        SPEC, reductions=("sum",), batch_sizes=(4,), step_rules=("raw",), restarts=(1,)
    )
    _drained({"m": model}, *six, small, tmp_path)
    calls = []
    handle = model.register_forward_pre_hook(lambda *_: calls.append(1))

    events = _drained({"m": model}, *six, dataclasses.replace(small, batch_sizes=(1, 4, 16)), tmp_path)

    handle.remove()
    assert not calls
    assert events[-1].summary == {"cells": 6, "computed": 4, "kept": 2}
    new = [event.data for event in events if isinstance(event, Artefact) and event.kind == "cell"]
    assert sorted((cell.epsilon, cell.batch_size, cell.shared) for cell in new) == [
        (0.0, 1, True), (0.0, 16, True), (0.2, 1, True), (0.2, 16, True),
    ]  # fmt: skip
    whole = dataclasses.replace(small, batch_sizes=(4, 1, 16))
    _drained({"m": model}, *six, whole, tmp_path / "whole")
    assert _numbers(tmp_path) == _numbers(tmp_path / "whole")


def test_what_the_model_saw_in_literal_execution_is_recorded(model, six, tmp_path):
    literal = dataclasses.replace(
        SPEC, execution="literal", restarts=(1,), step_rules=("raw",), epsilons=(0.2,)
    )

    _drained({"m": model}, *six, literal, tmp_path)

    assert {cell.batch_size: cell.micro_batch for cell in read_sweep(tmp_path)} == {1: 1, 4: 4}


def test_a_folder_of_the_first_format_is_not_gone_on_with(model, six, tmp_path):
    manifest = {"format": 1, "kind": "sweep", "settings": {"step_rule": "sign"}, "selection": {}, "axes": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(
        SipError, match="an earlier version of SIP Explorer, which can be read but not contin"
    ):
        _drained({"m": model}, *six, SPEC, tmp_path)

    assert json.loads((tmp_path / "manifest.json").read_text()) == manifest


SMALL = dataclasses.replace(
    SPEC, epsilons=(0.2,), step_rules=("normalised", "raw"), restarts=(1,), steps=1, micro_batch=4
)


def _subject():
    numbers = torch.Generator().manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 3))
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=numbers)
    return {"m": network}, torch.rand(6, 1, 6, 6, generator=numbers), torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    _drained(*_subject(), SMALL, folder)
    return _numbers(folder)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["close", "cancel", "stop"])), max_size=3))
def test_any_interruptions_lead_to_the_same_cells(straight, interruptions):
    subject = _subject()
    with tempfile.TemporaryDirectory() as folder:
        for events, how in interruptions:
            token = CancelToken()
            job = sweep(*subject, SMALL, folder, token=token)
            kept = {}
            try:
                for number, _ in enumerate(job):
                    if number == events:
                        kept = _numbers(folder)
                        if how == "close":  # as a killed process: nothing more is written
                            job.close()
                        elif how == "cancel":
                            token.cancel()
                        else:
                            token.stop()
            except Cancelled:
                assert how == "cancel"
            assert kept.items() <= _numbers(folder).items() <= straight.items()
        _drained(*subject, SMALL, folder)
        assert _numbers(folder) == straight


def test_a_cell_key_names_what_the_file_names(model, six, tmp_path):
    events = _drained({"m": model}, *six, SMALL, tmp_path)

    paths = [event.path for event in events if isinstance(event, Artefact) and event.kind == "cell"]
    assert len(set(paths)) == 8
    key = CellKey("m", "ce", "mean", "float32", 0.2, 4, step="raw")
    assert any(path.endswith(f"{key.name}.h5") for path in paths)
