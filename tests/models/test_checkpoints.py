"""Checkpoints: our own come back exactly, foreign ones are understood."""

import importlib.util
from pathlib import Path

import foolbox
import numpy as np
import pyautoattack
import pytest
import torch
import torchvision
from checkpoint_files import hollow_state, tiny, write_torch
from safetensors.torch import save_file
from torch import nn
from torchvision.transforms import Normalize

from sip_explorer.data import read_image, to_float
from sip_explorer.models import CIFAR10_CLASSES, inspect_checkpoint, load_checkpoint, save_checkpoint
from sip_explorer.records import SipError

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_our_own_comes_back_exactly(tmp_path: Path) -> None:
    classifier = tiny()
    path = tmp_path / "own.safetensors"
    save_checkpoint(path, classifier, origin={"run": "first", "epoch": "3"})
    back = load_checkpoint(path)
    images = torch.rand(5, 1, 4, 4)
    assert torch.equal(back(images), classifier(images))
    assert (back.architecture, back.classes, back.input_shape) == ("small-cnn", classifier.classes, (1, 4, 4))
    assert back.origin == {"run": "first", "epoch": "3"}
    assert back.normalisation == classifier.normalisation
    assert not back.training
    assert all(parameter.requires_grad for parameter in back.parameters())
    again = tmp_path / "again.safetensors"
    save_checkpoint(again, back)
    assert again.read_bytes() == path.read_bytes()


def test_weights_outlive_the_file(tmp_path: Path) -> None:
    path = write_torch(tmp_path / "net.pt", tiny().network.state_dict())
    back = load_checkpoint(path)
    before = back(torch.ones(1, 1, 4, 4)).clone()
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(back(torch.ones(1, 1, 4, 4)), before)


def test_half_precision_files_are_used_in_float32(tmp_path: Path) -> None:
    state = {key: value.half() for key, value in tiny().network.state_dict().items()}
    save_file(state, tmp_path / "half.safetensors")
    classifier = load_checkpoint(tmp_path / "half.safetensors")
    assert {parameter.dtype for parameter in classifier.parameters()} == {torch.float32}
    assert inspect_checkpoint(tmp_path / "half.safetensors").entries[0].dtype == "float16"


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("layout", ["", "state_dict", "model", "model_state_dict", "net"])
@pytest.mark.parametrize("prefix", ["", "module.", "module.1.", "net."])
def test_torch_layouts(tmp_path: Path, layout: str, prefix: str, old: bool) -> None:
    classifier = tiny()
    state = {prefix + key: value for key, value in classifier.network.state_dict().items()}
    beside = {"epoch": 3, "best_acc1": torch.tensor(71.5), "optimizer": {"lr": 0.1}}
    path = write_torch(tmp_path / "net.pt", {**beside, layout: state} if layout else state, old=old)
    back = load_checkpoint(path, normalisation=((0.25,), (0.5,)))
    images = torch.rand(2, 1, 4, 4)
    assert torch.equal(back(images), classifier(images))
    info = inspect_checkpoint(path)
    assert (info.layout, info.kind, info.architecture) == (layout, "torch", "small-cnn")
    assert info.entries[0].key == prefix + "features.0.weight"
    assert info.metadata.get("beside", ()) == (("epoch", "best_acc1", "optimizer") if layout else ())
    assert back.origin["format"] == (f"torch under {layout!r}" if layout else "torch")


@pytest.mark.parametrize(
    ("wrap", "key"),
    [
        (lambda norm, net: nn.Sequential(norm, net), "0.mean"),
        (lambda norm, net: nn.DataParallel(nn.Sequential(norm, net)), "module.0.mean"),
        (lambda norm, net: nn.ModuleDict({"normalize": norm, "model": net}), "normalize.mean"),
    ],
)
def test_a_normalisation_inside_the_model_is_used(tmp_path: Path, wrap: object, key: str) -> None:
    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))

    network = torchvision.models.squeezenet1_1(num_classes=4)
    path = write_torch(tmp_path / "net.pt", {"state_dict": wrap(Inside(), network).state_dict()})
    back = load_checkpoint(path)
    images = torch.rand(2, 3, 64, 64)
    expected = network.eval()(Normalize([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])(images))
    torch.testing.assert_close(back(images), expected)
    assert key in back.origin["normalisation"]


def test_a_whole_classifier_of_ours_saved_by_torch(tmp_path: Path) -> None:
    path = write_torch(tmp_path / "last.pt", {"model": tiny().state_dict(), "epoch": 2})
    images = torch.rand(2, 1, 4, 4)
    assert torch.equal(load_checkpoint(path)(images), tiny()(images))


@pytest.mark.parametrize(
    "architecture",
    [
        "alexnet",
        "convnext_tiny",
        "densenet121",
        "efficientnet_b0",
        "mobilenet_v2",
        "mobilenet_v3_large",
        "mobilenet_v3_small",
        "resnet18",
        "resnet50",
        "resnext50_32x4d",
        "swin_t",
        "vgg16",
        "vgg16_bn",
        "vit_b_16",
        "wide_resnet50_2",
    ],
)
def test_architectures_of_torchvision_are_recognised(tmp_path: Path, architecture: str) -> None:
    path = write_torch(tmp_path / "net.pt", {"state_dict": hollow_state(architecture)})
    info = inspect_checkpoint(path)
    assert info.architecture == architecture
    assert info.size_bytes < 1_000_000


