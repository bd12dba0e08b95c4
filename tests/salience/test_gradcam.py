import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn
from torch.nn import functional as F

from sip_explorer.records import SipError
from sip_explorer.salience import grad_cam


def small_network(seed=0, inplace=False):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace),
        nn.Conv2d(8, 16, 3, 2, 1),
        nn.ReLU(inplace),
        nn.Conv2d(16, 16, 3, 4, 1),  # 2 x 2 at 32 px: too coarse to be chosen
        nn.ReLU(inplace),
        nn.Flatten(),
        nn.Linear(64, 5),
    )


def oracle(model, layer, images, targets):
    raw = LayerGradCam(model, layer).attribute(images, targets, relu_attributions=True)
    low, high = raw.amin((2, 3), keepdim=True), raw.amax((2, 3), keepdim=True)
    scaled = torch.nan_to_num((raw - low) / (high - low))
    return F.interpolate(scaled.detach(), images.shape[2:], mode="bilinear", align_corners=False)


@pytest.mark.parametrize("inplace", [False, True])
def test_it_agrees_with_captum(inplace):
    model = small_network(inplace=inplace).eval()
    images = torch.rand(7, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 1, 2, 3, 4, 0, 1])
    got = grad_cam(model, images, targets, micro_batch=3)
    assert got.shape == (7, 1, 32, 32)
    torch.testing.assert_close(got, oracle(model, model[4], images, targets), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        grad_cam(model, images, targets, layer=model[0]),
        oracle(model, model[0], images, targets),
        atol=1e-5,
        rtol=1e-4,
    )
    torch.testing.assert_close(grad_cam(model, images), grad_cam(model, images, model(images).argmax(1)))
    assert float(got.amin()) >= 0
    assert float(got.amax()) <= 1


def test_a_constant_map_is_no_salience():
    model = small_network().eval()
    nn.init.zeros_(model[8].weight)
    assert float(grad_cam(model, torch.rand(2, 3, 32, 32)).abs().max()) == 0
    flat = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    nn.init.constant_(flat[0].weight, 1.0)
    nn.init.constant_(flat[3].weight, 1.0)
    assert float(grad_cam(flat, torch.full((1, 3, 8, 8), 0.7)).abs().max()) == 0


def test_it_leaves_no_trace_on_the_model():
    model = small_network()
    model.train()
    model[1].eval()  # a mixed state has to come back as it was
    for parameter in model[3].parameters():
        parameter.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    modes = [module.training for module in model.modules()]
    asks = [parameter.requires_grad for parameter in model.parameters()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        grad_cam(model, images)
    with torch.inference_mode():
        grad_cam(model, torch.rand(2, 3, 32, 32))
    with pytest.raises(SipError, match="outside 0 to 4"):
        grad_cam(model, images, torch.tensor([5, 0]))
    with pytest.raises(SipError, match="4 x 4"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), torch.rand(1, 3, 8, 8))
    assert modes == [module.training for module in model.modules()]
    assert asks == [parameter.requires_grad for parameter in model.parameters()]
    assert all((state[key] == value).all() for key, value in model.state_dict().items())
    assert [parameter.grad is None for parameter in model.parameters()] == [False] + [True] * 9
    assert (model[0].weight.grad == 1).all()
    assert not any(module._forward_hooks for module in model.modules())
    assert not images.requires_grad


def test_no_images_give_no_maps():
    assert grad_cam(small_network(), torch.rand(0, 3, 32, 32)).shape == (0, 1, 32, 32)
