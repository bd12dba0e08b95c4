"""Masks between workspaces and files: whose they are, what is kept, what is said."""

import json
import shutil
from itertools import islice

import numpy as np
import pytest
from PIL import Image
from toy_workspaces import full_disk

from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Notice, SipError
from sip_explorer.salience import Patch, merged
from sip_explorer.salience.exchange import FORMATS
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.salience_exchange import (
    export_salience,
    import_salience,
    preview_export,
    preview_import,
)

SHAPE = (16, 16)


def paint(workspace, image, who, mask):
    patch = Patch.between(workspace.mask(image, who), mask)
    if patch is not None:
        workspace.commit_stroke(image, who, patch, "brush")


def noise(seed, soft=True):
    values = np.random.default_rng(seed).integers(0, 256, SHAPE).astype(np.uint8)
    return values if soft else np.where(values > 99, 255, 0).astype(np.uint8)


@pytest.fixture
def painted(workspace):
    """Two people's masks: soft, hard, one pixel, full, and two images left empty on purpose."""
    workspace.add_annotator("Ben/../x")
    for who in ("Ada", "Ben/../x"):
        paint(workspace, 0, who, noise(len(who)))
        paint(workspace, 1, who, noise(7 + len(who), soft=False))
    one = np.zeros(SHAPE, np.uint8)
    one[3, 5] = 1
    paint(workspace, 2, "Ada", one)
    paint(workspace, 3, "Ada", np.full(SHAPE, 255, np.uint8))
    workspace.set_state(4, "Ada", "empty")
    workspace.set_state(5, "Ben/../x", "empty")
    workspace.set_state(6, "Ada", "skipped")
    assert workspace.flush()
    return workspace


@pytest.fixture
def other(toys, tmp_path):
    """The same images, painted by nobody."""
    shutil.copytree(toys, tmp_path / "other")
    with Workspace.open(tmp_path / "other") as opened:
        yield opened


def notices(events):
    return [event.message for event in events if isinstance(event, Notice)]


def summary(events):
    assert isinstance(events[-1], Finished)
    return events[-1].summary


def last_data(events):
    return [event.data for event in events if isinstance(event, Artefact)][-1]


@pytest.mark.parametrize("key", FORMATS)
def test_a_workspace_goes_out_and_comes_in(key, painted, other, tmp_path):
    chosen = FORMATS[key]
    whose = None if chosen.keeps_annotators else ["Ada"]
    out = list(export_salience(painted, tmp_path / "out", key, annotators=whose))
    assert (tmp_path / f"out{chosen.suffix}").exists()
    assert summary(out)["masks"] == (8 if whose is None else 5)
    assert any("zeros: images that were left empty" in said for said in notices(out))
    kept = chosen.loss(3 if whose is None else 2)
    assert (kept in notices(out)) == bool(kept)
    target = tmp_path / f"out{chosen.suffix}"
    preview = last_data(list(preview_import(other, target)))
    assert (preview.masks, preview.unknown, preview.skipped) == (summary(out)["masks"], [], [])
    events = list(import_salience(other, target))
    assert notices(events) == []
    for who in ("Ada", "Ben/../x") if whose is None else ("Ada",):
        for image in range(12):
            expected = painted.mask(image, who)
            if not chosen.keeps_soft:
                expected = np.where(expected >= 128, 255, 0)
            np.testing.assert_array_equal(other.mask(image, who), expected)
        if chosen.keeps_soft:
            states = [
                "unpainted" if state == "skipped" else state for state in painted.states(range(12), who)
            ]
            assert other.states(range(12), who) == states
    stroke = other.strokes(0, "Ada")[-1]
    assert stroke.tool == "import"
    again = summary(list(import_salience(other, target)))
    assert (again["masks"], again["empty"]) == (0, 0)
    assert again["kept"] == summary(out)["masks"]


@pytest.mark.parametrize("how", ["mean", "majority", "union", "intersection", "staple"])
def test_merged_masks_are_those_of_the_merge(how, painted, other, tmp_path):
    list(export_salience(painted, tmp_path / "out", "png", [0, 1, 3], merge=how))
    list(import_salience(other, tmp_path / "out", annotator="Ada"))
    for image in (0, 1):
        masks = [painted.mask(image, who) for who in ("Ada", "Ben/../x")]
        np.testing.assert_array_equal(other.mask(image, "Ada"), merged(masks, how))
    assert (other.mask(3, "Ada") == 255).all()  # painted by one alone


