"""How many images go through a model at once."""

import pytest
import torch
from torch import nn

from sip_explorer.attacks.pace import MOST_ROWS, WORK_OF_A_STEP, common_pace, rows_at_once
from sip_explorer.records import SipError

CPU = torch.device("cpu")


def _convolutions(width, side):
    layers = [nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width * side * side, 10))


def test_rows_times_the_multiplications_of_an_image_are_the_work_of_a_step():
    multiplications = 64 * 27 * 96**2 + 10 * 64 * 96**2

    assert rows_at_once(_convolutions(64, 96), (3, 96, 96)) == WORK_OF_A_STEP // multiplications


def test_a_light_model_and_a_gpu_have_no_more_rows_than_there_is_use_for():
    light = _convolutions(1, 4)

    assert rows_at_once(light, (3, 4, 4)) == MOST_ROWS
    assert rows_at_once(_convolutions(64, 96), (3, 96, 96), torch.device("cuda")) == MOST_ROWS
    assert common_pace([light], (3, 4, 4), CPU) == (64, 250)
    assert common_pace([light], (3, 4, 4), torch.device("cuda")) == (256, 250)


def test_the_slowest_model_sets_the_pace_in_powers_of_two():
    light, heavy = _convolutions(1, 96), _convolutions(384, 96)
    rows = rows_at_once(heavy, (3, 96, 96))
    assert rows == 30

    assert common_pace([light, heavy], (3, 96, 96), CPU) == (16, rows)


def test_counting_leaves_the_model_as_it_was():
    model = _convolutions(2, 4).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    rows_at_once(model, (3, 4, 4))

    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_model_without_class_scores_is_refused():
    with pytest.raises(SipError, match="class scores of shape"):
        rows_at_once(nn.Flatten(0), (3, 4, 4))
