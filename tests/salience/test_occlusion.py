"""Occlusion: against captum, on a model whose answer is known, and without a trace."""

import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from sip_explorer.records import SipError
from sip_explorer.salience.attribution import drain
from sip_explorer.salience.occlusion import occlude, occlusion, usual_window


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.GELU(), nn.Flatten(), nn.Dropout(), nn.Linear(480, 5)
    )


def pictures(count=5):
    return torch.rand(count, 3, 12, 20, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("window", "stride", "fill"), [(4, 2, 0.5), (5, 3, 0.0), (3, 3, 0.2), (12, 7, 1.0)])
def test_it_agrees_with_captum(window, stride, fill):
    model, images = network().eval(), pictures()
    targets = torch.tensor([0, 1, 2, 3, 4])
    expected = Occlusion(model).attribute(
        images, (3, window, window), (3, stride, stride), fill, targets, perturbations_per_eval=4
    )
    got = drain(occlude(model, images, targets, window=window, stride=stride, fill=fill, micro_batch=7))
    assert got.shape == (5, 1, 12, 20)
    torch.testing.assert_close(got.expand(-1, 3, -1, -1), expected.float(), atol=1e-5, rtol=1e-4)


def test_only_what_the_class_rests_on_is_salient():
    reads = torch.zeros(12, 20, 2)
    reads[3:6, 8:11, 0] = 1.0  # class 0 is how bright this corner is, class 1 how dark
    reads[3:6, 8:11, 1] = -1.0
    head = nn.Linear(240, 2, bias=False)
    head.weight.data = reads.reshape(240, 2).T.contiguous()
    model = nn.Sequential(nn.Flatten(), head)
    image = torch.full((1, 1, 12, 20), 0.9)
    maps = occlusion(model, image, window=1, stride=1)
    assert torch.equal(maps[0, 0], reads[..., 0])
    assert not occlusion(model, image, torch.tensor([1]), window=1, stride=1).any()


def test_the_map_does_not_depend_on_the_micro_batch_and_explains_what_is_predicted():
    model, images = network().eval(), pictures()
    whole = occlusion(model, images)
    assert whole.amax((1, 2, 3)).tolist() == [1.0] * 5
    assert whole.amin() == 0
    for micro_batch in (1, 11):
        torch.testing.assert_close(
            occlusion(model, images, micro_batch=micro_batch), whole, atol=1e-5, rtol=1e-4
        )
    torch.testing.assert_close(occlusion(model, images, model(images).argmax(1)), whole)
    assert usual_window(224, 300) == (45, 22)
    assert usual_window(28, 28) == (6, 3)
    assert usual_window(2, 2) == (1, 1)


def test_a_flat_or_broken_map_is_no_salience():
    model = network()
    nn.init.zeros_(model[5].weight)
    assert not occlusion(model, pictures(2)).any()
    nn.init.constant_(model[5].weight, float("nan"))
    assert not occlusion(model, pictures(2)).any()
    assert occlusion(model, pictures(0)).shape == (0, 1, 12, 20)


def test_it_leaves_no_trace_on_the_model():
    model, images = network().train(), pictures(2)
    model[1].eval()
    modes = [module.training for module in model.modules()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    maps = occlusion(model, images)
    with torch.inference_mode():
        assert torch.equal(occlusion(model, images), maps)
    assert modes == [module.training for module in model.modules()]
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"window": 13}, "a square of 13"),
        ({"window": 0}, "from 1 to 12"),
        ({"window": 4, "stride": 5}, "would miss"),
        ({"window": 4, "stride": 0}, "steps of 0"),
        ({"targets": torch.tensor([5])}, "outside 0 to 4"),
    ],
    ids=["too wide", "no square", "gaps", "no step", "no class"],
)
def test_what_does_not_fit_is_said(settings, sentence):
    with pytest.raises(SipError, match=sentence):
        occlusion(network(), pictures(1), **settings)
