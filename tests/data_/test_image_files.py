"""Image files become upright 8-bit pixels, or one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sip_explorer.data import read_image, to_float
from sip_explorer.records import SipError

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
COLOUR = np.arange(144, dtype=np.uint8).reshape(6, 8, 3)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_grey_and_colour_keep_their_values(tmp_path: Path) -> None:
    grey = read_image(save(tmp_path / "g.png", Image.fromarray(GREY)))
    colour = read_image(save(tmp_path / "c.png", Image.fromarray(COLOUR)))
    assert (grey.dtype, grey.shape) == (np.uint8, (6, 8, 1))
    assert np.array_equal(grey[..., 0], GREY)
    assert np.array_equal(colour, COLOUR)
    colour[0, 0] = 0  # a caller's own copy


def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path) -> None:
    wide = Image.fromarray(GREY.astype(np.uint16) * 257)
    assert np.array_equal(read_image(save(tmp_path / "w.png", wide))[..., 0], GREY)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_gives_one_or_three_channels(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    pixels = read_image(save(tmp_path / f"m.{suffix}", Image.fromarray(COLOUR).convert(mode)))
    assert pixels.shape == (6, 8, 1 if mode in ("1", "L", "LA") else 3)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    clear = np.dstack([COLOUR, np.zeros((6, 8), np.uint8)])
    assert (read_image(save(tmp_path / "t.png", Image.fromarray(clear))) == 255).all()
    palette = Image.fromarray(GREY).convert("P")
    pixels = read_image(save(tmp_path / "p.png", palette, transparency=5))
    assert (pixels[GREY == 5] == 255).all()
    assert (pixels[GREY == 6] == 6).all()


def test_a_photo_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    path = save(tmp_path / "r.png", Image.fromarray(COLOUR), exif=exif)
    assert np.array_equal(read_image(path), np.rot90(COLOUR, -1))


def test_to_float_is_nchw_in_zero_to_one() -> None:
    images = np.stack([COLOUR, 255 - COLOUR])
    tensor = to_float(images)
    assert (tensor.dtype, tuple(tensor.shape)) == (torch.float32, (2, 3, 6, 8))
    assert tensor.is_contiguous()
    assert tensor[1, 2, 3, 4] == np.float32(images[1, 3, 4, 2]) / np.float32(255)
    every = to_float(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1))
    assert torch.equal((every * 255).round().flatten(), torch.arange(256.0))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: None, "No such file"),
        (Path.mkdir, "directory"),
        (lambda path: path.write_bytes(b""), "no image"),
        (lambda path: path.write_text("not an image"), "no image"),
        (lambda path: save(path, Image.fromarray(GREY.astype(np.float32)), format="TIFF"), "floating-point"),
        (lambda path: save(path, Image.new("1", (8001, 8000)), format="PNG"), "8001 × 8000"),
        (lambda path: save(path, Image.new("1", (20000, 9000)), format="PNG"), "pixels"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_one_sentence_for_what_is_no_image(tmp_path: Path, write: object, words: str) -> None:
    path = tmp_path / "some.file"
    write(path)
    with pytest.raises(SipError, match=words) as caught:
        read_image(path)
    assert str(path) in str(caught.value)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=80, deadline=None)
@given(
    suffix=st.sampled_from(["png", "jpeg", "gif", "bmp", "tiff", "webp"]),
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
)
def test_a_damaged_image_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, cut: float, changes: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"i.{suffix}"
    data = bytearray(save(path, Image.fromarray(np.tile(COLOUR, (8, 8, 1)))).read_bytes())
    for position, value in changes:
        data[position % len(data)] = value
    path.write_bytes(data[: int(cut * len(data))])
    try:
        pixels = read_image(path)
    except SipError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] in (1, 3)
