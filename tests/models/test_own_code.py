"""A class of the user's own: imported only where a person agreed, and one sentence for all that fails."""

from pathlib import Path

import pytest
import torch
from checkpoint_files import write_torch
from torch import nn

from sip_explorer.models import load_checkpoint, save_checkpoint
from sip_explorer.records import SipError

MODULE = """
from pathlib import Path
import torch
from torch import nn

Path(__file__).with_name("was imported").touch()

class Net(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        layers = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.body = nn.Sequential(*layers)
        self.out = nn.Linear(4, num_classes)

    def forward(self, images):
        return self.out(self.body(images))

class Fixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3 * 8 * 8, 5)

    def forward(self, images):
        return self.out(images.flatten(1))

class Fails(nn.Module):
    def __init__(self):
        raise RuntimeError("no such disk\\nat all")

class Map(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        return self.out(images)

def nothing():
    return 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a module named after it and no checkpoint yet."""
    (tmp_path / "my_networks.py").write_text(MODULE)
    return tmp_path


def net(classes: int = 7) -> nn.ModuleDict:
    return nn.ModuleDict({"body": nn.Sequential(nn.Conv2d(3, 4, 3)), "out": nn.Linear(4, classes)})


def test_nothing_is_imported_before_a_person_agreed(folder: Path) -> None:
    path = write_torch(folder / "net.pt", net().state_dict())
    with pytest.raises(SipError, match=r"net\.pt as my_networks:Net would import that module.*--run-code"):
        load_checkpoint(path, "my_networks:Net")
    assert not (folder / "was imported").exists()


@pytest.mark.parametrize("prefix", ["", "module.", "module.model."])
def test_it_is_found_beside_the_checkpoint_and_told_its_classes(folder: Path, prefix: str) -> None:
    state = {prefix + key: value for key, value in net().state_dict().items()}
    path = write_torch(folder / "net.pt", {"state_dict": state})
    classifier = load_checkpoint(path, "my_networks:Net", own_code=True)
    assert (len(classifier.classes), classifier.input_shape) == (7, (3, 32, 32))
    assert classifier(torch.rand(2, 3, 32, 32)).shape == (2, 7)
    assert torch.equal(classifier.network.out.weight, state[f"{prefix}out.weight"])
    assert not classifier.network.body[1].inplace
    save_checkpoint(folder / "own.safetensors", classifier)
    with pytest.raises(SipError, match="--run-code"):
        load_checkpoint(folder / "own.safetensors")
    back = load_checkpoint(folder / "own.safetensors", own_code=True)
    assert torch.equal(back(torch.ones(1, 3, 32, 32)), classifier(torch.ones(1, 3, 32, 32)))


def test_modules_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for name, factor in (("first", 1), ("second", 2)):
        place = tmp_path / name
        place.mkdir()
        (place / "my_networks.py").write_text(
            MODULE.replace(
                "return self.out(self.body(images))", f"return self.out(self.body(images)) * {factor}"
            )
        )
        write_torch(
            place / "net.pt", torch.load(tmp_path / "first" / "net.pt") if factor == 2 else net().state_dict()
        )
    first, second = (
        load_checkpoint(tmp_path / name / "net.pt", "my_networks:Net", own_code=True)
        for name in ("first", "second")
    )
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(second(images), 2 * first(images))


def test_the_size_is_found_or_given(folder: Path) -> None:
    path = write_torch(folder / "net.pt", {"out.weight": torch.rand(5, 192), "out.bias": torch.rand(5)})
    given = load_checkpoint(path, "my_networks:Fixed", own_code=True, input_shape=(3, 8, 8))
    assert given.input_shape == (3, 8, 8)
    with pytest.raises(SipError, match=r"takes no image of 3 × 32 × 32 .* give the size"):
        load_checkpoint(path, "my_networks:Fixed", own_code=True)


@pytest.mark.parametrize(
    ("architecture", "words"),
    [
        ("my_networks:Other", "has no class Other"),
        ("other_networks:Net", "no module other_networks"),
        ("my_networks.deep:Net", "no module my_networks"),
        ("my_networks:Fails", "cannot be built .RuntimeError: no such disk at all."),
        ("my_networks:nothing", "makes a int, not a torch.nn.Module"),
        ("my_networks:Net()", "names no class"),
        ("my_networks:Path", "not a torch.nn.Module"),
        ("broken:Net", "fails where it is imported .SyntaxError"),
        ("needy:Net", "wants the module no_such_package, which is not installed"),
        ("my_networks:Fixed", "lacks"),
    ],
)
def test_one_sentence_for_what_fails(folder: Path, architecture: str, words: str) -> None:
    (folder / "broken.py").write_text("class Net(:\n")
    (folder / "needy.py").write_text("import no_such_package\n")
    path = write_torch(folder / "net.pt", {"body.0.weight": torch.rand(4, 3, 3, 3)})
    with pytest.raises(SipError, match=words) as caught:
        load_checkpoint(path, architecture, own_code=True)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_class_that_gives_no_scores(folder: Path) -> None:
    path = write_torch(folder / "net.pt", nn.ModuleDict({"out": nn.Conv2d(3, 4, 1)}).state_dict())
    with pytest.raises(SipError, match=r"answers two images with \(2, 4, 32, 32\) where class scores"):
        load_checkpoint(path, "my_networks:Map", own_code=True)
