"""Pictures with a table, and the SIP-AT authors' table."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sip_explorer.data.sources import open_source, read_segmentation
from sip_explorer.records import SipError


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        path = root / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 5, 3), 9, np.uint8)).save(path)
    return root / "set"


def listed(path: Path) -> list[tuple[str, str | None, bool | None]]:
    source = open_source(path)
    return [
        (image.name, None if image.label is None else source.classes[image.label], image.test)
        for image in source.images
    ]


@pytest.mark.parametrize("chosen", ["folder", "file"])
@pytest.mark.parametrize(
    ("heading", "delimiter", "encoding"),
    [
        (("file", "label", "split"), ",", "utf-8"),
        (("Filename", "Class", "SET"), ";", "utf-8-sig"),
        (("image path", "category", "subset"), "\t", "latin-1"),
        (("Path", "class_name", "partition"), "|", "utf-16"),
    ],
)
def test_headings_delimiters_encodings(
    tmp_path: Path, heading: tuple[str, ...], delimiter: str, encoding: str, chosen: str
) -> None:
    folder = folder_of(tmp_path, "images/a.png", "images/b.png", "images/c.png")
    rows = [
        ("images/b.png", "Käfer", "test"),
        ("images/a.png", "bee, wild", "train"),
        ("images/c.png", "", "train"),
    ]
    with open(folder / "labels.csv", "w", encoding=encoding, newline="") as file:
        table = csv.writer(file, delimiter=delimiter)
        table.writerows([heading, *rows])
    assert listed(folder if chosen == "folder" else folder / "labels.csv") == [
        ("images/b.png", "Käfer", True),
        ("images/a.png", "bee, wild", False),
        ("images/c.png", None, False),
    ]
    assert open_source(folder).kind == "pictures with a table"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("a.jpg", "deep/a.jpg"),
        ("a", "deep/a.jpg"),
        ("deep\\a.jpg", "deep/a.jpg"),
        ("./deep/a.jpg", "deep/a.jpg"),
        ("/home/her/set/deep/a.jpg", "deep/a.jpg"),
        ("b.jpg", None),  # two of them
        ("x/b.jpg", "x/b.jpg"),
        ("../secret.png", None),
        ("nothing.png", None),
    ],
)
def test_how_tables_call_a_picture(tmp_path: Path, given: str, found: str | None) -> None:
    folder = folder_of(tmp_path, "deep/a.jpg", "x/b.jpg", "y/b.jpg", "other.jpg", "../secret.png")
    (folder / "t.csv").write_text(f"image,label\n{given},cat\nother.jpg,dog\n")
    source = open_source(folder)
    assert [image.name for image in source.images] == [*([found] if found else []), "other.jpg"]
    said = "\n".join(source.problems)
    assert ("Line 2 of t.csv" in said) == (found is None)
    assert "not in t.csv" in said


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *(f"{n}.png" for n in range(4)))
    (folder / "t.csv").write_text("id,label\n0,10\n1,9\n2,2\n3,10\n")
    source = open_source(folder)
    assert source.classes == ("2", "9", "10")
    assert [image.label for image in source.images] == [2, 1, 0, 2]


@pytest.mark.parametrize(
    ("heading", "words", "expected"),
    [
        ("split", ("train", "val", "train"), [False, True, False]),
        ("split", ("train", "val", "test"), [False, False, True]),
        ("is_test", ("0", "1", "0"), [False, True, False]),
        ("is_training_image", ("1", "0", "1"), [False, True, False]),
        ("split", ("a", "b", ""), [None, None, None]),
    ],
)
def test_words_for_the_split(
    tmp_path: Path, heading: str, words: tuple[str, ...], expected: list[bool | None]
) -> None:
    folder = folder_of(tmp_path, "0.png", "1.png", "2.png")
    rows = "".join(f"{n}.png,x,{word}\n" for n, word in enumerate(words))
    (folder / "t.csv").write_text(f"file,label,{heading}\n{rows}")
    assert [test for *_, test in listed(folder)] == expected


def test_a_table_beside_class_folders_that_names_no_labels_is_passed_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "cat/1.png", "dog/1.png")
    (folder / "t.csv").write_text("camera,date\nx,y\n")
    source = open_source(folder)
    assert source.kind == "class folders"
    with pytest.raises(SipError, match="columns camera, date"):
        open_source(folder / "t.csv")


def test_a_table_that_fits_nothing(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1.png")
    (folder / "t.csv").write_text("file,label\nx.png,1\n")
    with pytest.raises(SipError, match="names 1 pictures, none of which"):
        open_source(folder / "t.csv")
    (folder / "t.csv").write_text("file,label\n1.png,1\n1.png,2\n1.png,1\n")
    source = open_source(folder)
    assert listed(folder) == [("1.png", "1", None)]
    assert ["again with another label" in problem for problem in source.problems] == [True]
    (folder / "t.csv").write_bytes(b"")
    with pytest.raises(SipError, match="the columns nothing"):
        open_source(folder / "t.csv")
    (folder / "t.csv").write_bytes(b'file,label\n\0\xff\xfe,"open quote\n')
    with pytest.raises(SipError):
        open_source(folder / "t.csv")


def authors(folder: Path, rows: list[tuple[str, str, str, str]]) -> Path:
    with open(folder / "salience.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image_path", "image_class", "salience_map_path", "bounding_boxes"))
        table.writerows(rows)
    return folder


@pytest.mark.parametrize("chosen", ["", "salience.csv"])
def test_the_authors_table(tmp_path: Path, chosen: str) -> None:
    names = ("images/a.png", "images/b.png", "images/c.png", "images/d.png")
    folder = folder_of(tmp_path, *names, "maps/a.png", "zeros_img.png")
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3] = 255
    Image.fromarray(mask).save(folder / "maps" / "a.png")
    authors(
        folder,
        [
            ("images/a.png", "bird", "maps/a.png", json.dumps([[0, 1, 5, 2]])),
            ("images/b.png", "ant", "zeros_img.png", json.dumps([[0.5, 1.2, 2.0, 2.0], [1, 1, 1, 1]])),
            ("images/c.png", "bird", "maps/none.png", "[[1, 2, 3]]"),
            ("images/none.png", "bird", "", ""),
            ("images/d.png", "bird", "", "no json"),
        ],
    )
    source = open_source(folder / chosen)
    assert source.kind == "the SIP-AT authors' table"
    assert source.classes == ("ant", "bird")
    a, b, c, d = source.images
    np.testing.assert_array_equal(read_segmentation(a.segmentation, a.segmentation_kind), mask)
    assert (a.boxes, a.label, b.label) == (((0, 1, 5, 2),), 1, 0)
    assert (b.segmentation, b.boxes) == (None, ((0, 1, 3, 3), (1, 1, 1, 1)))
    assert (c.boxes, c.segmentation, d.boxes) == ((), None, ())
    said = "\n".join(source.problems)
    for words in ("Line 4", "none.png, which is not there", "Line 5", "Line 6 of salience.csv has boxes"):
        assert words in said
    assert "Object masks of 1 images." in source.notes


def test_an_authors_table_without_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(SipError, match="names no picture that lies beside it"):
        open_source(authors(tmp_path / "set", [("a.png", "x", "", "")]))
