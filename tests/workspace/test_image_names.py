"""Images that have a name in common, and how masks find them all the same."""

import numpy as np
import pytest
from PIL import Image

from sip_explorer.records import Finished, Notice, SipError
from sip_explorer.salience import Patch
from sip_explorer.salience.exchange import FORMATS
from sip_explorer.workspace import Workspace, import_images
from sip_explorer.workspace.image_names import ImageNames
from sip_explorer.workspace.salience_exchange import export_salience, import_salience

SHAPE = (16, 16)


def hard(seed):
    return np.where(np.random.default_rng(seed).random(SHAPE) < 0.6, 255, 0).astype(np.uint8)


def notices(events):
    return [event.message for event in events if isinstance(event, Notice)]


@pytest.fixture(params=["linked", "copied"])
def photos(tmp_path, request):
    """Photos with names that occur twice: in two splits, with two endings, in two classes."""
    random = np.random.default_rng(2)
    names = ["train/cat/1.png", "train/cat/2.png", "train/cat/2.bmp", "train/dog/1.png", "train/dog/3.v2.png"]
    for name in [*names, "test/cat/1.png", "test/dog/4.png"]:
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (*SHAPE, 3), np.uint8)).save(file)
    list(import_images(tmp_path / "photos", tmp_path / "work", copy=request.param == "copied"))
    with Workspace.open(tmp_path / "work") as opened:
        opened.add_annotator("Ada")
        yield opened


@pytest.mark.parametrize("key", ["png", "labelme", "cub", "csv", "hdf5", "numpy", "coco"])
def test_images_with_one_name_are_told_apart(key, photos, tmp_path):
    ids = photos.image_ids().tolist()
    for image in ids:
        patch = Patch.between(np.zeros(SHAPE, np.uint8), hard(image))
        photos.commit_stroke(image, "Ada", patch, "brush")
    assert photos.flush()
    target = tmp_path / f"out{FORMATS[key].suffix}"
    list(export_salience(photos, target, key))
    events = list(import_salience(photos, target, annotator="Ben"))
    assert notices(events) == []
    for image in ids:
        np.testing.assert_array_equal(photos.mask(image, "Ben"), hard(image))


def test_names_go_out_apart_where_capitals_are_not_told(tmp_path):
    for shade, name in enumerate(("cat/a.png", "cat/A.png", "dog/a.png")):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), shade).save(tmp_path / "photos" / name)
    if len(list((tmp_path / "photos" / "cat").iterdir())) == 1:
        pytest.skip("this disk does not tell capitals")
    list(import_images(tmp_path / "photos", tmp_path / "work"))
    with Workspace.open(tmp_path / "work") as opened:
        names = ImageNames(opened)
        given = [names.outgoing(image) for image in opened.image_ids().tolist()]
        assert len({stem.casefold() for _, stem in given}) == 3
        found = [[names.find(name, "it") for name in pair] for pair in given]
    assert found == [[0, 0], [1, 1], [2, 2]]


def test_a_name_that_two_images_have_is_not_guessed(photos):
    names = ImageNames(photos)
    labels = dict(zip(photos.image_ids().tolist(), photos.labels(photos.image_ids()).tolist(), strict=True))
    assert labels[names.find("dog/1.jpeg", "it")] == 1
    assert names.find("Ada/masks/dog/1", "it") == names.find("dog/1.png", "it")
    assert names.find("test/cat/1", "it") != names.find("train/cat/1", "it")
    assert names.find("cat/2.bmp", "it") != names.find("cat/2.png", "it")
    assert photos.image_name(names.find("3.v2", "it")).endswith("3.v2.png")
    assert names.find("dog/2.bmp", "it") is None  # there is one, but it is a cat
    for name in ("1.png", "cat/1", "cat/2"):
        with pytest.raises(SipError, match=r"belongs to [23] images"):
            names.find(name, "it")


def test_a_folder_of_photos_is_not_taken_for_masks(photos, tmp_path):
    events = list(import_salience(photos, tmp_path / "photos", annotator="Ada"))
    assert [event.summary["masks"] for event in events if isinstance(event, Finished)] == [0]
    assert all("colours of a photo" in said for said in notices(events)[:7])
