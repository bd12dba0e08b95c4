"""Images in from the command line: said first, then done."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.workspace import Workspace


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten photos of each of two classes."""
    random = np.random.default_rng(3)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def run(*words: object) -> int:
    return main(["import", *map(str, words)])


def test_what_will_be_done_is_said_before_it_is_done(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    assert run(photos, work, "--test-share", 0.3, "--seed", 5, "--name", "Pets") == 0
    lines = capsys.readouterr().out.splitlines()
    said = [
        next(row for row, line in enumerate(lines) if words in line)
        for words in (
            "20 images of 2 classes",
            "cat, dog",
            "30 % of every class drawn with seed 5, 14 for training, 6 for testing",
            "are linked",
            f"Making the workspace {work}",
            "images: 20",
            f"sip-explorer open {work}",
        )
    ]
    assert said == sorted(said)
    with Workspace.open(work, read_only=True) as workspace:
        assert workspace.name == "Pets"
        assert len(workspace.image_ids("test")) == 6


def test_a_preview_does_nothing(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photos, tmp_path / "work", "--preview") == 0
    shown = capsys.readouterr().out
    assert "16 for training, 4 for testing" in shown
    assert "Nothing was done" in shown
    assert not (tmp_path / "work").exists()


def test_a_workspace_that_is_there_is_added_to_only_when_asked(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    assert run(photos / "..", work, "--add") == 1
    assert "leave out --add" in capsys.readouterr().err
    assert run(photos, work) == 0
    assert run(photos, work) == 1
    captured = capsys.readouterr()
    assert "is a workspace already: give --add" in captured.err
    assert captured.err.count("\n") == 1
    (photos / "cow").mkdir()
    Image.fromarray(np.full((9, 12, 3), 7, np.uint8)).save(photos / "cow" / "1.png")
    assert run(photos, work, "--add", "--collection", "later") == 0
    shown = capsys.readouterr().out
    assert f"Adding them to {work} in the collection later" in shown
    assert "images: 1\n" in shown
    assert "duplicates: 20" in shown
    assert "new classes: cow" in shown
    with Workspace.open(work, read_only=True) as workspace:
        assert workspace.classes == ("cat", "dog", "cow")
        assert workspace.image_ids(collection="later").tolist() == [20]


def test_several_pictures_at_once(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work"
    pictures = [photos / "cat" / f"{number}.png" for number in range(3)]
    assert run(*pictures, work) == 0
    assert "3 images without classes" in capsys.readouterr().out
    assert run(photos / "dog" / "4.png", work, "--add", "--label", "dog", "--copy") == 0
    with Workspace.open(work, read_only=True) as workspace:
        assert workspace.classes == ("dog",)
        assert workspace.labels(workspace.image_ids()).tolist() == [-1, -1, -1, 0]
        assert (work / "images").is_dir()


def test_a_packed_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sip_explorer.data import PackedImages

    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    PackedImages.write(tmp_path / "set.h5", pixels, np.arange(6) % 2, ("a", "b"), split=["train", "test"] * 3)
    assert run(tmp_path / "set.h5", tmp_path / "work") == 0
    shown = capsys.readouterr().out
    assert "Its own split: 3 images for training, 3 for testing." in shown
    assert "packed into the workspace" in shown


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["photos"], 2, "workspace folder last"),
        (["absent", "work"], 1, "absent"),
        (["photos", "work", "--test-share", "1.5"], 1, "share of test images is 1.5"),
        (["photos", "work", "--label", "cat"], 2, "--label goes with --add"),
        (["photos", "work", "--collection", "c"], 2, "--collection goes with --add"),
        (["photos", "photos"], 1, "not empty"),
    ],
)
def test_bad_words_are_one_sentence(
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(photos.parent)
    assert run(*words) == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    assert "Split" not in captured.out
    assert not Path("work").exists()


def test_a_broken_picture_is_no_reason_to_end(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "cat" / "0.png").write_text("<html>not found</html>")
    assert run(photos, tmp_path / "work", "--copy") == 0
    shown = capsys.readouterr().out
    assert "copied into the workspace" in shown
    assert "0.png" in shown
    assert "unreadable: 1" in shown
