import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from sip_explorer.records import SipError
from sip_explorer.salience import integrated_gradients
from sip_explorer.salience.integratedgradients import attributions


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.GELU(), nn.Flatten(), nn.Dropout(), nn.Linear(512, 5)
    )


def pictures(count=5):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("baseline", [0.0, 0.4])
def test_it_agrees_with_captum(baseline):
    model, images = network().eval(), pictures()
    targets = torch.tensor([0, 1, 2, 3, 4])
    expected = IntegratedGradients(model).attribute(images, baseline, targets, n_steps=12).float()
    got = attributions(model, images, targets, steps=12, baseline=baseline, micro_batch=7)
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-4)
    raw = expected.abs().sum(1, keepdim=True)
    low, high = raw.amin((2, 3), keepdim=True), raw.amax((2, 3), keepdim=True)
    maps = integrated_gradients(model, images, targets, steps=12, baseline=baseline)
    assert maps.shape == (5, 1, 16, 16)
    torch.testing.assert_close(maps, (raw - low) / (high - low), atol=1e-5, rtol=1e-4)
    assert maps.amin((1, 2, 3)).tolist() == [0.0] * 5
    assert maps.amax((1, 2, 3)).tolist() == [1.0] * 5


def test_attributions_sum_to_what_the_image_adds_to_the_logit():
    model, images = network().eval(), pictures()
    nn.init.normal_(model[5].weight)
    start = torch.full((3, 16, 16), 0.2)
    targets = model(images).argmax(1)
    added = (model(images) - model(start[None])).detach().gather(1, targets[:, None])[:, 0]
    got = attributions(model, images, baseline=start, steps=32)  # the predicted class where none is given
    torch.testing.assert_close(got.sum((1, 2, 3)), added, atol=1e-4, rtol=1e-4)
    coarse = attributions(model, images, baseline=start, steps=1)
    assert float((coarse.sum((1, 2, 3)) - added).abs().max()) > 1e-2


def test_the_map_of_an_image_does_not_depend_on_the_micro_batch():
    model, images = network().eval(), pictures()
    whole = integrated_gradients(model, images, steps=4, micro_batch=64)
    for micro_batch in (1, 3):
        parts = integrated_gradients(model, images, steps=4, micro_batch=micro_batch)
        torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-4)


def test_a_constant_or_broken_map_is_no_salience():
    model = network()
    nn.init.zeros_(model[5].weight)
    assert float(integrated_gradients(model, pictures(2)).abs().max()) == 0
    mean = nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(3, 2))
    assert float(integrated_gradients(mean, torch.full((1, 3, 16, 16), 0.7)).abs().max()) == 0
    nn.init.constant_(model[5].weight, float("nan"))
    assert float(integrated_gradients(model, pictures(2)).abs().max()) == 0
    assert integrated_gradients(model, pictures(0)).shape == (0, 1, 16, 16)


def test_it_leaves_no_trace_on_the_model():
    model, images = network().train(), pictures(2)
    model[1].eval()
    model[0].weight.requires_grad_(False)
    modes = [module.training for module in model.modules()]
    asks = [parameter.requires_grad for parameter in model.parameters()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        maps = integrated_gradients(model, images)
    with torch.inference_mode():
        assert torch.equal(integrated_gradients(model, images), maps)
    with pytest.raises(SipError, match="outside 0 to 4"):
        integrated_gradients(model, images, torch.tensor([5, 0]))
    assert modes == [module.training for module in model.modules()]
    assert asks == [parameter.requires_grad for parameter in model.parameters()]
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not images.requires_grad


def test_what_does_not_fit_is_said():
    model = network()
    with pytest.raises(SipError, match="at least one step, not 0"):
        integrated_gradients(model, pictures(1), steps=0)
    with pytest.raises(SipError, match=r"baseline \(3, 8, 8\) does not fit"):
        integrated_gradients(model, pictures(1), baseline=torch.zeros(3, 8, 8))
    with pytest.raises(SipError, match="Integrated gradients needs images of shape"):
        integrated_gradients(model, torch.rand(3, 16, 16))
