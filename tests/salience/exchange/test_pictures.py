"""What the values of other people's pictures mean."""

import io

import numpy as np
import pytest
from PIL import Image

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import ForeignMask, OutgoingMask, Skipped
from sip_explorer.salience.exchange.picture_file import picture_bytes, read_picture
from sip_explorer.salience.exchange.png_masks import read
from sip_explorer.salience.exchange.values import mask_of


def png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    buffer.seek(0)
    return buffer


def mask_in(image, **options):
    mask, note, _ = read_picture(png(image, **options), "the picture")
    return mask.tolist(), note


def grey(*values, dtype=np.uint8):
    return Image.fromarray(np.array([values], dtype))


def palette(values, colours):
    image = Image.fromarray(np.array([values], np.uint8), "P")
    image.putpalette([channel for colour in colours for channel in colour])
    return image


RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)
VOC = [BLACK, RED, (0, 128, 0)] + [BLACK] * 252 + [(224, 224, 192)]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (grey(0, 7, 255), [0, 7, 255]),
        (grey(0, 1, 1), [0, 255, 255]),
        (grey(0, 255).convert("1"), [0, 255]),
        (palette([0, 1, 2, 255], VOC), [0, 255, 255, 0]),
        (palette([0, 255], VOC), [0, 255]),
        (palette([0, 1, 1], [RED, BLACK]), [0, 255, 255]),
        (palette([0, 1, 2], [BLACK, (90, 90, 90), WHITE]), [0, 90, 255]),
        (palette([0, 1, 1], [WHITE, BLACK]), [255, 0, 0]),
        (Image.fromarray(np.array([[[255, 0, 0, 0], [9, 9, 9, 200]]], np.uint8), "RGBA"), [0, 200]),
        (Image.fromarray(np.array([[[255, 0, 0, 255], [0, 0, 0, 255]]], np.uint8), "RGBA"), [255, 0]),
        (Image.fromarray(np.array([[[40, 0], [40, 255]]], np.uint8), "LA"), [0, 255]),
        (Image.fromarray(np.array([[[255, 0, 0], [0, 90, 3]]], np.uint8), "RGB"), [255, 90]),
        (grey(0, 1, 300 * 0 + 1, dtype=np.uint16), [0, 255, 255]),
        (grey(0, 200, dtype=np.uint16), [0, 200]),
    ],
    ids=[
        "grey",
        "index",
        "1 bit",
        "VOC with void",
        "palette of 0 and 255",
        "coloured palette",
        "grey palette",
        "inverted palette",
        "layer",
        "opaque RGBA",
        "grey with alpha",
        "colours",
        "16-bit index",
        "16-bit levels of 8",
    ],
)
def test_what_the_values_mean(image, expected):
    assert mask_in(image) == ([expected], "")


def test_16_bits_are_rounded_and_that_is_said():
    mask, note = mask_in(grey(0, 128, 129, 65535, dtype=np.uint16))
    assert mask == [[0, 0, 1, 255]]
    assert "16-bit values are rounded" in note


def test_a_transparent_index_counts_as_nothing():
    assert mask_in(palette([0, 1, 1], [WHITE, RED]), transparency=0) == ([[0, 255, 255]], "")


def test_levels_0_and_1_of_our_own_are_levels():
    mask = np.array([[0, 1]], np.uint8)
    again, _, about = read_picture(io.BytesIO(picture_bytes(OutgoingMask("a", "a", "Ana", mask))), "it")
    assert again.tolist() == [[0, 1]]
    assert about["annotator"] == "Ana"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]]), [0, 128, 255]),
        (np.array([[0.0, 200.0]]), [0, 200]),
        (np.array([[False, True]]), [0, 255]),
        (np.array([[0, 1]], np.int64), [0, 255]),
        (np.array([[[3], [4]]], np.uint8), [3, 4]),
    ],
    ids=["fractions", "whole floats", "booleans", "index", "one more axis"],
)
def test_arrays_of_any_type(values, expected):
    assert mask_of(values, "it")[0].tolist() == [expected]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([[-1, 3]]), "values from -1 to 3"),
        (np.array([[0.5, 3.0]]), "values from 0.5 to 3"),
        (np.array([[0.0, np.nan]]), "no numbers"),
        (np.array([["a"]]), "made of numbers"),
        (np.array([[0, 70_000]]), "values from 0 to 70000"),
        (np.zeros((2, 3, 4)), "has the shape"),
        (np.zeros((0, 4)), "has the shape"),
        (np.zeros((2, 2), complex), "made of numbers"),
    ],
    ids=["negative", "beyond", "nan", "text", "large", "3-D", "empty", "complex"],
)
def test_arrays_that_are_no_masks(values, words):
    with pytest.raises(SipError, match=words):
        mask_of(values, "it")


def test_bad_pictures_in_a_folder_are_named_and_the_rest_goes_on(tmp_path):
    whole = png(Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20))).getvalue()
    (tmp_path / "masks" / "cat").mkdir(parents=True)
    (tmp_path / "masks" / "cat" / "good.png").write_bytes(whole)
    (tmp_path / "masks" / "cut.png").write_bytes(whole[:-60])
    (tmp_path / "masks" / "none.png").write_bytes(b"")
    (tmp_path / "masks" / "text.png").write_bytes(b"no picture")
    (tmp_path / "masks" / "notes.txt").write_text("not read")
    huge = bytearray(whole)
    huge[16:24] = (50_000).to_bytes(4, "big") * 2  # the size that the header claims
    (tmp_path / "masks" / "huge.png").write_bytes(bytes(huge))
    (tmp_path / "outside.png").write_bytes(whole)
    (tmp_path / "masks" / "link.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "masks" / "round.png").symlink_to("round.png")
    (tmp_path / "masks" / "again").symlink_to(".")
    found = list(read(tmp_path / "masks"))
    (good,) = (item for item in found if isinstance(item, ForeignMask))
    assert good.image == "cat/good"
    sentences = {item.name: item.sentence for item in found if isinstance(item, Skipped)}
    assert set(sentences) == {"cut.png", "none.png", "text.png", "huge.png", "link.png", "round.png"}
    assert all(str(tmp_path / "masks" / name) in sentence for name, sentence in sentences.items())
    assert "cut short" in sentences["cut.png"]
    assert "leads out of its folder" in sentences["link.png"]
    assert "or nowhere" in sentences["round.png"]
