"""The data set “Garments on photos”: exact masks, backgrounds that know no class, honest splits."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sip_explorer.data import PackedImages
from sip_explorer.data.backgrounds import PHOTOS, TEXTURES, Photo, backgrounds, shipped_photos, textures
from sip_explorer.data.garments import garments_on_photos
from sip_explorer.records import SipError

ROOT = Path(__file__).resolve().parents[2]
COUNT = 120


@pytest.fixture(scope="module")
def cloth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Real garments: pixels, labels, split."""
    with PackedImages.open(ROOT / "resources/demo/images.h5") as packed:
        rows = packed.collections["small set"][:COUNT]
        return packed.read(rows)[..., 0], packed.labels[rows], np.where(np.arange(COUNT) % 3, "train", "test")


@pytest.fixture(scope="module")
def grounds() -> list[Photo]:
    return backgrounds()


def test_outside_the_mask_stands_the_bare_background_and_inside_the_garment(cloth, grounds) -> None:
    made = garments_on_photos(*cloth, grounds)
    bare = garments_on_photos(np.zeros_like(cloth[0]), *cloth[1:], grounds)
    assert made.images.shape == (COUNT, 32, 32, 3)
    assert made.masks.shape == (COUNT, 32, 32)
    assert set(np.unique(made.masks)) == {0, 255}
    assert not bare.masks.any()
    off = made.masks == 0
    np.testing.assert_array_equal(made.images[off], bare.images[off])
    moved = np.abs(made.images.astype(int) - bare.images).max(3)
    assert (moved[~off] >= 4).mean() > 0.85  # the rest is camouflage: a colour near the background's
    share = (made.masks > 0).mean((1, 2))
    assert share.min() > 0.02
    assert share.max() < 0.7
    for axis in (1, 2):  # the place varies
        assert (made.masks > 0).any(axis).argmax(1).std() > 1


def test_the_background_is_drawn_without_the_label(cloth, grounds) -> None:
    garments, labels, split = cloth
    made = garments_on_photos(garments, labels, split, grounds)
    other = garments_on_photos(garments, (labels + 3) % 10, split, grounds)
    np.testing.assert_array_equal(made.images, other.images)
    np.testing.assert_array_equal(made.photo, other.photo)
    np.testing.assert_array_equal(other.labels, (labels + 3) % 10)


def test_an_image_depends_on_seed_and_row_alone(cloth, grounds) -> None:
    made = garments_on_photos(*cloth, grounds)
    few = garments_on_photos(*(part[:31] for part in cloth), grounds)
    np.testing.assert_array_equal(made.images[:31], few.images)
    np.testing.assert_array_equal(made.masks[:31], few.masks)
    assert not np.array_equal(
        few.images, garments_on_photos(*(p[:31] for p in cloth), grounds, seed=1).images
    )


def test_the_least_contrast_moves_garments_away_from_their_background_and_nothing_else(
    cloth, grounds
) -> None:
    bare, faint, strong = (
        garments_on_photos(pixels, *cloth[1:], grounds, least_contrast=least)
        for pixels, least in ((np.zeros_like(cloth[0]), 0), (cloth[0], 0), (cloth[0], 1))
    )
    np.testing.assert_array_equal(faint.masks, strong.masks)
    on = faint.masks > 0
    np.testing.assert_array_equal(faint.images[~on], strong.images[~on])
    away = [np.abs(made.images.astype(int) - bare.images)[on].mean() for made in (faint, strong)]
    assert away[1] > 1.4 * away[0]


@pytest.mark.parametrize("size", [16, 48])
def test_other_sizes(cloth, grounds, size: int) -> None:
    made = garments_on_photos(*(part[:12] for part in cloth), grounds, size=size)
    assert made.images.shape == (12, size, size, 3)
    assert all(mask.any() for mask in made.masks)


def test_each_split_shows_photos_of_its_own(cloth, grounds) -> None:
    made = garments_on_photos(*cloth, grounds)
    assert [grounds[number].split for number in made.photo] == made.split.tolist()
    assert {grounds[number].generated for number in made.photo} == {True, False}
    assert not set(PHOTOS["train"]) & set(PHOTOS["test"])
    pixels = [ground.pixels.tobytes() for ground in grounds]
    assert len(set(pixels)) == len(pixels) == sum(map(len, PHOTOS.values())) + sum(TEXTURES.values())


def test_photos_and_textures_are_colour_pictures_with_something_on_them() -> None:
    for ground in [*shipped_photos(), *textures()]:
        assert ground.pixels.dtype == np.uint8
        assert ground.pixels.shape[2] == 3
        assert ground.pixels.std() > 4, ground.name
    np.testing.assert_array_equal(textures(5)[7].pixels, textures(5)[7].pixels)
    assert not np.array_equal(textures(5)[7].pixels, textures(6)[7].pixels)


def test_what_does_not_fit_is_refused_in_one_sentence(cloth, grounds) -> None:
    garments, labels, split = (part[:4] for part in cloth)
    small = [Photo("stamp", np.zeros((20, 40, 3), np.uint8), part) for part in ("train", "test")]
    for arguments, words in (
        ((garments[:, :20], labels, split, grounds), "28 x 28"),
        ((garments.astype(float), labels, split, grounds), "float64"),
        ((garments, labels[:3], split, grounds), "4 labels"),
        ((garments, labels, split, [g for g in grounds if g.split == "train"]), "“test”"),
        ((garments, labels, split, small), "stamp is smaller than 32 px"),
    ):
        with pytest.raises(SipError, match=words):
            garments_on_photos(*arguments)
    with pytest.raises(SipError, match=r"contrast is 1\.5"):
        garments_on_photos(garments, labels, split, grounds, least_contrast=1.5)


def test_the_script_writes_the_packed_file_without_torch(tmp_path: Path) -> None:
    target = tmp_path / "garments.h5"
    script = ROOT / "packaging" / "make_garments.py"
    code = (
        "import runpy, sys; sys.modules['torch'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    words = [str(script), "--out", str(target), "--train", "30", "--test", "10", "--seed", "3"]
    subprocess.run([sys.executable, "-c", code, *words], check=True, cwd=ROOT)
    with PackedImages.open(target) as packed:
        assert (len(packed), packed.shape) == (40, (32, 32, 3))
        assert packed.split.tolist() == ["train"] * 30 + ["test"] * 10
        assert packed.classes[0] == "T-shirt/top"
        assert "CC0" in packed.licence
        assert "seed 3" in packed.origin
        masks = packed.segmentations(range(40))
        assert masks is not None
        assert masks.any((1, 2)).all()


def test_a_garment_returns_only_when_all_have_been_shown() -> None:
    drawn = runpy.run_path(str(ROOT / "packaging" / "make_garments.py"))["drawn"]
    rows = drawn(7, 16, np.random.default_rng(0))
    assert sorted(rows[:7]) == sorted(rows[7:14]) == list(range(7))
    assert len(rows) == 16
