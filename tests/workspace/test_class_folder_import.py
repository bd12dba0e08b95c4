"""From a folder of class folders to a workspace, whatever lies in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sip_explorer.records import (
    Cancelled,
    CancelToken,
    Event,
    Finished,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.workspace import Workspace, import_images


def picture(seed: int, size: tuple[int, int] = (9, 7), channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, channels), dtype=np.uint8).squeeze()


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def fill(folder: Path, classes: dict[str, int], start: int = 0) -> Path:
    seeds = iter(range(start, start + 10_000))
    for name, count in classes.items():
        for number in range(count):
            save(folder / name / f"{number:03d}.png", picture(next(seeds)))
    return folder


def run(job: Iterator[Event | None]) -> tuple[Finished, list[str]]:
    """Return the last event and all notices."""
    events = [event for event in job if event is not None]
    last = events[-1]
    assert isinstance(last, Finished)
    assert any(isinstance(event, Progress) for event in events)
    return last, [event.message for event in events if isinstance(event, Notice)]


def test_every_kind_of_file_comes_in_or_is_named(tmp_path: Path) -> None:
    source = tmp_path / "Bilder ünd 图片"
    fill(source, {"Äpfel": 5, "梨": 5})
    pears, apples = source / "梨", source / "Äpfel"
    wide = (np.arange(63, dtype=np.uint16).reshape(9, 7) * 1000).astype(np.uint16)
    Image.fromarray(wide).save(apples / "sixteen bits.png")
    palette = Image.fromarray(picture(900)).quantize(8)
    palette.save(apples / "palette.png", transparency=0)
    Image.fromarray(picture(901, channels=4), "RGBA").save(apples / "alpha 🍏.png")
    Image.fromarray(picture(902, (64, 48))).convert("CMYK").save(pears / "cmyk.jpg")
    Image.fromarray(picture(903, channels=1)).save(pears / "grey.png")
    (pears / "text.png").write_text("no picture")
    whole = save(pears / "torn.png", picture(904, (60, 60))).read_bytes()
    (pears / "torn.png").write_bytes(whole[: len(whole) // 2])
    (pears / "empty.jpg").write_bytes(b"")
    (pears / "notes.txt").write_bytes(b"x")
    shutil.copy(apples / "001.png", apples / "again.png")
    shutil.copy(apples / "002.png", pears / "an apple.png")
    (source / ".cache").mkdir()
    (source / "reste").mkdir()

    finished, notices = run(import_images(source, tmp_path / "ws"))

    assert finished.outcome == "completed"
    summary = dict(finished.summary)
    assert summary.pop("workspace") == str(tmp_path / "ws")
    assert summary == {
        "images": 15,
        "train": 12,
        "test": 3,
        "split": "20 % of every class for testing, drawn with seed 0",
        "classes": 2,
        "duplicates": 2,
        "unreadable": 3,
        "segmentations": 0,
        "boxes": 0,
        "problems": 6,
    }
    for named in (
        "text.png",
        "torn.png",
        "empty.jpg",
        "notes.txt",
        "reste",
        "an apple.png (梨) has the pixels of Äpfel/002.png (Äpfel)",
        "2 images were there before",
        "two classes",
    ):
        assert sum(named in notice for notice in notices) == 1, (named, notices)
    listed = (tmp_path / "ws" / "import-problems.txt").read_text(encoding="utf-8").splitlines()
    assert str(source) in listed[0]
    assert len(listed) == 2 + summary["problems"]
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.name == source.name
        assert workspace.classes == ("Äpfel", "梨")
        by_name = {workspace.image_name(image): int(image) for image in workspace.image_ids()}
        assert {"sixteen bits.png", "palette.png", "alpha 🍏.png", "cmyk.jpg", "grey.png"} <= set(by_name)
        sixteen = workspace.image(by_name["sixteen bits.png"])
        assert sixteen.shape == (9, 7, 1)
        np.testing.assert_allclose(sixteen[..., 0], wide / 257, atol=1)
        assert workspace.image_shape(by_name["grey.png"]) == (9, 7, 1)
        assert workspace.image_shape(by_name["cmyk.jpg"]) == (64, 48, 3)
        for image in workspace.image_ids():
            assert workspace.image(image).shape == workspace.image_shape(image)
        with pytest.raises(SipError, match="differ in size"):
            workspace.images(workspace.image_ids())
        assert workspace.images(workspace.image_ids(), size=(8, 8)).shape == (15, 8, 8, 3)
        label = workspace.classes.index("梨")
        assert by_name["cmyk.jpg"] in workspace.image_ids(label=label)


def test_a_fifth_of_every_class_is_held_out_the_same_each_time(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", {"a": 20, "b": 10, "c": 1})
    held_out = []
    for target in ("one", "two"):
        run(import_images(source, tmp_path / target, name="Mine"))
        with Workspace.open(tmp_path / target) as workspace:
            assert workspace.name == "Mine"
            held_out.append(workspace.image_ids("test").tolist())
            counts = np.bincount(workspace.labels(workspace.image_ids("test")), minlength=3)
            assert counts.tolist() == [4, 2, 0]
    assert held_out[0] == held_out[1]


def test_a_set_with_its_own_split_keeps_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    fill(source / "train", {"a": 6, "b": 3})
    fill(source / "test", {"b": 4, "d": 1}, start=100)
    finished, _ = run(import_images(source, tmp_path / "ws"))
    assert (finished.summary["train"], finished.summary["test"]) == (9, 5)
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.classes == ("a", "b", "d")
        assert workspace.labels(workspace.image_ids("test")).tolist() == [1, 1, 1, 1, 2]


def test_among_others_classes_may_be_called_train_and_test(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", {"plane": 5, "test": 5, "train": 5})
    run(import_images(source, tmp_path / "ws"))
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.classes == ("plane", "test", "train")
        assert len(workspace.image_ids("test")) == 3


def test_pictures_are_linked_or_copied(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", {"a": 3, "b": 3})
    run(import_images(source, tmp_path / "linked"))
    run(import_images(source, tmp_path / "copied", copy=True))
    shutil.rmtree(source)
    (tmp_path / "copied").rename(tmp_path / "moved")
    with Workspace.open(tmp_path / "moved") as workspace:
        np.testing.assert_array_equal(workspace.image(4), picture(4))
    with Workspace.open(tmp_path / "linked") as workspace, pytest.raises(SipError, match="no longer there"):
        workspace.image(4)


@pytest.mark.parametrize("way", ["cancelled", "abandoned"])
def test_an_interrupted_import_leaves_nothing(tmp_path: Path, way: str) -> None:
    source = fill(tmp_path / "source", {"a": 3, "b": 3})
    before = sorted(path.name for path in tmp_path.iterdir())
    token = CancelToken()
    job = import_images(source, tmp_path / "ws", token=token)
    while not isinstance(next(job), Started):
        pass
    assert not (tmp_path / "ws").exists()
    if way == "cancelled":
        token.cancel()
        with pytest.raises(Cancelled):
            list(job)
    else:
        job.close()  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    finished, _ = run(import_images(source, tmp_path / "ws"))
    assert finished.summary["images"] == 6


def test_a_stopped_import_keeps_what_it_read(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", {"a": 2})
    for seed in range(40):
        save(source / "b" / f"{seed}.png", picture(1000 + seed, (200, 200)))
    token = CancelToken()
    job = import_images(source, tmp_path / "ws", token=token)
    while not (isinstance(event := next(job), Progress) and event.done):
        pass
    token.stop()
    finished = [event for event in job if event is not None][-1]
    assert isinstance(finished, Finished)
    assert finished.outcome == "stopped"
    with Workspace.open(tmp_path / "ws") as workspace:
        assert len(workspace.image_ids()) == finished.summary["images"] >= 1
        # How far it came before it stopped is the machine's business; the first class comes first.
        assert set(workspace.labels(workspace.image_ids())) in ({0}, {0, 1})


def test_nothing_to_import_is_said(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    broken = fill(tmp_path / "broken", {"a": 1, "b": 1})
    for name in "ab":
        (broken / name / "000.png").write_text("no picture")
    for source in (tmp_path / "bare", tmp_path / "absent", broken):
        with pytest.raises(SipError, match=source.name):
            list(import_images(source, tmp_path / "ws"))
        assert not (tmp_path / "ws").exists()


def test_a_class_of_broken_pictures_stays_and_is_named(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", {"a": 2, "b": 1, "c": 2})
    (source / "b" / "000.png").write_text("no picture")
    _, notices = run(import_images(source, tmp_path / "ws"))
    assert any("1 class has no image here: b." in notice for notice in notices)
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.classes == ("a", "b", "c"), "labels are those of the set"
        assert workspace.labels(workspace.image_ids()).tolist() == [0, 0, 2, 2]


def test_an_occupied_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    source = fill(tmp_path / "source", {"a": 2, "b": 2})
    before = sorted(source.rglob("*"))
    with pytest.raises(SipError, match="not empty"):
        next(import_images(source, source))
    with pytest.raises(SipError, match="is a file"):
        next(import_images(source, source / "a" / "000.png"))
    assert sorted(source.rglob("*")) == before
