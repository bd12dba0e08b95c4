"""Files that timm writes: small networks of many families give timm's logits; the table knows the rest."""

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from checkpoint_files import write_torch
from torch import nn
from torchvision.transforms import Normalize

from sip_explorer.models import architecture_names, build_classifier, inspect_checkpoint, load_checkpoint
from sip_explorer.models.architectures import build_network, hollow_network
from sip_explorer.models.catalogue import head_keys
from sip_explorer.models.fingerprints import TIMM, TORCHVISION, fingerprint_of, fingerprints
from sip_explorer.models.recognition import candidates, input_shape
from sip_explorer.records import SipError

# One network of each family, the smallest that timm has.
FAMILIES = (
    "cait_xxs24_224",
    "coat_lite_tiny",
    "convit_tiny",
    "convnext_atto",
    "crossvit_9_dagger_240",
    "deit_tiny_distilled_patch16_224",
    "dla46x_c",
    "edgenext_xx_small",
    "efficientformerv2_s0",
    "efficientvit_m0",
    "fasternet_t0",
    "fbnetc_100",
    "ghostnet_050",
    "hardcorenas_a",
    "lcnet_035",
    "levit_128s",
    "mobilenetv3_small_050",
    "mobilevit_xxs",
    "pit_ti_224",
    "regnetz_005",
    "repghostnet_050",
    "repvit_m0_9",
    "resnet10t",
    "starnet_s1",
    "test_byobnet",
    "test_maxvit",
    "test_nfnet",
    "test_vit",
    "tf_efficientnet_lite0",
    "tiny_vit_5m_224",
    "tinynet_e",
    "xcit_nano_12_p16_224",
)


def timm_network(name: str, classes: int = 5, **options: object) -> nn.Module:
    """Return a network of timm with every statistic and every scale random, for evaluation."""
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, num_classes=classes, **options).eval()
    for parameter in network.parameters():
        if parameter.ndim < 2 or not parameter.any():  # scales, biases, what begins with zeros
            nn.init.normal_(parameter, 0.5 if parameter.ndim < 2 else 0.0, 0.2)
    for key, value in network.named_buffers():
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif key.endswith("running_mean"):
            value.normal_(0, 0.1)
    return network


def shapes_of(name: str, **options: object) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        network = timm.create_model(name, pretrained=False, **{"num_classes": 5, **options})
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def same_logits(path: Path, network: nn.Module, images: torch.Tensor) -> str:
    back = load_checkpoint(path)
    normal = Normalize(back.mean.flatten().tolist(), back.std.flatten().tolist())(images)
    with torch.no_grad():
        expected = network(normal)
        torch.testing.assert_close(back(images), expected, rtol=1e-5, atol=1e-5)
    assert expected.std() > 0
    return back.architecture


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_gives_the_logits_of_timm(tmp_path: Path, name: str) -> None:
    network = timm_network(name)
    path = write_torch(tmp_path / "net.pt", {"state_dict": network.state_dict(), "epoch": 3})
    info = inspect_checkpoint(path)
    assert info.architecture == f"timm/{name}"
    side = input_shape(info.architecture, info.shapes)[1]
    assert same_logits(path, network, torch.rand(1, 3, side, side)) == f"timm/{name}"


def test_another_size_of_image_is_read_from_the_positions(tmp_path: Path) -> None:
    network = timm_network("vit_tiny_patch16_224", img_size=96)
    path = write_torch(tmp_path / "net.pt", network.state_dict())
    assert load_checkpoint(path).input_shape == (3, 96, 96)
    assert same_logits(path, network, torch.rand(1, 3, 96, 96)) == "timm/vit_tiny_patch16_224"


@pytest.mark.parametrize("name", ["convnext_atto", "vit_tiny_patch16_224"])
def test_grey_images_show_in_the_first_layer(tmp_path: Path, name: str) -> None:
    network = timm_network(name, in_chans=1)
    path = write_torch(tmp_path / "net.pt", network.state_dict())
    assert load_checkpoint(path).input_shape == (1, 224, 224)
    same_logits(path, network, torch.rand(1, 1, 224, 224))


