"""labelme, HDF5, NumPy, tables and CUB as others write them, whole and broken."""

import base64
import io
import json
import re

import h5py
import numpy as np
import pytest
from PIL import Image

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import (
    ForeignBoxes,
    ForeignMask,
    OutgoingMask,
    Skipped,
    boxes_mask,
    format_named,
    recognised,
)
from sip_explorer.salience.exchange.staging import place_in


def png_bytes(values):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(values)).save(buffer, "PNG")
    return buffer.getvalue()


def parts(found):
    """Return the masks, and the sentences on what was skipped."""
    found = list(found)
    return (
        [item for item in found if not isinstance(item, Skipped)],
        [item.sentence for item in found if isinstance(item, Skipped)],
    )


def labelme_file(path, shapes, **more):
    content = {"shapes": shapes, "imagePath": "../pictures/cat/001.jpg", "imageHeight": 6, "imageWidth": 8}
    path.write_text(json.dumps({**content, **more}))
    return path


def shape(kind, points, **more):
    return {"label": "x", "shape_type": kind, "points": points, **more}


def test_every_labelme_shape(tmp_path):
    encoded = base64.b64encode(png_bytes(np.array([[True, False], [True, True]]))).decode()
    shapes = [
        shape("polygon", [[0, 0], [2, 0], [2, 2], [0, 2]]),
        shape("rectangle", [[8, 6], [6, 5]]),
        shape("circle", [[6.5, 1.5], [6.5, 2.4]]),
        shape("mask", [[3, 3], [4, 4]], mask=encoded),
        shape("line", [[0, 0], [5, 5]]),
        shape("polygon", [[0, 5], [-3, 5], [-3, 6], [0, 6]]),
    ]
    (mask,), (skipped,) = parts(format_named("labelme").read(labelme_file(tmp_path / "a.json", shapes)))
    expected = np.zeros((6, 8), np.uint8)
    expected[:2, :2] = expected[5, 6:] = expected[1, 6] = expected[3:5, 3] = expected[4, 4] = 255
    np.testing.assert_array_equal(mask.mask, expected)
    assert mask.image == "pictures/cat/001.jpg"
    assert mask.annotator is None
    assert "line, which encloses nothing" in skipped
    assert "beyond the image" in mask.note


def test_labelme_without_a_size_asks_its_picture(tmp_path):
    data = base64.b64encode(png_bytes(np.full((6, 8), 9, np.uint8))).decode()
    file = labelme_file(tmp_path / "a.json", [], imageHeight=None, imageData=data)
    (mask,), _ = parts(format_named("labelme").read(file))
    assert mask.mask.shape == (6, 8)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"imagePath": "a.jpg"}, "no list named shapes"),
        ({"shapes": [], "imageHeight": 6}, "holds no picture in base64"),
        (
            {"shapes": [], "imageHeight": True, "imageWidth": 8, "imageData": "!"},
            "cannot be read as a picture",
        ),
        ({"shapes": [], "imageHeight": 10**5, "imageWidth": 10**5}, "64 million"),
        ({"shapes": [None], "imageHeight": 6, "imageWidth": 8}, "no shape that encloses"),
        ({"shapes": [shape("mask", [[0, 0], [1, 1]])], "imageHeight": 6, "imageWidth": 8}, "no shape"),
        ({"shapes": [shape("circle", [[0, 0]])], "imageHeight": 6, "imageWidth": 8}, "no shape"),
        ({"shapes": [shape("polygon", [[0, 0, 0]])], "imageHeight": 6, "imageWidth": 8}, "no shape"),
        ({"shapes": [shape("polygon", 5)], "imageHeight": 6, "imageWidth": 8}, "no shape"),
    ],
    ids=["no shapes", "no size", "bad data", "huge", "null", "no mask", "circle", "points", "number"],
)
def test_broken_labelme_is_named_and_the_rest_goes_on(content, words, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(content))
    labelme_file(tmp_path / "b.json", [])
    masks, sentences = parts(format_named("labelme").read(tmp_path))
    assert [mask.source for mask in masks] == [str(tmp_path / "b.json")]
    assert any(words in sentence and "a.json" in sentence for sentence in sentences)


