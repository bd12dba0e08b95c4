"""COCO's run lengths against its own library, what unites, and what is refused."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import ForeignMask, Skipped
from sip_explorer.salience.exchange.coco import read
from sip_explorer.salience.exchange.rle import compressed, counts_of, decompressed, mask_from


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 10**6),
    share=st.floats(0, 1),
)
def test_runs_come_back_plain_and_compressed(shape, seed, share):
    mask = np.random.default_rng(seed).random(shape) < share
    counts = counts_of(mask)
    assert sum(counts) == mask.size
    np.testing.assert_array_equal(decompressed(compressed(counts), "it"), counts)
    for kept in (counts, compressed(counts)):
        again = mask_from({"size": list(shape), "counts": kept}, "it")
        np.testing.assert_array_equal(again, np.where(mask, 255, 0))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (240, 321)], ids=str)
def test_the_string_is_that_of_cocos_own_library(share, shape):
    theirs = pytest.importorskip("pycocotools.mask")
    mask = np.random.default_rng(5).random(shape) < share
    expected = theirs.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert compressed(counts_of(mask)) == expected["counts"].decode()
    again = theirs.decode({"size": list(shape), "counts": compressed(counts_of(mask)).encode()})
    np.testing.assert_array_equal(again, mask)


def segmentation(counts, size=(4, 5)):
    return {"size": list(size), "counts": counts}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (segmentation([3, 4]), "runs of 7 pixels in all for 5 x 4 = 20"),
        (segmentation([25, -5]), "a run length that no mask has"),
        (segmentation([10**12]), "a run length that no mask has"),
        (segmentation("é!"), "other characters"),
        (segmentation("0 1"), "other characters"),
        (segmentation("P"), "cut short within a run length"),
        (segmentation(""), "other characters"),
        (segmentation("oooooooooooooo0"), "a run length that no mask has"),
        (segmentation("05J"), "a run of"),
        (segmentation([20.0]), "neither a string nor a list"),
        (segmentation([True] * 20), "neither a string nor a list"),
        (segmentation([20], (40_000, 40_000)), "more than the 64 million"),
        (segmentation([20], (-4, -5)), "no picture"),
        (segmentation([20], (4.0, 5)), "a size of two whole numbers"),
        ({"counts": [20]}, "a size of two whole numbers"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:24],
)
def test_broken_runs_get_one_sentence(broken, words):
    with pytest.raises(SipError, match=words):
        mask_from(broken, "Annotation 7")


def coco_file(path, annotations, images=({"id": 1, "file_name": "a.jpg", "height": 4, "width": 5},)):
    path.write_text(json.dumps({"images": list(images), "annotations": annotations}))
    return path


def test_annotations_of_one_image_unite_and_those_of_two_annotators_do_not(tmp_path):
    square = [[0, 0, 2, 0, 2, 2, 0, 2]]
    annotations = [
        {"id": 1, "image_id": 1, "segmentation": square},
        {"id": 2, "image_id": 1, "segmentation": segmentation([19, 1])},
        {"id": 3, "image_id": 1, "bbox": [3, 0, 2, 1]},
        {"id": 4, "image_id": 1, "segmentation": square, "attributes": {"annotator": "Ana"}},
    ]
    nobody, ana = read(coco_file(tmp_path / "c.json", annotations))
    expected = np.zeros((4, 5), np.uint8)
    expected[:2, :2] = expected[3, 4] = expected[0, 3:] = 255
    np.testing.assert_array_equal(nobody.mask, expected)
    assert (nobody.annotator, ana.annotator) == (None, "Ana")
    assert ana.mask.sum() == 4 * 255


def test_boxes_count_where_outlines_are_empty(tmp_path):
    """As detection data have them; an empty outline with nothing beside it says nothing."""
    annotations = [
        {"id": 1, "image_id": 1, "segmentation": [], "bbox": [1, 1, 2, 2]},
        {"id": 2, "image_id": 2, "segmentation": []},
    ]
    images = [{"id": number, "file_name": f"{number}.jpg", "height": 4, "width": 5} for number in (1, 2)]
    boxed, nothing = read(coco_file(tmp_path / "c.json", annotations, images))
    assert (boxed.mask.sum(), boxed.note) == (4 * 255, "Boxes were filled: outlines are not known.")
    assert isinstance(nothing, Skipped)
    assert "neither run lengths nor polygons" in nothing.sentence


def test_a_bad_annotation_is_named_and_the_rest_goes_on(tmp_path):
    annotations = [
        {"id": 1, "image_id": 1, "segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]},
        {"id": 2, "image_id": 99, "segmentation": []},
        {"id": 3, "image_id": 1, "segmentation": segmentation([1])},
        {"id": 4, "image_id": 1, "segmentation": [[0, 0, 1]]},
        {"id": 5, "image_id": 1, "segmentation": [[0, 0, float("nan"), 1, 2, 2]]},
        {"id": 6, "image_id": 1, "segmentation": [[0, 0, 1, 1]]},
        {"id": 7, "image_id": 1, "segmentation": segmentation([6], (2, 3))},
        {"id": 8, "image_id": 1},
        {"id": 9, "image_id": 2, "segmentation": [[0, 0, 1, 1, 2, 2]]},
        "no annotation",
    ]
    images = [
        {"id": 1, "file_name": "a.jpg", "height": 4, "width": 5},
        {"id": 1, "file_name": "b.jpg"},
        {"id": 2, "file_name": "c.jpg"},
        {"file_name": "d.jpg"},
        None,
    ]
    found = list(read(coco_file(tmp_path / "c.json", annotations, images)))
    (whole,) = (item for item in found if isinstance(item, ForeignMask))
    assert (whole.mask == 255).all()  # what reaches beyond the image is cut off, and said
    assert whole.note == "What reaches beyond the image is cut off."
    sentences = [item.sentence for item in found if isinstance(item, Skipped)]
    assert len(sentences) == 12
    for words in (
        "Two images in .* have the id 1",
        "images in .* has no id",
        "Annotation 2 .* belongs to no image",
        "Annotation number 9 .* belongs to no image",
        "Annotation 3 .* runs of 1 pixels",
        "Annotation 4 .* an x without a y",
        "Annotation 5 .* no list of numbers",
        "Annotation 6 .* 2 corners",
        "Annotation 7 .* another size",
        "Annotation 8 .* neither run lengths nor polygons",
        "Annotation 9 .* without height and width",
    ):
        assert any(re.search(words, sentence) for sentence in sentences), words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is no JSON"),
        (b"[]", "no JSON object"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"images": 3}', "no lists named images and annotations"),
    ],
    ids=["cut", "list", "bytes", "deep", "other"],
)
def test_what_is_no_coco_file_is_said(content, words, tmp_path):
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(SipError, match=words):
        list(read(path))
