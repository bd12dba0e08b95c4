"""``models``: foreign checkpoints looked into, tried, added, measured and checked, as a person types it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sip_explorer.cli.main import main
from sip_explorer.models import load_checkpoint
from sip_explorer.models.data_set_classes import FASHION_MNIST_CLASSES
from sip_explorer.workspace import Workspace, open_demo

RESOURCES = Path(__file__).parents[2] / "resources"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace of 200 garments whose classes are in the alphabet's order."""
    path = tmp_path_factory.mktemp("shop") / "shop"
    classes = tuple(sorted(FASHION_MNIST_CLASSES))
    places = np.array([classes.index(name) for name in FASHION_MNIST_CLASSES])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIP_EXPLORER_DATA", str(tmp_path_factory.mktemp("data")))
        with Workspace.open(open_demo(), read_only=True) as demo:
            ids = demo.image_ids(split="test")
            ids = np.concatenate([ids[demo.labels(ids) == label][:20] for label in range(10)])
            pixels, labels = demo.images(ids), places[demo.labels(ids)]
    Workspace.from_arrays(path, "Shop", pixels, labels, classes, test=np.ones(200, bool)).close()
    return path


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Write a checkpoint as a training script leaves it: weights and their average, without a word."""
    model = load_checkpoint(RESOURCES / "demo" / "models" / "fashion-standard.safetensors")
    state = model.network.state_dict()
    noise = {key: torch.zeros_like(value) for key, value in state.items()}
    path = tmp_path / "theirs.pt"
    torch.save({"model": noise, "model_ema": state, "epoch": 7}, path)
    return path


def test_inspect_says_what_it_is_and_why(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "inspect", str(foreign), "--no-keys"]) == 0
    shown = capsys.readouterr().out
    assert "that of a small-cnn with 10 classes" in shown
    assert "weights: model, EMA (read: model)" in shown
    assert "classes: 10, not named in the file" in shown
    assert "epoch" in shown
    assert "features.0.weight" not in shown
    assert main(["models", "inspect", str(foreign), "--weights", "ema"]) == 0
    assert "features.0.weight" in capsys.readouterr().out
    assert main(["models", "inspect", str(foreign), "--weights", "best"]) == 1
    assert "EMA" in capsys.readouterr().err


def test_add_tries_measures_and_checks(shop: Path, foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = str(shop)
    assert main(["models", "add", str(foreign), workspace, "--name", "tried", "--licence", "MIT"]) == 0
    shown = capsys.readouterr().out
    assert "chosen: Fashion-MNIST's, 28 × 28, Fashion-MNIST's names" in shown
    assert "small-cnn EMA" in shown
    with Workspace.open(shop, read_only=True) as opened:
        entry = next(entry for entry in opened.models() if entry.name == "tried")
        assert entry.card is not None
        assert entry.card.choice.weights == "EMA"
        assert entry.card.choice.normalisation == ((0.2860,), (0.3530,))
        assert entry.card.choice.classes == FASHION_MNIST_CLASSES
        right = entry.load()

    assert main(["models", "measure", "tried", workspace, "--images", "60"]) == 0
    shown = capsys.readouterr().out
    assert "clean: " in shown
    assert "of 60)" in shown
    assert main(["models", "check", "tried", workspace]) == 0
    assert (
        "passed  deterministic: Two passes over 32 images are equal bit for bit." in capsys.readouterr().out
    )
    assert main(["models", "card", "tried", workspace]) == 0
    shown = capsys.readouterr().out
    for words in ("licence: MIT", "chosen weights: EMA", "why: Fashion-MNIST's", "SHA-256: ", "PGD-20"):
        assert words in shown, words
    assert main(["models", "list", workspace]) == 0
    assert "PGD-20" in capsys.readouterr().out

    with Workspace.open(shop, read_only=True) as opened:
        entry = next(entry for entry in opened.models() if entry.name == "tried")
        clean, robust = entry.card.measured  # type: ignore[union-attr]
        pixels, labels = opened.images(opened.image_ids()), opened.labels(opened.image_ids())
    answers = right(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).argmax(1).numpy()
    alphabet = sorted(FASHION_MNIST_CLASSES)
    agreed = np.mean(
        [right.classes[answer] == alphabet[label] for answer, label in zip(answers, labels, strict=True)]
    )
    assert clean.total == robust.total == 60
    assert abs(clean.right / 60 - agreed) < 0.15
    assert robust.right < clean.right

    # The same choice serves a command that attacks: it finds the classes by name.
    out = shop.parent / "sweep"
    assert main(["evaluate", "-w", workspace, "-m", "tried", "--images", "8", "--out", str(out)]) == 0, (
        capsys.readouterr().err
    )


def test_add_by_hand(shop: Path, foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = tmp_path / "classes.txt"
    names.write_text("\n".join(FASHION_MNIST_CLASSES), encoding="utf-8")
    command = ["models", "add", str(foreign), str(shop), "--no-try", "--name", "by hand", "--weights", "EMA"]
    command += ["--normalisation", "fashion-mnist", "--size", "28", "--classes", str(names)]
    assert main(command) == 0
    assert "right" not in capsys.readouterr().out
    with Workspace.open(shop, read_only=True) as opened:
        entry = next(entry for entry in opened.models() if entry.name == "by-hand")
        assert entry.card is not None
        assert entry.card.reason == "chosen by hand"
        model = entry.load()
    assert model.classes == FASHION_MNIST_CLASSES
    assert model.mean.item() == pytest.approx(0.2860)
    assert model.input_shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--normalisation", "imagenette"], "no normalisation for 1 channels"),
        (["--size", "large"], "no size"),
        (["--size", "0"], "no size"),
        (["--classes", "one"], "names 1 classes"),
        (["--classes", "a,b,c"], "10 classes, not 3"),
        (["--architecture", "resnet1000"], "resnet1000"),
        (["--weights", "best"], "best"),
        (["--size", "30"], "30"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_adds_nothing(
    shop: Path, foreign: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Workspace.open(shop, read_only=True) as opened:
        before = [entry.name for entry in opened.models()]
    assert main(["models", "add", str(foreign), str(shop), *options]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    with Workspace.open(shop, read_only=True) as opened:
        assert [entry.name for entry in opened.models()] == before


def test_measuring_without_a_known_class_says_so(
    shop: Path, foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = ",".join(f"flower {index}" for index in range(10))
    command = ["models", "add", str(foreign), str(shop), "--no-try", "--name", "flowers"]
    assert main([*command, "--classes", classes, "--weights", "EMA"]) == 0
    assert main(["models", "measure", "flowers", str(shop)]) == 1
    assert "no labelled image of a class that flowers knows" in capsys.readouterr().err
    assert main(["models", "check", "flowers", str(shop)]) == 0, "images without a known class suffice"
    assert main([*command, "--weights", "model"]) == 0, "all its weights are 0"
    assert main(["models", "check", "flowers", str(shop)]) == 1
    assert "FAILED  gradient: At 32 of 32 images" in capsys.readouterr().out
    assert main(["models", "card", "nobody", str(shop)]) == 1
    assert "nobody" in capsys.readouterr().err


def test_a_flow_is_added_without_a_trial(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = RESOURCES / "demo" / "models" / "fashion-protoflow.safetensors"
    assert main(["models", "add", str(flow), str(shop)]) == 0
    assert "(protoflow)" in capsys.readouterr().out


def test_a_bare_safetensors_file_of_one_class_workspace(tmp_path: Path) -> None:
    """A workspace without a class in common gets the model as it is assumed."""
    model = load_checkpoint(RESOURCES / "demo" / "models" / "fashion-standard.safetensors")
    save_file(model.network.state_dict(), tmp_path / "net.safetensors")
    pixels = np.zeros((4, 28, 28, 1), np.uint8)
    Workspace.from_arrays(tmp_path / "w", "Flowers", pixels, np.arange(4) % 2, ("rose", "lily")).close()
    assert main(["models", "add", str(tmp_path / "net.safetensors"), str(tmp_path / "w")]) == 0
    with Workspace.open(tmp_path / "w", read_only=True) as opened:
        (entry,) = opened.models()
        assert entry.card is not None
        assert "no class in common" in entry.card.reason
