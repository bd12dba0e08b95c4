"""The settings that suit a checkpoint, found on labelled images: those it was really trained with."""

import importlib.util
import lzma
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save_file

from sip_explorer.models import Choice, load_checkpoint
from sip_explorer.models.data_set_classes import FASHION_MNIST_CLASSES
from sip_explorer.records import Artefact, Cancelled, CancelToken, Event, Notice, Progress
from sip_explorer.workspace import NewImage, Workspace, open_demo
from sip_explorer.workspace.trial import TrialResult, try_settings

RESOURCES = Path(__file__).parents[2] / "resources"
LITE0 = RESOURCES / "demo" / "models" / "efficientnet-lite0.safetensors.xz"
FASHION = ((0.2860,), (0.3530,))


@pytest.fixture(scope="module")
def garments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return 200 test images of the demo, uint8 (200, 28, 28, 1), labelled in Fashion-MNIST's order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIP_EXPLORER_DATA", str(tmp_path_factory.mktemp("data")))
        with Workspace.open(open_demo(), read_only=True) as demo:
            ids = demo.image_ids(split="test")
            ids = ids[demo.labels(ids) >= 0]
            ids = np.concatenate([ids[demo.labels(ids) == label][:20] for label in range(10)])
            yield demo.images(ids), demo.labels(ids)


def shop(path: Path, garments: tuple[np.ndarray, np.ndarray], classes: tuple[str, ...]) -> Workspace:
    """Make a workspace of the garments whose classes are in an order of its own."""
    pixels, labels = garments
    places = np.array([classes.index(name) for name in FASHION_MNIST_CLASSES])
    return Workspace.from_arrays(
        path, "Shop", pixels, places[labels], classes, test=np.ones(len(labels), bool)
    )


def bare(path: Path, name: str = "fashion-standard", **others: dict[str, torch.Tensor]) -> Path:
    """Write the weights of a model of the demo, and nothing of what its file says about them."""
    model = load_checkpoint(RESOURCES / "demo" / "models" / f"{name}.safetensors")
    state = model.network.state_dict()
    if others:
        torch.save({**others, "model_ema": state}, path)
    else:
        save_file(state, path)
    return path


def outcome(job: Iterator[Event | None]) -> tuple[TrialResult, list[Event]]:
    events = [event for event in job if event is not None]
    (made,) = (event for event in events if isinstance(event, Artefact) and event.kind == "trial")
    return made.data, events


@pytest.mark.parametrize("name", ["fashion-standard", "fashion-sip-at"])
def test_normalisation_and_order_of_the_classes_are_found(
    name: str, tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    classes = tuple(sorted(FASHION_MNIST_CLASSES))
    path = bare(tmp_path / "net.safetensors", name)
    with shop(tmp_path / "shop", garments, classes) as workspace:
        result, events = outcome(try_settings(workspace, path, Choice()))
        assert result.proposal.normalisation == FASHION
        assert result.proposal.classes == FASHION_MNIST_CLASSES
        assert result.rows[0].setting.choice == result.proposal
        assert result.rows[0].right >= 150
        assert result.images == "200 test images of Shop"
        alphabet = [row for row in result.rows if row.setting.order == "the workspace's order"]
        assert alphabet
        assert all(row.right < 0.5 * row.total for row in alphabet)
        progress = [event for event in events if isinstance(event, Progress)]
        assert progress[-1].done == progress[-1].total
        assert [event.done for event in progress] == sorted(event.done for event in progress)

        entry = workspace.add_model(path, choice=result.proposal, reason=result.reason)
        model = entry.load()
        assert model.mean.flatten().tolist() == pytest.approx(FASHION[0])
        pixels, labels = garments
        answers = model(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).argmax(1)
        assert int((answers.numpy() == labels).sum()) == result.rows[0].right


def test_what_a_person_fixed_is_not_varied(tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]) -> None:
    path = bare(tmp_path / "net.safetensors")
    base = Choice(normalisation=((0.0,), (1.0,)), classes=FASHION_MNIST_CLASSES)
    with shop(tmp_path / "shop", garments, FASHION_MNIST_CLASSES) as workspace:
        result, _ = outcome(try_settings(workspace, path, base))
    assert {row.setting.choice.normalisation for row in result.rows} == {base.normalisation}
    assert {row.setting.choice.classes for row in result.rows} == {base.classes}


