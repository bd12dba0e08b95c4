"""An import that is broken off, meets a full disk, or is only looked at first."""

from pathlib import Path

import numpy as np
import pytest
from import_sets import arrays_of, look, photo, save
from PIL import Image
from toy_workspaces import full_disk

from sip_explorer.data.sources import Source
from sip_explorer.records import Cancelled, CancelToken, Finished, Progress, SipError, Started
from sip_explorer.workspace import Workspace, import_images


@pytest.mark.parametrize("kind", ["files", "arrays"])
@pytest.mark.parametrize("way", ["cancelled", "abandoned", "stopped"])
def test_an_interrupted_import_leaves_nothing_a_stopped_one_what_it_read(
    tmp_path: Path, kind: str, way: str
) -> None:
    if kind == "files":
        source = tmp_path / "photos"
        for number in range(60):
            save(source / "abcd"[number % 2] / f"{number:02d}.png", photo(number, (300, 300)))
        chosen: Path | Source = source
    else:
        pixels = np.random.default_rng(1).integers(0, 256, (600, 128, 128, 3), dtype=np.uint8)
        chosen = arrays_of(pixels, [0, 1] * 300)
    before = sorted(path.name for path in tmp_path.iterdir())
    token = CancelToken()
    job = import_images(chosen, tmp_path / "ws", token=token)
    while not (isinstance(event := next(job), Progress) and event.done):
        pass
    assert not (tmp_path / "ws").exists()
    if way == "stopped":
        token.stop()
        *_, finished = job
        assert isinstance(finished, Finished)
        assert finished.outcome == "stopped"
        with Workspace.open(tmp_path / "ws") as workspace:
            count = len(workspace.image_ids())
            assert 0 < count == finished.summary["images"] < (60 if kind == "files" else 600)
            assert len(workspace.images(workspace.image_ids())) == finished.summary["images"]
        return
    if way == "cancelled":
        token.cancel()
        with pytest.raises(Cancelled):
            list(job)
    else:
        job.close()  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", ["linked", "copied", "arrays"])
def test_on_a_full_disk_one_sentence_and_nothing_left(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "photos"
    for number in range(4):
        save(source / "abcd"[number % 2] / f"{number}.png", photo(number, (200, 200)))
    before = sorted(path.name for path in tmp_path.iterdir())
    pixels = np.random.default_rng(1).integers(0, 256, (20, 128, 128, 3), dtype=np.uint8)
    chosen = arrays_of(pixels, [0, 1] * 10) if kind == "arrays" else source
    with full_disk(4096), pytest.raises(SipError, match=r"make room"):
        list(import_images(chosen, tmp_path / "ws", copy=kind == "copied"))
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_wrong_share_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(SipError, match="share of test images"):
            next(import_images(tmp_path, tmp_path / "ws", test_share=share))


def test_a_preview_counts_names_and_shows_and_touches_nothing(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    for number in range(60):
        Image.fromarray(photo(number, (30, 200))).save(
            save(source / "abc"[number % 3] / f"{number:02d}.png", photo(number, (30, 200)))
        )
    (source / "a" / "00.png").write_text("no picture")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    seen = look(source)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert (seen.images, seen.classes, seen.class_counts) == (60, ("a", "b", "c"), (20, 20, 20))
    assert (seen.train, seen.test, seen.own_split, seen.packed) == (48, 12, False, False)
    assert seen.bytes == sum(path.stat().st_size for path in source.rglob("*.png"))
    assert len(seen.sample) == 23
    assert {image.shape for _, image in seen.sample} == {(19, 128, 3)}
    assert {name[0] for name, _ in seen.sample} == set("abc"), "spread over the set"
    assert any("00.png" in problem for problem in seen.problems)
    assert seen.held_out(0.5) == 30
    lines = "\n".join(seen.lines(test_share=0.5, seed=7))
    assert "30 for training, 30 for testing" in lines
    assert "seed 7" in lines
    assert "linked" in lines


def test_the_events_come_in_breaths(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    for number in range(30):
        save(source / "ab"[number % 2] / f"{number}.png", photo(number))
    events = [event for event in import_images(source, tmp_path / "ws") if event is not None]
    assert isinstance(events[0], Started)
    assert events[0].total == 30
    counts = [event.done for event in events if isinstance(event, Progress)]
    assert counts == sorted(counts)
    assert counts[-1] == 30
