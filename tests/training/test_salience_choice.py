"""Which image carries which salience, by every policy, and how it is read back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.models import Classifier, build_classifier
from sip_explorer.records import CancelToken, SipError
from sip_explorer.records.run_salience import read_salience, salience_writer
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import Recipe, TrainingData
from sip_explorer.training.salience_choice import ChosenSalience, choose_salience, left_out_images

MakeData = Callable[..., TrainingData]


@pytest.fixture
def reference() -> Classifier:
    model = build_classifier(
        "tiny-cnn",
        classes=("north-west", "north-east", "south-west"),
        input_shape=(1, 16, 16),
        mean=[0.3],
        std=[0.3],
        seed=1,
    )
    model.origin["name"] = "toy"
    return model


@pytest.fixture
def data(make_data: MakeData) -> TrainingData:
    """Thirty images: the first 8 painted (image 0 empty on purpose), 12 segmented, 15 in boxes."""
    whole = make_data(30, painted="all")
    painted = {int(one): np.full((16, 16), 200, np.uint8) for one in whole.ids[:8]}
    painted[int(whole.ids[0])][:] = 0
    segmented = {int(one): np.full((16, 16), 140, np.uint8) for one in whole.ids[4:16]}
    segmented[int(whole.ids[4])] = np.zeros((16, 16), np.uint8)
    segmented[int(whole.ids[15])][:] = 0
    boxes = {int(one): np.array([[2, 3, 4, 5], [-2, 12, 4, 9]], np.int32) for one in whole.ids[10:25]}
    return replace(
        whole, painted=painted, segmentations=segmented, boxes=boxes,
        revisions={one: 2 for one in painted}, painters={int(whole.ids[1]): "mean of Ada, Grace"},
    )  # fmt: skip


def chosen(
    recipe: Recipe, data: TrainingData, folder: Path, reference: Classifier | None = None
) -> ChosenSalience:
    rows = np.arange(len(data.ids))
    work = choose_salience(recipe, data, rows, RunFolder(folder), reference, CancelToken())
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value


def stored_sources(folder: Path) -> dict[int, str]:
    stored = read_salience(folder / "salience.h5")
    return dict(zip(stored.ids.tolist(), stored.sources, strict=True))


@pytest.mark.parametrize(
    ("salience", "sentence"),
    [
        ("none", "30 without"),
        ("painted", "8 painted, 22 without"),
        ("segmentation", "10 segmented, 20 without"),
        ("boxes", "15 in boxes, 15 without"),
        ("painted-else-segmentation", "8 painted, 7 segmented, 15 without"),
        ("painted-else-grad-cam", "8 painted, {} Grad-CAM, {} without"),
        ("segmentation-else-integrated-gradients", "10 segmented, {} integrated gradients, {} without"),
        ("boxes-else-grad-cam", "15 in boxes, {} Grad-CAM, {} without"),
        ("grad-cam", "{} Grad-CAM, {} without"),
    ],
)
def test_the_sources_of_a_policy_are_asked_in_order(
    salience: str, sentence: str, recipe: Recipe, data: TrainingData, reference: Classifier, tmp_path: Path
) -> None:
    recipe = recipe.replace(salience=salience)
    first = chosen(recipe, data, tmp_path / "run", reference)
    sources = stored_sources(tmp_path / "run")
    mapped = sum(
        source.startswith(("grad-cam: toy (", "integrated-gradients: toy (")) for source in sources.values()
    )
    assert (mapped > 0) == recipe.needs_reference
    assert first.sentence == f"Salience of the 30 training images: {sentence.format(mapped, first.without)}."
    assert first.without == 30 - len(sources)
    asked = recipe.salience_sources
    for place, one in enumerate(data.ids.tolist()):
        mask, source = first.masks[place], sources.get(one, "")
        if "painted" in asked and one in data.painted:
            assert source == ("painted: mean of Ada, Grace" if place == 1 else "painted: Ada")
            assert np.array_equal(mask, data.painted[one])
        elif "segmentation" in asked and one in data.segmentations and data.segmentations[one].any():
            assert source == "segmentation"
            assert (mask == 140).all()
        elif "boxes" in asked and one in data.boxes:
            assert source == "boxes"
            inside = np.zeros((16, 16), bool)
            inside[3:8, 2:6] = inside[12:, :2] = True
            assert np.array_equal(mask, np.where(inside, 255, 0))
        else:
            assert mask.any() == bool(source)
            assert not source or source.split(":")[0] == asked[-1]
    again = chosen(recipe, data, tmp_path / "run")  # a resumed run needs no model
    assert np.array_equal(again.masks, first.masks)
    assert again.sentence == first.sentence


def test_the_share_left_out_is_exact_in_every_class(
    recipe: Recipe, make_data: MakeData, tmp_path: Path
) -> None:
    data = make_data(60, painted="all")
    recipe = recipe.replace(unannotated=0.3)
    one = chosen(recipe, data, tmp_path / "one")
    assert (
        one.sentence == "Salience of the 60 training images: 42 painted, 18 left out on purpose, 0 without."
    )
    bare = ~one.masks.any(axis=(1, 2))
    assert np.bincount(data.labels[bare]).tolist() == [6, 6, 6]
    sources = stored_sources(tmp_path / "one")
    assert [sources[image] == "left out" for image in data.ids.tolist()] == bare.tolist()
    assert np.array_equal(chosen(recipe, data, tmp_path / "same").masks, one.masks)
    other = chosen(recipe.replace(seed=1), data, tmp_path / "other")
    assert not np.array_equal(other.masks, one.masks)
    again = chosen(recipe, data, tmp_path / "one")
    assert (again.sentence, again.left_out) == (one.sentence, 18)
    assert chosen(recipe.replace(unannotated=1.0), data, tmp_path / "all").masks.max() == 0


def test_larger_shares_hold_the_smaller_ones() -> None:
    labels = np.repeat(np.arange(4), [7, 10, 1, 30])
    former = np.zeros(len(labels), bool)
    for share in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
        found = left_out_images(labels, share, 3)
        assert np.bincount(labels[found], minlength=4).tolist() == [
            int(share * count + 0.5) for count in (7, 10, 1, 30)
        ]
        assert (found >= former).all()
        former = found


def test_soft_salience_keeps_its_levels_and_revisions_are_kept(
    recipe: Recipe, data: TrainingData, tmp_path: Path
) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    data = replace(data, painted={int(data.ids[5]): ramp}, revisions={int(data.ids[5]): 9})
    found = chosen(recipe, data, tmp_path)
    assert np.array_equal(found.masks[5], ramp)
    stored = read_salience(tmp_path / "salience.h5")
    assert (stored.ids.tolist(), stored.revisions.tolist()) == ([data.ids[5]], [9])
    assert np.array_equal(stored.masks[0], ramp)


def test_grad_cam_reads_the_layer_of_the_recipe_and_its_maps_are_shared_by_runs(
    recipe: Recipe, make_data: MakeData, reference: Classifier, tmp_path: Path
) -> None:
    recipe = recipe.replace(salience="grad-cam")
    data = replace(make_data(12), maps_folder=tmp_path / "workspace" / "salience_maps")
    usual = chosen(recipe, data, tmp_path / "runs" / "a", reference)
    kept = {path: path.stat().st_mtime_ns for path in data.maps_folder.rglob("*.h5")}
    assert len(kept) == 1
    finer = recipe.replace(salience_layer="features.1")
    layered = chosen(finer, data, tmp_path / "runs" / "b", reference)
    assert not np.array_equal(usual.masks, layered.masks)
    assert all(
        source.endswith(", features.1)") for source in stored_sources(tmp_path / "runs" / "b").values()
    )
    third = chosen(recipe, data, tmp_path / "runs" / "c", reference)
    assert np.array_equal(third.masks, usual.masks)
    now = {path: path.stat().st_mtime_ns for path in data.maps_folder.rglob("*.h5")}
    assert len(now) == 2
    assert kept.items() <= now.items()
    chosen(recipe, replace(data, maps_folder=None), tmp_path / "runs" / "d", reference)
    assert len(list((tmp_path / "runs" / "salience_maps").rglob("*.h5"))) == 1
    with pytest.raises(SipError, match=r"no layer named 'feature\.1'; did you mean features"):
        chosen(recipe.replace(salience_layer="feature.1"), data, tmp_path / "runs" / "e", reference)


def test_a_constant_map_is_no_salience(
    recipe: Recipe, make_data: MakeData, reference: Classifier, tmp_path: Path
) -> None:
    with torch.no_grad():
        for parameter in reference.network.parameters():
            parameter.zero_()
    found = chosen(recipe.replace(salience="grad-cam"), make_data(6), tmp_path / "run", reference)
    assert found.sentence == "Salience of the 6 training images: 0 Grad-CAM, 6 without."
    assert not found.masks.any()
    assert stored_sources(tmp_path / "run") == {}


def test_what_does_not_fit_is_said(
    recipe: Recipe, make_data: MakeData, reference: Classifier, tmp_path: Path
) -> None:
    data = make_data(6)
    with pytest.raises(SipError, match="6 training images need salience from integrated gradients but no"):
        chosen(recipe.replace(salience="integrated-gradients"), data, tmp_path / "none")
    few = replace(data, classes=("north-west", "north-east", "south-west", "south-east"))
    with pytest.raises(SipError, match="knows 3 classes but the images have 4"):
        chosen(recipe.replace(salience="grad-cam"), few, tmp_path / "few", reference)
    with salience_writer(tmp_path / "resumed" / "salience.h5", (8, 9)) as writer:
        writer.add(data.ids[:1], ["painted"], np.array([1]), np.zeros((1, 8, 9), np.uint8))
    with pytest.raises(SipError, match="holds masks of 9 x 8 pixels but the images have 16 x 16"):
        chosen(recipe, data, tmp_path / "resumed")
