"""``salience auto`` on a real workspace: kept proposals, maps as files, and what it refuses."""

import numpy as np
import pytest
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace


@pytest.fixture
def shapes(tmp_path):
    """Eight images of two classes with a bright square each; one is painted, one model is there."""
    from sip_explorer.models import build_classifier, save_checkpoint

    images = np.random.default_rng(0).integers(0, 50, (8, 16, 16, 1), dtype=np.uint8)
    for number, image in enumerate(images):
        image[3 + number % 3 : 10, 4:12] = 220
    workspace = Workspace.from_arrays(
        tmp_path / "shapes", "Shapes", images, np.arange(8) % 2, ("high", "low"), collections={"few": [5, 2]}
    )
    workspace.add_annotator("Ana")
    square = np.zeros((16, 16), np.uint8)
    square[3:10, 4:12] = 255
    workspace.commit_stroke(0, "Ana", Patch((0, 0, 16, 16), np.zeros_like(square), square), "brush").result(
        10
    )
    workspace.close()
    model = build_classifier(
        "tiny-cnn", classes=("high", "low"), input_shape=(1, 16, 16), mean=[0.3], std=[0.3], seed=0
    )
    (tmp_path / "shapes/models").mkdir(exist_ok=True)
    save_checkpoint(tmp_path / "shapes/models/tiny.safetensors", model)
    return tmp_path / "shapes"


def test_proposals_wait_for_a_decision(shapes, capsys):
    assert (
        main(["salience", "auto", str(shapes), "--method", "occlusion", "--model", "tiny", "--limit", "3"])
        == 0
    )
    told = capsys.readouterr().out
    assert "3 proposals\n" in told
    assert f"sip-explorer open {shapes}" in told
    with Workspace.open(shapes) as workspace:
        assert list(workspace.open_proposals(range(8), "Ana")) == [0, 1, 2]
        assert workspace.states([1, 2], "Ana") == ["unpainted"] * 2
    assert main(["salience", "auto", str(shapes), "--method", "occlusion", "--model", "tiny"]) == 0
    assert "5 proposals, 3 already there" in capsys.readouterr().out


def test_propagation_needs_no_model_and_says_what_it_leaves_out(shapes, capsys):
    assert main(["salience", "auto", str(shapes), "--method", "propagation", "--annotator", "Ana"]) == 0
    told = capsys.readouterr().out
    assert "3 proposals, 5 left out" in told  # the painted image itself, and the other class
    assert "No other image of low is painted" in told


def test_maps_are_written_as_pictures_beside_an_open_window(shapes, tmp_path, capsys):
    with Workspace.open(shapes) as window:
        words = ["salience", "auto", str(shapes), "--method", "object-prior", "--images", "few"]
        assert main(words) == 1
        assert "read only" in capsys.readouterr().err
        assert main([*words, "--out", str(tmp_path / "maps")]) == 0
        assert window.proposals(range(8)) == []
    assert main(words) == 0, "the maps are made anew, whatever the catalogue has"
    assert main([*words, "--out", str(tmp_path / "again")]) == 0
    again = sorted((tmp_path / "again").rglob("*.png"))
    files = sorted((tmp_path / "maps").rglob("*.png"))
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]
    capsys.readouterr()
    assert main([*words, "--out", str(tmp_path / "maps")]) == 1
    shown = capsys.readouterr()
    assert shown.out == "", "it is refused before anything is computed"
    assert "is not empty" in shown.err
    assert len(files) == 2
    pixels = np.asarray(Image.open(files[0]))
    assert pixels.shape == (16, 16)
    assert pixels[6, 8] > 200 > 50 > pixels[0, 0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--method", "grad-cam"], "choose a model"),
        (["--method", "magic"], "choose one of grad-cam"),
        (["--model", "none"], "has no classifier none; it has: tiny"),
        (["--images", "nowhere"], "no collection named nowhere"),
        (["--method", "propagation", "--annotator", "Eve"], "no annotator Eve"),
    ],
    ids=["no model", "no method", "unknown model", "no collection", "nobody"],
)
def test_what_cannot_be_done_is_one_sentence(shapes, words, sentence, capsys):
    assert main(["salience", "auto", str(shapes), *words]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.splitlines()) == 1
