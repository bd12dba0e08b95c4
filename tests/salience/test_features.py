"""Penultimate features: the last linear layer decides from just these."""

import pytest
import torch
from torch import nn

from sip_explorer.records import SipError
from sip_explorer.salience.features import penultimate_features


def drained(model, images, micro_batch=2):
    work = penultimate_features(model, images, micro_batch=micro_batch)
    passes = 0
    while True:
        try:
            next(work)
            passes += 1
        except StopIteration as end:
            return end.value, passes


def test_the_last_layer_decides_from_them():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 6), nn.Dropout(), nn.Linear(6, 5)
    )
    images = torch.rand(5, 3, 8, 8)
    features, passes = drained(model, images)
    assert features.shape == (5, 6)
    assert passes == 3
    torch.testing.assert_close(model[5](features), model.eval()(images))
    assert not any(layer._forward_pre_hooks for layer in model.modules())


def test_a_convolution_that_decides_gives_the_mean_over_positions():
    model = nn.Sequential(nn.Conv2d(3, 7, 3), nn.Conv2d(7, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    images = torch.rand(2, 3, 8, 8)
    features, _ = drained(model, images)
    torch.testing.assert_close(features, model[0](images).mean((2, 3)))
    assert drained(model, images[:0])[0].shape == (0, 0)


def test_a_model_without_such_a_layer_is_refused():
    with pytest.raises(SipError, match="choose another model"):
        drained(nn.Flatten(), torch.rand(2, 3, 8, 8))