@pytest.mark.parametrize("auxiliary", [True, False])
def test_inception_is_recognised_with_and_without_its_training_head(tmp_path: Path, auxiliary: bool) -> None:
    state = hollow_state("inception_v3", aux_logits=auxiliary, init_weights=False)
    assert inspect_checkpoint(write_torch(tmp_path / "net.pt", state)).architecture == "inception_v3"


def test_the_image_size_of_a_vision_transformer_is_read_from_its_weights(tmp_path: Path) -> None:
    path = write_torch(tmp_path / "net.pt", hollow_state("vit_b_16", image_size=96))
    assert load_checkpoint(path).input_shape == (3, 96, 96)


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("mobilenet_v3_small", {}),
        ("mnasnet0_5", {}),
        # torchvision's published weights come with transform_input, which undoes ImageNet's normalisation
        ("googlenet", {"transform_input": True, "aux_logits": True, "init_weights": False}),
    ],
)
def test_torchvision_files_compute_what_torchvision_computes(
    tmp_path: Path, architecture: str, options: dict[str, object]
) -> None:
    network = torchvision.models.get_model(architecture, weights=None, **options).eval()
    back = load_checkpoint(write_torch(tmp_path / "net.pt", network.state_dict()))
    images = torch.rand(1, 3, 96, 96)
    torch.testing.assert_close(back(images), network(Normalize(*IMAGENET)(images)))
    assert back.classes[0] == "tench"
    assert back.input_shape == (3, 224, 224)
    assert back.origin["normalisation"].startswith("assumed")


def test_densenet_files_with_the_key_names_of_2017(tmp_path: Path) -> None:
    state = hollow_state("densenet121")
    old = {key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): state[key] for key in state}
    old = {key: value for key, value in old.items() if not key.endswith("num_batches_tracked")}
    back = load_checkpoint(write_torch(tmp_path / "net.pth", old))
    assert (back.architecture, len(back.classes)) == ("densenet121", 5)


def test_cifar_resnet_of_kuang_liu_gets_twenty_cifar_images_right() -> None:
    path = Path(pyautoattack.__file__).parent / "examples" / "model_test.pt"
    files = sorted((Path(foolbox.__file__).parent / "data").glob("cifar10_*.png"))
    images = to_float(np.stack([read_image(file) for file in files]))
    classifier = load_checkpoint(path)
    assert classifier.architecture == "resnet18-cifar"
    assert classifier.classes == CIFAR10_CLASSES
    assert classifier.input_shape == (3, 32, 32)
    assert classifier.normalisation.startswith("none")
    with torch.no_grad():
        found = classifier(images).argmax(1).tolist()
    assert found == [int(file.stem.rsplit("_", 1)[1]) for file in files]
    assert len(files) == 20


def test_its_logits_are_those_of_the_packages_own_network() -> None:
    folder = Path(pyautoattack.__file__).parent / "examples"
    spec = importlib.util.spec_from_file_location("pyautoattack_resnet", folder / "resnet.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.ResNet18().eval()
    network.load_state_dict(torch.load(folder / "model_test.pt", map_location="cpu", weights_only=True))
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            load_checkpoint(folder / "model_test.pt")(images), network(images), rtol=0, atol=1e-5
        )


@pytest.mark.parametrize(("architecture", "block"), [("resnet34-cifar", 34), ("resnet50-cifar", 50)])
def test_deeper_cifar_resnets_with_the_key_names_of_kuang_liu(
    tmp_path: Path, architecture: str, block: int
) -> None:
    state = dict(hollow_state(f"resnet{block}", classes=100))
    state["conv1.weight"] = torch.zeros(()).expand(64, 3, 3, 3)
    renamed = {
        key.replace("downsample", "shortcut").replace("fc.", "linear."): value for key, value in state.items()
    }
    for each in (state, renamed):
        assert inspect_checkpoint(write_torch(tmp_path / "net.pt", each)).architecture == architecture
    assert len(load_checkpoint(tmp_path / "net.pt").classes) == 100


def test_given_classes_and_architecture(tmp_path: Path) -> None:
    path = write_torch(tmp_path / "net.pt", tiny().network.state_dict())
    assert load_checkpoint(path, "small-cnn", classes=("x", "y", "z")).classes == ("x", "y", "z")
    with pytest.raises(SipError, match="3 classes, not 2"):
        load_checkpoint(path, classes=("x", "y"))
    with pytest.raises(SipError, match=r"lacks .*fc\.weight|lacks fc\.weight"):
        load_checkpoint(path, "resnet18")
    with pytest.raises(SipError, match="'resnet1'"):
        load_checkpoint(path, "resnet1")