def test_hdf5_of_others_and_its_traps(tmp_path):
    with h5py.File(tmp_path / "elsewhere.h5", "w") as other:
        other["secret"] = np.ones((3, 3), np.uint8)
    path = tmp_path / "masks.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("salience/Ana")
        group["cat%2F001"] = np.array([[0, 1]], np.uint8)
        group["deep/002"] = np.array([[0.0, 1.0]])
        group["third"] = np.array([[0, 70]], np.int32)
        group["out"] = h5py.ExternalLink("elsewhere.h5", "/secret")
        group["soft"] = h5py.SoftLink("/salience/Ana/third")
        group["text"] = "hello"
        group["negative"] = np.array([[-3, 0]])
        group["long"] = np.zeros(5)
        group.create_dataset("huge", shape=(100_000, 100_000), dtype="u1", chunks=(10, 10))
        group.create_dataset("raw", shape=(3, 3), dtype="u1", external=[("elsewhere.h5", 0, 9)])
        layout = h5py.VirtualLayout((3, 3), "u1")
        layout[:] = h5py.VirtualSource("elsewhere.h5", "secret", (3, 3))
        group.create_virtual_dataset("virtual", layout)
    masks, sentences = parts(format_named("hdf5").read(path))
    found = {mask.image: (mask.annotator, mask.mask.tolist()) for mask in masks}
    assert found == {
        "cat/001": ("Ana", [[0, 255]]),
        "deep/002": ("Ana", [[0, 255]]),
        "third": ("Ana", [[0, 70]]),
    }
    for name, words in {
        "out": "is a link",
        "soft": "is a link",
        "text": "has the shape",
        "negative": "values from -3",
        "long": "has the shape",
        "huge": "64 million",
        "raw": "in another file",
        "virtual": "in another file",
    }.items():
        assert any(f"/salience/Ana/{name} " in said and words in said for said in sentences), name
    assert len(sentences) == 8


def test_what_is_no_hdf5_file_with_masks_is_said(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["pixels"] = np.zeros(3)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["salience"] = h5py.ExternalLink("other.h5", "/")
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.create_group("salience")
        file.attrs["format"] = 99
    for name, words in {
        "text": "is no HDF5 file",
        "other": "no group named salience",
        "linked": "no group named salience",
        "newer": "has format 99",
    }.items():
        with pytest.raises(SipError, match=words):
            list(format_named("hdf5").read(tmp_path / f"{name}.h5"))


def test_arrays_of_others(tmp_path):
    read = format_named("numpy").read
    np.savez(tmp_path / "a.npz", **{"cat/001": np.eye(3), "bad": np.zeros(4)})
    masks, sentences = parts(read(tmp_path / "a.npz"))
    assert [(mask.image, mask.mask.sum()) for mask in masks] == [("cat/001", 3 * 255)]
    assert "has the shape (4,)" in sentences[0]
    np.save(tmp_path / "012.npy", np.eye(3, dtype=bool))
    (mask,), _ = parts(read(tmp_path / "012.npy"))
    assert (mask.image, mask.mask.sum()) == ("012", 3 * 255)
    np.save(tmp_path / "stack.npy", np.asfortranarray(np.stack([np.eye(3), np.zeros((3, 3)), np.eye(3) * 5])))
    masks, _ = parts(read(tmp_path / "stack.npy"))
    assert [(mask.image, int(mask.mask.sum())) for mask in masks] == [("0", 765), ("1", 0), ("2", 15)]


def test_pickles_and_broken_arrays_are_refused(tmp_path):
    read = format_named("numpy").read
    trap = tmp_path / "ran"
    evil = type("Evil", (), {"__reduce__": lambda self: (open, (str(trap), "w"))})()
    np.save(tmp_path / "pickled.npy", np.array([evil], object), allow_pickle=True)
    with pytest.raises(SipError, match="pickled objects"):
        list(read(tmp_path / "pickled.npy"))
    np.savez(tmp_path / "pickled.npz", a=np.array([evil], object), b=np.eye(2))
    masks, sentences = parts(read(tmp_path / "pickled.npz"))
    assert [mask.image for mask in masks] == ["b"]
    assert "pickled objects" in sentences[0]
    assert not trap.exists()
    np.save(tmp_path / "whole.npy", np.zeros((50, 60), np.uint8))
    whole = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-100])
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "claims.npy").write_bytes(whole.replace(b"(50, 60)", b"(9**9,)"))
    for name, words in {
        "cut.npy": "cut short",
        "text.npy": "no NumPy array",
        "text.npz": "is no .npz file",
        "claims.npy": "no NumPy array",
    }.items():
        with pytest.raises(SipError, match=words):
            list(read(tmp_path / name))


