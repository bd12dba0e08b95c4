"""Programs of torch.export: any model comes in, and nothing in the file is run."""

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sip_explorer.attacks import PGD
from sip_explorer.models import inspect_checkpoint, load_checkpoint, save_checkpoint
from sip_explorer.records import SipError
from sip_explorer.salience.gradcam import grad_cam
from sip_explorer.salience.layers import grad_cam_layers


class Unusual(nn.Module):
    """A network of no known architecture, with a tensor constant and arithmetic on its sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.GELU(), nn.Dropout(0.5)
        )
        self.head = nn.Linear(6, 4)
        self.scale = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        parts = self.stem(images * self.scale).flatten(2)
        return self.head(parts.mean(2) + torch.zeros(images.shape[0], 1))


def export(path: Path, *, batch: int | None = 2, training: bool = False, seed: int = 0) -> nn.Module:
    """Export an `Unusual` for ``batch`` images (None: any number) to ``path`` and return it."""
    torch.manual_seed(seed)
    network = Unusual().train(training)
    dynamic = {"images": {0: torch.export.Dim("batch", min=1, max=512)}} if batch is None else None
    program = torch.export.export(network, (torch.rand(batch or 2, 3, 8, 8),), dynamic_shapes=dynamic)
    torch.export.save(program, path)
    return network


@pytest.mark.parametrize("batch", [None, 4])
def test_any_number_of_images_and_their_gradient(tmp_path: Path, batch: int | None) -> None:
    network = export(tmp_path / "net.pt2", batch=batch)
    info = inspect_checkpoint(tmp_path / "net.pt2")
    assert (info.kind, info.architecture, len(info.entries)) == ("exported", "exported program", 9)
    classifier = load_checkpoint(tmp_path / "net.pt2")
    assert (classifier.architecture, classifier.input_shape) == ("exported program", (3, 8, 8))
    assert len(classifier.classes) == 4
    for count in (1, 3, 4, 9):
        images = torch.rand(count, 3, 8, 8, requires_grad=True)
        expected = network(images)
        torch.testing.assert_close(classifier(images), expected)
        (found,) = torch.autograd.grad(classifier(images).square().sum(), images)
        (wanted,) = torch.autograd.grad(expected.square().sum(), images)
        torch.testing.assert_close(found, wanted)
    assert len(classifier(torch.rand(2, 3, 8, 8))) == 2
    before = classifier(torch.ones(2, 3, 8, 8))
    assert torch.equal(classifier.train().eval()(torch.ones(2, 3, 8, 8)), before)
    assert not any(module.training for module in classifier.modules())


def test_it_can_be_attacked(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2", batch=4)
    classifier = load_checkpoint(tmp_path / "net.pt2")
    images = torch.rand(6, 3, 8, 8)
    labels = classifier(images).argmax(1)
    result = PGD(epsilon=0.5, steps=5)(classifier, images, labels)
    assert bool((result.loss > PGD(epsilon=0.0, steps=1)(classifier, images, labels).loss).any())
    assert all(parameter.requires_grad for parameter in classifier.parameters())


def test_an_export_in_training_mode_is_said(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2", training=True)
    assert "depends on the batch" in load_checkpoint(tmp_path / "net.pt2").origin["mode"]
    export(tmp_path / "eval.pt2")
    assert load_checkpoint(tmp_path / "eval.pt2").origin["mode"] == "fixed by the export: evaluation"


def test_layers_for_grad_cam_are_a_list_that_may_be_empty(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2")
    classifier = load_checkpoint(tmp_path / "net.pt2")
    assert grad_cam_layers(classifier, (3, 8, 8)) == []
    with pytest.raises(SipError, match="Grad-CAM needs a layer"):
        grad_cam(classifier, torch.rand(2, 3, 8, 8))


def test_it_is_kept_as_its_own_file(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2")
    with pytest.raises(SipError, match=r"keep its own file"):
        save_checkpoint(tmp_path / "own.safetensors", load_checkpoint(tmp_path / "net.pt2"))


class TwoInputs(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a.flatten(1) + b.flatten(1)


class Pixels(nn.Module):
    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return a * 2


class Pair(nn.Module):
    def forward(self, a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return a.flatten(1), a


@pytest.mark.parametrize(
    ("network", "inputs", "words"),
    [
        (TwoInputs(), (torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)), "2 inputs"),
        (Pixels(), (torch.rand(2, 3, 4, 4),), r"shape \(2, 3, 4, 4\) where class scores"),
        (Pixels(), (torch.rand(2, 5),), r"where images \(N, C, H, W\)"),
        (Pair(), (torch.rand(2, 3, 4, 4),), "2 outputs"),
    ],
)
def test_programs_of_something_else(tmp_path: Path, network: nn.Module, inputs: Any, words: str) -> None:
    torch.export.save(torch.export.export(network, inputs), tmp_path / "net.pt2")
    with pytest.raises(SipError, match=words):
        inspect_checkpoint(tmp_path / "net.pt2")


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.path), "w")


def changed(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name.partition("/")[2], old.read(name)))


def in_program(change: Callable[[dict[str, Any]], None]) -> Callable[[str, bytes], bytes]:
    def act(name: str, data: bytes) -> bytes:
        if name != "models/model.json":
            return data
        program = json.loads(data)
        change(program)
        return json.dumps(program).encode()

    return act


def test_example_inputs_are_never_unpickled(tmp_path: Path) -> None:
    network = export(tmp_path / "net.pt2")
    sprung = tmp_path / "sprung"
    trap = tmp_path / "trap.pt"
    torch.save((Trap(sprung),), trap)

    def change(name: str, data: bytes) -> bytes:
        return trap.read_bytes() if name == "data/sample_inputs/model.pt" else data

    changed(tmp_path / "net.pt2", tmp_path / "changed.pt2", change)
    images = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(load_checkpoint(tmp_path / "changed.pt2")(images), network(images))
    assert not sprung.exists()
    torch.export.load(tmp_path / "changed.pt2").example_inputs[0].close()  # torch itself springs it
    assert sprung.exists()


def first_node(program: dict[str, Any]) -> dict[str, Any]:
    return program["graph_module"]["graph"]["nodes"][0]


def rename_first(program: dict[str, Any]) -> None:
    first_node(program)["name"] = "x = print()\n    y"


def shell(program: dict[str, Any]) -> None:
    first_node(program)["target"] = "torch.os.system"


def read_disk(program: dict[str, Any]) -> None:
    first_node(program)["target"] = "torch.ops.aten.from_file.default"


def evaluate(program: dict[str, Any]) -> None:
    values = program["graph_module"]["graph"]["tensor_values"]
    values["conv2d"]["sizes"][0] = {"as_expr": {"expr_str": "__import__('os').getcwd()", "hint": None}}


def dataclass_out(program: dict[str, Any]) -> None:
    signature = program["graph_module"]["module_call_graph"][0]["signature"]
    signature["out_spec"] = '[1, {"type": "os.path", "context": "null", "children_spec": []}]'


def parameter_path(program: dict[str, Any]) -> None:
    specs = program["graph_module"]["signature"]["input_specs"]
    specs[0]["parameter"]["parameter_name"] = 'a"), print("b'


@pytest.mark.parametrize(
    "change",
    [rename_first, shell, read_disk, evaluate, dataclass_out, parameter_path],
    ids=lambda c: c.__name__,
)
def test_what_could_run_code_asks_first(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    export(tmp_path / "net.pt2")
    changed(tmp_path / "net.pt2", tmp_path / "changed.pt2", in_program(change))
    assert inspect_checkpoint(tmp_path / "changed.pt2").metadata["program"].carries
    with pytest.raises(SipError, match=r"changed\.pt2 carries .*could run code of its author.*--run-code"):
        load_checkpoint(tmp_path / "changed.pt2")


def test_pickled_constants_ask_first(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2")
    sprung = tmp_path / "sprung"

    def change(name: str, data: bytes) -> bytes:
        if name == "data/constants/model_constants_config.json":
            config = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
            return json.dumps({"config": {**json.loads(data)["config"], "thing": config}}).encode()
        return data

    changed(tmp_path / "net.pt2", tmp_path / "changed.pt2", change)
    with zipfile.ZipFile(tmp_path / "changed.pt2", "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{root}/data/constants/opaque_obj_0", pickle.dumps(Trap(sprung)))
    with pytest.raises(SipError, match=r"a pickled object \(thing\)"):
        load_checkpoint(tmp_path / "changed.pt2")
    assert not sprung.exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_program_cut_short(tmp_path: Path, share: float) -> None:
    export(tmp_path / "net.pt2")
    data = (tmp_path / "net.pt2").read_bytes()
    (tmp_path / "cut.pt2").write_bytes(data[: int(share * len(data))])
    with pytest.raises(SipError, match=r"cut\.pt2 is cut short or damaged"):
        load_checkpoint(tmp_path / "cut.pt2")


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2")
    changed(
        tmp_path / "net.pt2",
        tmp_path / "short.pt2",
        lambda n, d: d[:-4] if n == "data/weights/weight_0" else d,
    )
    with pytest.raises(SipError, match=r"short\.pt2"):
        load_checkpoint(tmp_path / "short.pt2")