def test_an_export_of_some_images_and_what_it_counts(painted, tmp_path):
    preview = last_data(list(preview_export(painted, [0, 2, 4, 7], ["Ada"])))
    assert (preview.masks, preview.images, preview.empty, preview.soft) == (3, 3, 1, 2)
    with pytest.raises(SipError, match="None of these images"):
        list(export_salience(painted, tmp_path / "out", "png", [7, 8]))
    with pytest.raises(SipError, match="no annotator 'Eve'"):
        list(export_salience(painted, tmp_path / "out", "png", annotators=["Eve"]))
    with pytest.raises(SipError, match="cannot be merged by 'median'"):
        list(export_salience(painted, tmp_path / "out", "png", merge="median"))
    with pytest.raises(SipError, match="no format 'gif'"):
        list(export_salience(painted, tmp_path / "out", "gif"))
    with pytest.raises(SipError, match="choose one annotator, or merge"):
        list(export_salience(painted, tmp_path / "out", "cub"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", FORMATS)
def test_files_that_are_there_are_replaced_only_when_told(key, painted, tmp_path):
    suffix = FORMATS[key].suffix
    target = tmp_path / f"out{suffix}"
    if suffix:
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    with pytest.raises(SipError, match="allow overwriting"):
        list(export_salience(painted, target, key, annotators=["Ada"]))
    assert (target if suffix else target / "mine.txt").read_text() == "mine"
    events = list(export_salience(painted, target, key, annotators=["Ada"], force=True))
    assert summary(events)["masks"] == 5
    if not suffix:
        assert (target / "mine.txt").read_text() == "mine"  # what is not replaced stays
    wrong = tmp_path / f"wrong{suffix}"
    if suffix:
        wrong.mkdir()
    else:
        wrong.write_text("mine")
    with pytest.raises(SipError, match="choose another name"):
        list(export_salience(painted, wrong, key, annotators=["Ada"], force=True))


@pytest.mark.parametrize("key", FORMATS)
def test_a_cancelled_export_leaves_nothing(key, painted, tmp_path):
    token = CancelToken()
    folder = tmp_path / "new"
    folder.mkdir()
    token.cancel()
    with pytest.raises(Cancelled):
        list(export_salience(painted, folder / "out", key, annotators=["Ada"], token=token))
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(painted, tmp_path):
    (tmp_path / "file").write_text("x")
    for key in ("png", "hdf5", "coco"):
        with pytest.raises(SipError, match="cannot be written"):
            list(export_salience(painted, tmp_path / "file" / "out", key))


def test_the_workspace_itself_is_no_place_for_masks(painted):
    before = (painted.path / "workspace.toml").read_bytes()
    for name, key in (("workspace.toml", "coco"), ("masks", "png"), ("", "png")):
        with pytest.raises(SipError, match="lies in the workspace Toys itself"):
            list(export_salience(painted, painted.path / name, key, force=True))
    assert (painted.path / "workspace.toml").read_bytes() == before
    assert not (painted.path / "masks").exists()


def save(folder, name, mask):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(folder / name)


def test_masks_of_another_size_are_refused_or_resized(workspace, tmp_path):
    half = np.zeros((8, 8), np.uint8)
    half[:, 4:] = 255
    save(tmp_path / "in", "0.png", half)
    save(tmp_path / "in", "1.png", np.full((32, 16), 77, np.uint8))
    save(tmp_path / "in", "2.png", noise(1))
    preview = last_data(list(preview_import(workspace, tmp_path / "in", annotator="Ada")))
    assert (preview.masks, len(preview.other_size)) == (3, 2)
    events = list(import_salience(workspace, tmp_path / "in", annotator="Ada"))
    assert summary(events) == {"masks": 1, "empty": 0, "kept": 0, "skipped": 2, "unknown": 0}
    assert any("0.png is 8 x 8 pixels, its image 16 x 16" in said for said in notices(events))
    events = list(import_salience(workspace, tmp_path / "in", annotator="Ada", on_size="resize"))
    assert summary(events) == {"masks": 2, "empty": 0, "kept": 1, "skipped": 0, "unknown": 0}
    assert np.unique(workspace.mask(0, "Ada")).tolist() == [0, 255]  # hard masks stay hard
    assert (workspace.mask(0, "Ada")[:, 8:] == 255).all()
    assert np.unique(workspace.mask(1, "Ada")).tolist() == [77]
    with pytest.raises(SipError, match="refuse or resize"):
        list(import_salience(workspace, tmp_path / "in", annotator="Ada", on_size="stretch"))


def test_what_is_painted_stays_or_gets_a_stroke_on_top(painted, tmp_path):
    save(tmp_path / "in", "0.png", noise(50))
    save(tmp_path / "in", "3.png", np.zeros(SHAPE, np.uint8))
    before = painted.mask(0, "Ada")
    kept = list(import_salience(painted, tmp_path / "in", annotator="ada"))  # in whatever case
    assert summary(kept)["kept"] == 2
    assert any("2 images had been painted already" in said for said in notices(kept))
    np.testing.assert_array_equal(painted.mask(0, "Ada"), before)
    on_top = import_salience(painted, tmp_path / "in", annotator="Ada", on_painted="new-stroke")
    assert summary(list(on_top)) == {"masks": 1, "empty": 1, "kept": 0, "skipped": 0, "unknown": 0}
    np.testing.assert_array_equal(painted.mask(0, "Ada"), noise(50))
    assert painted.states([0, 3], "Ada") == ["painted", "empty"]
    strokes = painted.strokes(0, "Ada")
    np.testing.assert_array_equal(painted.mask(0, "Ada", last=strokes[-2].id), before)
    with pytest.raises(SipError, match="keep or new-stroke"):
        list(import_salience(painted, tmp_path / "in", annotator="Ada", on_painted="erase"))


def test_names_that_belong_to_nothing_and_second_masks(workspace, tmp_path):
    mask = noise(1)
    for name in ("ball/0.png", "0.png", "cube/0.png", "image 5.png", "000002.png", "99.png", "who.png"):
        save(tmp_path / "in", name, mask)
    preview = last_data(list(preview_import(workspace, tmp_path / "in", annotator="Ada")))
    assert (preview.masks, sorted(preview.unknown)) == (3, ["99", "cube/0", "who"])
    assert "a second mask of ball/0, beside" in preview.skipped[0]
    events = list(import_salience(workspace, tmp_path / "in", annotator="Ada"))
    assert summary(events) == {"masks": 3, "empty": 0, "kept": 0, "skipped": 1, "unknown": 3}
    assert any("3 masks have names that belong to no image of Toys: " in said for said in notices(events))
    assert workspace.states([0, 2, 5], "Ada") == ["painted"] * 3


def test_paths_that_lead_elsewhere_are_refused(workspace, tmp_path):
    images = [
        {"id": number, "file_name": name, "height": 16, "width": 16}
        for number, name in enumerate(["../0.png", "/etc/0", "C:\\0.png", "a/../0", "\0", "", "1"])
    ]
    square = [[0, 0, 4, 0, 4, 4]]
    annotations = [{"id": entry["id"], "image_id": entry["id"], "segmentation": square} for entry in images]
    (tmp_path / "c.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    events = list(import_salience(workspace, tmp_path / "c.json", annotator="Ada"))
    assert summary(events) == {"masks": 1, "empty": 0, "kept": 0, "skipped": 6, "unknown": 0}
    assert sum("out of its folder" in said for said in notices(events)) == 4
    assert sum("names no image" in said for said in notices(events)) == 2
    assert workspace.states([0, 1], "Ada") == ["unpainted", "painted"]


def test_names_that_no_terminal_takes(workspace, tmp_path):
    images = [{"id": 1, "file_name": "a\ud800", "height": 16, "width": 16}]
    annotations = [{"id": 1, "image_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}]
    (tmp_path / "c.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    said = notices(list(import_salience(workspace, tmp_path / "c.json", annotator="Ada")))
    assert said == ["1 mask has a name that belongs to no image of Toys: a?."]


def test_masks_that_name_nobody_need_an_annotator(workspace, tmp_path):
    save(tmp_path / "in", "0.png", noise(1))
    preview = last_data(list(preview_import(workspace, tmp_path / "in")))
    assert preview.annotators == [""]
    with pytest.raises(SipError, match="does not say whose salience it is"):
        list(import_salience(workspace, tmp_path / "in"))
    list(import_salience(workspace, tmp_path / "in", annotator="Zoe"))
    assert "Zoe" in [person.name for person in workspace.annotators()]
    with pytest.raises(SipError, match="is not there"):
        list(import_salience(workspace, tmp_path / "gone", annotator="Ada"))


def test_agreed_masks_stay_agreed_masks(painted, other, tmp_path):
    paint(painted, 0, painted.adjudicated().id, noise(9))
    assert painted.flush()
    list(export_salience(painted, tmp_path / "out.h5", "hdf5", annotators=["Adjudicated"]))
    list(import_salience(other, tmp_path / "out.h5"))
    (agreed,) = other.annotators("adjudicated")
    np.testing.assert_array_equal(other.mask(0, agreed.id), noise(9))


def test_a_full_disk_is_said_while_the_import_waits(workspace, tmp_path):
    save(tmp_path / "in", "0.png", noise(1))
    job = import_salience(workspace, tmp_path / "in", annotator="Ada")
    with full_disk(room=1):
        said = next(event for event in islice(job, 500) if isinstance(event, Notice))
        assert "make room on the disk" in said.message
    assert summary(list(job))["masks"] == 1
    assert workspace.unsaved == 0


def test_several_files_at_once_and_one_of_them_bad(workspace, tmp_path):
    for image in (0, 1):
        save(tmp_path, f"{image}.png", noise(image))
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "what.xyz").write_text("{")
    paths = [tmp_path / name for name in ("0.png", "bad.json", "what.xyz", "1.png")]
    events = list(import_salience(workspace, paths, annotator="Ada"))
    assert summary(events) == {"masks": 2, "empty": 0, "kept": 0, "skipped": 2, "unknown": 0}


def test_a_workspace_open_to_read_is_told_so(workspace, tmp_path):
    save(tmp_path / "in", "0.png", noise(1))
    with (
        Workspace.open(workspace.path, read_only=True) as reader,
        pytest.raises(SipError, match="masks cannot be imported"),
    ):
        list(import_salience(reader, tmp_path / "in", annotator="Ada"))
