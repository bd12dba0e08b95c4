"""Masks in and out from the command line."""

import numpy as np
import pytest
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace

SHAPE = (8, 9)


@pytest.fixture
def folder(tmp_path):
    """A workspace of six images; Ada painted the first, softly, and left the second empty."""
    path = tmp_path / "work"
    images = np.zeros((6, *SHAPE, 1), np.uint8)
    with Workspace.from_arrays(
        path, "work", images, np.arange(6) % 2, ("a", "b"), collections={"few": [0, 3]}
    ) as workspace:
        workspace.add_annotator("Ada")
        mask = np.arange(72, dtype=np.uint8).reshape(SHAPE)
        workspace.commit_stroke(0, "Ada", Patch.between(np.zeros(SHAPE, np.uint8), mask), "brush")
        workspace.set_state(1, "Ada", "empty")
    return path


def test_out_and_in_again(folder, tmp_path, capsys):
    assert main(["salience", "export", str(folder), str(tmp_path / "out"), "--format", "hdf5"]) == 0
    shown = capsys.readouterr().out
    assert "1 of the masks is zeros: images that were left empty on purpose." in shown
    assert f"2 masks written to {tmp_path / 'out.h5'}" in shown
    assert main(["salience", "import", str(tmp_path / "out.h5"), str(folder), "--annotator", "Ben"]) == 0
    assert "1 mask imported, 1 image marked empty on purpose.\n" in capsys.readouterr().out
    with Workspace.open(folder, read_only=True) as workspace:
        np.testing.assert_array_equal(workspace.mask(0, "Ben"), workspace.mask(0, "Ada"))
        assert workspace.states([0, 1, 2], "Ben") == ["painted", "empty", "unpainted"]


def test_the_loss_is_said_before_the_file_is_there(folder, tmp_path, capsys):
    words = ["salience", "export", str(folder), str(tmp_path / "out.json"), "--format", "coco"]
    assert main([*words, "--annotator", "Ada", "--images", "few"]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = [row for row, line in enumerate(lines) if "values between 0 and 255" in line]
    assert len(said) == 1
    assert said[0] < next(row for row, line in enumerate(lines) if "1/1 masks" in line)
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
    assert main([*words, "--force", "--merge", "majority"]) == 0


def test_sizes_and_painted_images(folder, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    Image.new("L", (5, 4), 255).save(tmp_path / "in" / "0.png")
    Image.new("L", (5, 4), 255).save(tmp_path / "in" / "2.png")
    words = ["salience", "import", str(tmp_path / "in"), str(folder), "--annotator", "Ada"]
    assert main(words) == 1, "a script learns that nothing came in"
    shown = capsys.readouterr()
    assert "is 5 x 4 pixels, its image 9 x 8: it was left out" in shown.out
    assert shown.err == "Nothing could be used: 0 masks imported, 2 left out.\n"
    assert main([*words, "--resize"]) == 0
    assert "1 mask imported, 1 kept as they were." in capsys.readouterr().out
    assert main([*words, "--resize", "--force", "--format", "png"]) == 0
    with Workspace.open(folder, read_only=True) as workspace:
        assert (workspace.mask(0, "Ada") == 255).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["import", "nowhere", "{work}", "--annotator", "Ada"], "nowhere is not there"),
        (["import", "{work}/workspace.toml", "{work}"], "is no file with masks"),
        (["import", "{work}", "{work}", "--format", "gif", "--annotator", "Ada"], "no format 'gif'"),
        (["export", "{work}", "{work}-out", "--format", "tiff"], "no format 'tiff'"),
        (["export", "{work}", "{work}-out", "--format", "png", "--annotator", "Eve"], "no annotator 'Eve'"),
        (["export", "{work}", "{work}-out", "--format", "png", "--images", "all"], "collection named all"),
        (["export", "{work}", "{work}-out", "--format", "png", "--merge", "sum"], "merged by 'sum'"),
    ],
    ids=["nowhere", "no masks", "import format", "export format", "annotator", "collection", "merge"],
)
def test_what_goes_wrong_is_one_sentence(words, sentence, folder, capsys):
    assert main(["salience", *(word.replace("{work}", str(folder)) for word in words)]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert sentence in shown.err


def test_a_workspace_that_a_window_has_open_is_left_alone(folder, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    Image.new("L", SHAPE[::-1], 255).save(tmp_path / "in" / "2.png")
    with Workspace.open(folder):
        assert main(["salience", "import", str(tmp_path / "in"), str(folder), "--annotator", "Ada"]) == 1
    assert "masks cannot be imported" in capsys.readouterr().err
