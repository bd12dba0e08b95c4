import pytest
import torch
from torch import nn

from sip_explorer.models import build_classifier
from sip_explorer.records import SipError
from sip_explorer.salience import grad_cam, grad_cam_layers, layer_named


@pytest.fixture(scope="module")
def resnet():
    return build_classifier(
        "resnet18", classes=("a", "b", "c"), input_shape=(3, 64, 64), mean=[0.5] * 3, std=[0.2] * 3, seed=0
    )


def test_the_ends_of_the_stages_are_offered(resnet):
    resnet.train()
    before = {key: value.clone() for key, value in resnet.state_dict().items()}
    listed = grad_cam_layers(resnet, (3, 64, 64))
    assert [tuple(layer) for layer in listed] == [
        ("relu", 64, 32, 32),
        ("layer1", 64, 16, 16),
        ("layer2", 128, 8, 8),
        ("layer3", 256, 4, 4),
    ]  # layer4 puts out 2 x 2: too coarse
    assert resnet.training
    assert all(torch.equal(before[key], value) for key, value in resnet.state_dict().items())
    assert not any(module._forward_hooks for module in resnet.modules())
    assert grad_cam_layers(nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), (3, 8, 8)) == []


def test_a_layer_is_chosen_by_its_name(resnet):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    usual = grad_cam(resnet, images)
    assert layer_named(resnet, "network.layer2") is layer_named(resnet, "layer2") is resnet.network.layer2
    assert torch.equal(grad_cam(resnet, images, layer=layer_named(resnet, "layer3")), usual)
    finer = grad_cam(resnet, images, layer=layer_named(resnet, "layer2.1.bn2"))
    assert float((finer - usual).abs().max()) > 0.1
    with pytest.raises(
        SipError, match=r"4 x 4 positions, and network.layer4 puts out none .* 64 x 64 pixels"
    ):
        grad_cam(resnet, images, layer=layer_named(resnet, "layer4"))


def test_a_wrong_name_is_answered_with_names_that_are_near(resnet):
    with pytest.raises(SipError, match=r"no layer named 'layr3'; did you mean layer3"):
        layer_named(resnet, "layr3")
    with pytest.raises(SipError, match=r"its parts are conv1, bn1, relu, maxpool, layer1"):
        layer_named(resnet, "???")
    with pytest.raises(SipError, match="no layer named ''"):
        layer_named(resnet, "")