def test_networks_that_differ_in_padding_alone_are_all_listed() -> None:
    assert candidates(shapes_of("efficientnet_lite0")) == (
        "timm/tf_efficientnet_lite0",
        "timm/efficientnet_lite0",
    )
    assert candidates(shapes_of("efficientnet_b0"))[:2] == ("timm/efficientnet_b0", "timm/tf_efficientnet_b0")


@pytest.mark.parametrize("name", ["resnet50", "resnext50_32x4d"])
def test_what_timm_and_torchvision_both_have_is_torchvisions(name: str) -> None:
    found = candidates(shapes_of(name))
    assert found[0] == name
    assert f"timm/{name}" not in found


def test_the_size_of_the_images_decides_between_names_of_one_network() -> None:
    for size in (224, 384):
        name = f"vit_base_patch16_{size}"
        shapes = shapes_of(name)
        assert candidates(shapes)[0] == f"timm/{name}"
        assert input_shape(f"timm/{name}", shapes) == (3, size, size)


def test_the_tables_know_the_installed_libraries() -> None:
    theirs = {
        TORCHVISION: torchvision.models.list_models(module=torchvision.models),
        TIMM: timm.list_models(),
    }
    for library, names in theirs.items():
        known = set(fingerprints(library))
        # Later versions add networks; what is listed must be there, and hardly anything may be missing.
        assert known <= set(names)
        assert len(known) >= 0.9 * len(names)
    assert set(fingerprints(TORCHVISION)) <= set(architecture_names())
    assert {f"timm/{name}" for name in fingerprints(TIMM)} <= set(architecture_names())


@pytest.mark.parametrize(
    "name",
    # RegNets are built in memory; the largest take gigabytes.
    [
        name
        for name in torchvision.models.list_models(module=torchvision.models)
        if not name.endswith(("16gf", "32gf", "128gf"))
    ],
)
def test_every_network_of_torchvision_is_recognised(name: str) -> None:
    shapes = {
        key: tuple(value.shape) for key, value in hollow_network(name, (3, 224, 224), 5).state_dict().items()
    }
    assert candidates(shapes)[0] == name
    assert shapes[head_keys(name)[0]][0] == 5


def test_a_network_with_two_last_layers_names_both() -> None:
    assert head_keys("timm/deit_tiny_distilled_patch16_224") == (
        "head.weight",
        "head_dist.weight",
        "head.bias",
        "head_dist.bias",
    )


def test_activations_of_timm_never_work_in_place() -> None:
    network = build_network("timm/mobilenetv3_small_050", (3, 64, 64), 5)
    assert not any(getattr(module, "inplace", False) for module in network.modules())


def test_numbers_that_no_file_has_are_computed() -> None:
    network = hollow_network("timm/tiny_vit_5m_224", (3, 224, 224), 5)
    kept = network.state_dict()
    assert all(not value.is_meta for key, value in network.named_buffers() if key not in kept)
    assert all(value.is_meta for value in hollow_network("resnet18", (3, 224, 224), 5).parameters())


def test_a_network_of_timm_trains_on_images_of_its_own_size() -> None:
    classifier = build_classifier(
        "timm/test_vit", classes=("a", "b"), input_shape=(1, 48, 48), mean=(0.5,), std=(0.5,), seed=0
    )
    classifier(torch.rand(2, 1, 48, 48)).sum().backward()
    with pytest.raises(SipError, match="timm/test_vit cannot take images of 50 × 50"):
        build_classifier(
            "timm/test_vit", classes=("a", "b"), input_shape=(1, 50, 50), mean=(0.5,), std=(0.5,)
        )


def test_the_tables_are_small_and_quick() -> None:
    folder = Path(fingerprint_of.__code__.co_filename).parent
    assert sum(path.stat().st_size for path in folder.glob("*_fingerprints.json")) < 600 * 1024