def test_a_file_that_says_its_normalisation_keeps_it(
    tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    path = RESOURCES / "demo" / "models" / "fashion-adversarial.safetensors"
    with shop(tmp_path / "shop", garments, tuple(sorted(FASHION_MNIST_CLASSES))) as workspace:
        result, _ = outcome(try_settings(workspace, path, Choice()))
    assert result.proposal == Choice(), "the file says everything"
    assert "own normalisation is kept" in result.reason
    assert not result.clear


def test_the_weights_that_were_trained_are_found(
    tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    generator = torch.Generator().manual_seed(0)
    model = load_checkpoint(RESOURCES / "demo" / "models" / "fashion-standard.safetensors")
    noise = {
        key: 0.05 * torch.randn(value.shape, generator=generator)
        for key, value in model.network.state_dict().items()
    }
    path = bare(tmp_path / "both.pt", model=noise)
    with shop(tmp_path / "shop", garments, FASHION_MNIST_CLASSES) as workspace:
        result, _ = outcome(try_settings(workspace, path, Choice()))
        assert result.proposal.weights == "EMA"
        assert result.proposal.normalisation == FASHION
        entry = workspace.add_model(path, choice=result.proposal)
        assert torch.equal(entry.load().network.state_dict()["features.0.weight"],
                           model.network.state_dict()["features.0.weight"])  # fmt: skip


def test_where_all_guess_what_is_assumed_is_proposed(
    tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    pixels, labels = garments
    path = bare(tmp_path / "net.safetensors")
    shuffled = np.random.default_rng(0).permutation(labels)
    with Workspace.from_arrays(
        tmp_path / "shop", "Shop", pixels, shuffled, FASHION_MNIST_CLASSES
    ) as workspace:
        result, _ = outcome(try_settings(workspace, path, Choice()))
    assert "better than guessing" in result.reason
    assert result.proposal == result.rows[0].setting.choice
    assert result.proposal.classes is None, "no order of classes is known"
    assert result.proposal.normalisation == ((0.0,), (1.0,))
    assert not result.clear


def test_without_an_image_that_the_model_knows_it_says_what_is_assumed(
    tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    pixels, labels = garments
    path = bare(tmp_path / "net.safetensors")
    with Workspace.from_arrays(tmp_path / "a", "Flowers", pixels, labels % 2, ("rose", "lily")) as workspace:
        result, _ = outcome(try_settings(workspace, path, Choice()))
    assert result.rows == ()
    assert result.proposal.normalisation == ((0.0,), (1.0,))
    assert "no class in common" in result.reason
    none = [NewImage(None, True, (28, 28, 1), path="gone.png", digest=b"0" * 32)]
    with Workspace.create(tmp_path / "b", "Bare", FASHION_MNIST_CLASSES, none) as workspace:
        result, _ = outcome(try_settings(workspace, path, Choice()))
    assert result.rows == ()
    assert "no labelled image" in result.reason


def test_an_image_that_cannot_be_read_is_named_and_left_out(
    tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    pixels, labels = garments
    listed = []
    for number in range(0, 200, 10):
        file = tmp_path / f"{number}.png"
        Image.fromarray(pixels[number, ..., 0]).save(file)
        listed.append(
            NewImage(int(labels[number]), True, (28, 28, 1), path=str(file), digest=bytes([number]) * 32)
        )
    with Workspace.create(tmp_path / "w", "Files", FASHION_MNIST_CLASSES, listed) as workspace:
        (tmp_path / "30.png").write_bytes(b"no picture")
        result, events = outcome(try_settings(workspace, bare(tmp_path / "net.safetensors"), Choice()))
    assert result.images == "19 test images of Files"
    assert any("30.png" in event.message for event in events if isinstance(event, Notice))


def test_a_cancel_is_heard_and_a_stop_proposes_the_best_so_far(
    tmp_path: Path, garments: tuple[np.ndarray, np.ndarray]
) -> None:
    path = bare(tmp_path / "net.safetensors")
    with shop(tmp_path / "shop", garments, FASHION_MNIST_CLASSES) as workspace:
        token = CancelToken()
        job = try_settings(workspace, path, Choice(), token=token)
        while not isinstance(next(job), Progress):
            pass
        token.cancel()
        with pytest.raises(Cancelled):
            list(job)
        token = CancelToken()
        job = try_settings(workspace, path, Choice(), token=token)
        while not (isinstance(event := next(job), Progress) and "Fashion" in event.text):
            pass
        token.stop()
        result, _ = outcome(job)
    assert 0 < len({row.setting.normalisation for row in result.rows}) < 6


def test_efficientnet_lite0_is_found_to_take_x_minus_127_over_128(tmp_path: Path) -> None:
    """On foolbox's 20 ImageNet photos, prepared as its authors did: 256 px, bicubic, the middle 224 px."""
    import torchvision

    names = torchvision.models.ResNet18_Weights.DEFAULT.meta["categories"]
    spec = importlib.util.find_spec("foolbox")
    assert spec is not None
    assert spec.origin is not None
    files = sorted((Path(spec.origin).parent / "data").glob("imagenet_*"))
    numbers = [int(file.stem.split("_")[2]) for file in files]
    photos = []
    for file in files:
        with Image.open(file) as photo:
            whole = photo.convert("RGB").resize((256, 256), Image.Resampling.BICUBIC)
        photos.append(np.array(whole.crop((16, 16, 240, 240))))
    classes = sorted({names[number].replace(" ", "_") for number in numbers})
    labels = np.array([classes.index(names[number].replace(" ", "_")) for number in numbers])
    with Workspace.from_arrays(
        tmp_path / "photos", "Photos", np.stack(photos), labels, classes, test=np.ones(20, bool)
    ) as workspace:
        bare = tmp_path / "net.safetensors"  # the demo's file says its normalisation: here it must be found
        save_file(load(lzma.decompress(LITE0.read_bytes())), bare)
        # The size is left at what the architecture was made for: seven others would take a minute.
        result, _ = outcome(try_settings(workspace, bare, Choice(input_shape=(3, 224, 224))))
    best = result.rows[0]
    assert best.setting.choice.normalisation == ((127 / 255,) * 3, (128 / 255,) * 3)
    assert str(best.setting.choice.architecture).endswith("tf_efficientnet_lite0")
    assert (best.setting.size, best.right, best.total) == ("224 × 224", 18, 20)
    assert not result.clear, "20 images do not tell it from [-1, 1]"