def test_a_table_of_the_authors(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "1.png").write_bytes(png_bytes(np.array([[0, 255]], np.uint8)))
    (tmp_path / "table.csv").write_text(  # as spreadsheets save it
        "\ufeffimage_path,image_class,salience_map_path,bounding_boxes\n"
        'cat/1.jpg,0,maps/1.png,"[[0,0,1,1]]"\n'
        'cat/2.jpg,0,,"[[1, 2, 3.5, 4], [0, 0, 1, 1]]"\n'
        'cat/3.jpg,0,zeros_img.png,"[[0,0,0,0]]"\n'
        'cat/4.jpg,0,../outside.png,"[]"\n'
        'cat/5.jpg,0,maps/gone.png,"[]"\n'
        'cat/6.jpg,0,,"[[1, 2"\n'
        'cat/7.jpg,0,,"[[1, 2, 3]]"\n'
        'cat/8.jpg,0,,"{}"\n'
        "cat/9.jpg\n",
        newline="\r\n",
    )
    masks, sentences = parts(format_named("csv").read(tmp_path / "table.csv"))
    map_, boxes = masks
    assert isinstance(map_, ForeignMask)
    assert (map_.image, map_.mask.tolist()) == ("cat/1.jpg", [[0, 255]])
    assert isinstance(boxes, ForeignBoxes)
    # columns 1 to 4.5: the pixel whose centre is at 4.5 is outside
    assert np.argwhere(boxes_mask(boxes.boxes[:1], 9, 9)).tolist() == [
        [y, x] for y in range(2, 6) for x in range(1, 4)
    ]
    assert boxes_mask(np.array([1.2, 0.5, 1.4, 9]), 2, 4).tolist() == [[0, 255, 255, 0]] * 2
    assert [re.search(r"Line (\d+)", said)[1] for said in sentences] == ["4", "5", "6", "7", "8", "9", "10"]
    for words in ("no salience", "out of its folder", "not there", "no JSON", "four numbers", "no list"):
        assert any(words in said for said in sentences), words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "no columns image_path"),
        (b"", "no columns image_path"),
        (b"\xff\xfe\xff", "as a table"),
    ],
    ids=["columns", "nothing", "bytes"],
)
def test_a_table_without_its_columns_is_said(content, words, tmp_path):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SipError, match=words):
        list(format_named("csv").read(tmp_path / "t.csv"))


def test_cubs_layout(tmp_path):
    (tmp_path / "segmentations" / "001.Black").mkdir(parents=True)
    png = png_bytes(np.array([[0, 51, 204, 255]], np.uint8))
    (tmp_path / "segmentations" / "001.Black" / "a_1.png").write_bytes(png)
    lines = ["1 001.Black/a_1.jpg", "2 001.Black/b 2.jpg", "3 001.Black/c.jpg", "4 ../../d.jpg"]
    (tmp_path / "images.txt").write_text("\n".join(lines))
    (tmp_path / "bounding_boxes.txt").write_text("1 0 0 1 1\n2 1.0 2.0 3.0 4.0\n3 1 1 -2 2\n")
    assert recognised(tmp_path).key == "cub"
    (mask, boxes), sentences = parts(format_named("cub").read(tmp_path))
    assert (mask.image, mask.mask.tolist()) == ("001.Black/a_1.jpg", [[0, 51, 204, 255]])
    assert (boxes.image, boxes.boxes.tolist()) == ("001.Black/b 2.jpg", [[1, 2, 3, 4]])
    for words in ("The box of image 3", "neither a segmentation nor a box", "out of its folder"):
        assert any(words in said for said in sentences), words


@pytest.mark.parametrize("key", ["cub", "csv"])
def test_one_mask_an_image_where_there_is_room_for_one(key, tmp_path):
    mask = np.zeros((2, 2), np.uint8)
    two = [OutgoingMask("cat/1.jpg", "cat/1", name, mask) for name in ("Ana", "Ben")]
    with pytest.raises(SipError, match="those of Ana and Ben"):
        list(format_named(key).write(tmp_path / "new" / "out", iter(two)))
    assert list((tmp_path / "new").iterdir()) == []  # nothing is left of it


def test_nothing_is_written_outside_of_the_target(tmp_path):
    with pytest.raises(SipError, match="leads out of the folder"):
        place_in(tmp_path / "new" / "out", "../x.png")
    mask = OutgoingMask("../../x.jpg", "../../x", "../Ana", np.zeros((2, 2), np.uint8))
    for key in ("png", "labelme", "cub", "csv", "numpy", "hdf5", "coco"):
        chosen = format_named(key)
        list(chosen.write(tmp_path / "new" / "in" / key / f"out{chosen.suffix}", iter([mask])))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["in"]
    assert sorted(path.name for path in (tmp_path / "new" / "in").iterdir()) == sorted(
        ("png", "labelme", "cub", "csv", "numpy", "hdf5", "coco")
    )
    assert not list((tmp_path / "new" / "in").glob("*/*.png"))


def test_json_beside_photos_is_what_is_read(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "in" / "001.jpg")
    labelme_file(tmp_path / "in" / "001.json", [shape("rectangle", [[0, 0], [2, 0], [2, 2], [0, 2]])])
    assert recognised(tmp_path / "in").key == "labelme"
    (mask,), _ = parts(recognised(tmp_path / "in").read(tmp_path / "in"))
    assert mask.mask.sum() == 4 * 255
    (tmp_path / "in" / "001.json").write_text('{"images": [], "annotations": []}')
    assert recognised(tmp_path / "in").key == "coco"
    assert list(recognised(tmp_path / "in").read(tmp_path / "in")) == []


@pytest.mark.parametrize("name", ["nothing", "a.txt", "empty"])
def test_what_is_no_format_is_said(name, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SipError, match=name):
        recognised(tmp_path / name)
