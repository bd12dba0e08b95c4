"""Finding images by plain words: what is typed is read as meant, or refused in a sentence."""

from itertools import pairwise

import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.workspace import SORTS, LibrarySearch, NewImage, Workspace
from sip_explorer.workspace.image_texts import ImageTexts
from sip_explorer.workspace.library_query import Condition, read_query

CLASSES = ("Ankle boot", "Sneaker", "Bag")


@pytest.fixture
def workspace(tmp_path):
    """Twelve linked pictures of three classes and several sizes, the last one without a class."""
    images = [
        NewImage(
            i % 3 if i < 11 else None,
            i % 4 == 0,
            (20 + 10 * i, 30, 1 if i == 5 else 3),
            path=f"shots/IMG_{i}.png",
        )
        for i in range(12)
    ]
    with Workspace.create(tmp_path / "work", "W", CLASSES, images, collections={"few": [7, 2, 5]}) as opened:
        opened.tag_images([1, 2, 3], "hard")
        opened.tag_images([3, 4], "seen at night")
        opened.add_annotator("Ana")
        opened.set_state(6, "Ana", "empty")
        opened.set_state(8, "Ana", "skipped")
        opened.set_check(6, "Ana", "disputed", "Ana")
        yield opened


def found(workspace: Workspace, query: str, **how: object) -> list[int]:
    return LibrarySearch(workspace, "Ana", missing=[9, 10], **how).find(query).tolist()


@pytest.mark.parametrize(
    ("query", "images"),
    [
        ("", list(range(12))),
        ("   ", list(range(12))),
        ("img_1", [1, 10, 11]),
        ("IMG_1 .png", [1, 10, 11]),
        ("boot", [0, 3, 6, 9]),
        ("ankle night", [3]),
        ('"ankle boot"', [0, 3, 6, 9]),
        ("“ankle boot”", [0, 3, 6, 9]),
        ('"ankle bo', [0, 3, 6, 9]),
        ("zebra", []),
        ("class:sneaker", [1, 4, 7, 10]),
        ("class:ank", [0, 3, 6, 9]),
        ('class:"ankle boot",bag', [0, 2, 3, 5, 6, 8, 9]),
        ("-class:sneaker", [0, 2, 3, 5, 6, 8, 9, 11]),
        ("tag:hard", [1, 2, 3]),
        ("tag:hard,night", [1, 2, 3, 4]),
        ("tag:hard tag:night", [3]),
        ("-tag:hard night", [4]),
        ("split:test", [0, 4, 8]),
        ("split:te", [0, 4, 8]),
        ("name:_1", [1, 10, 11]),
        ("size>100", [9, 10, 11]),
        ("height<=30", [0, 1]),
        ("width=30 id<2", [0, 1]),
        ("size=30", [0, 1]),
        ("id>=10", [10, 11]),
        ("id=0", [0]),
        ("-id>0", [0]),
        ("in:few", [2, 5, 7]),
        ("is:missing", [9, 10]),
        ("is:tagged", [1, 2, 3, 4]),
        ("is:untagged id<3", [0]),
        ("is:unlabelled", [11]),
        ("is:grey", [5]),
        ("is:colour id<2", [0, 1]),
        ("state:empty", [6]),
        ("state:disputed", [6]),
        ("state:checked", []),
        ("state:unpainted id>6", [7, 9, 10, 11]),
        ("state:skipped", [8]),
        ("state:unchecked", []),
        ("-boot", [1, 2, 4, 5, 7, 8, 10, 11]),
    ],
)
def test_what_is_typed_is_found(workspace: Workspace, query: str, images: list[int]) -> None:
    assert found(workspace, query) == images


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour:red", "“colour:” means nothing here: use name:, class:, tag:"),
        ("size>big", "is not complete: write pixels as a number"),
        ("size>", "is not complete"),
        ("tag:", "says nothing yet"),
        ("split:", "one of train, test"),
        ("split:validation", "choose train, test"),
        ("state:odd", "choose unpainted"),
        ("is:nice", "choose missing"),
        ("class>3", "compares words: write class:"),
        ("class:zebra", "No class is called “zebra”: there are Ankle boot, Sneaker, Bag"),
        ("tag:zebra", "No tag is called “zebra”"),
        ("in:zebra", "No collection is called “zebra”: there are few"),
    ],
)
def test_what_means_nothing_is_said(workspace: Workspace, query: str, words: str) -> None:
    with pytest.raises(SipError) as error:
        found(workspace, query)
    assert words in str(error.value)


def test_a_name_with_a_colon_is_found_in_quotation_marks(workspace: Workspace) -> None:
    workspace.set_name(2, "scan:7")
    assert found(workspace, '"scan:7"') == [2]
    assert read_query('"a:b"') == (Condition("", ":", ("a:b",)),)
    assert read_query("x -y") == (Condition("", ":", ("x",)), Condition("", ":", ("y",), negated=True))


def test_blind_mode_hides_disputes(workspace: Workspace) -> None:
    with pytest.raises(SipError, match="Blind mode"):
        found(workspace, "state:disputed", blind=True)
    assert found(workspace, "state:unchecked", blind=True) == [6]


def test_missing_files_are_not_guessed(workspace: Workspace) -> None:
    with pytest.raises(SipError, match="still being looked at"):
        LibrarySearch(workspace, "Ana").find("is:missing")


@pytest.mark.parametrize(
    ("sort", "images"),
    [
        ("added", list(range(12))),
        ("name", list(range(12))),  # IMG_2 before IMG_10
        ("class", [0, 3, 6, 9, 2, 5, 8, 1, 4, 7, 10, 11]),
        ("size", list(range(12))),
        ("state", [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 8, 6]),
    ],
)
def test_orders_are_stable_both_ways(workspace: Workspace, sort: str, images: list[int]) -> None:
    search = LibrarySearch(workspace, "Ana")
    assert search.find("", sort).tolist() == images
    keys = dict(zip(search.find("", sort).tolist(), range(12), strict=True))
    down = search.find("", sort, descending=True).tolist()
    assert sorted(down) == list(range(12))
    if sort in ("added", "name", "size"):
        assert down == images[::-1]
    else:  # equal ones stay in the order of their ids
        classes = {"class": workspace.labels(range(12)).tolist(), "state": workspace.dots(range(12), "Ana")}[
            sort
        ]
        for one, two in pairwise(down):
            assert classes[one] != classes[two] or one < two
        assert keys[down[0]] >= keys[down[-1]]
    assert set(SORTS) == {"added", "name", "class", "size", "state"}


def test_an_unknown_order_is_refused(workspace: Workspace) -> None:
    with pytest.raises(SipError, match="choose one of added"):
        LibrarySearch(workspace).find("", "beauty")


def test_names_are_searched_as_python_would() -> None:
    generator = np.random.default_rng(1)
    letters = list("aäb1 ß_.")
    names = ["".join(generator.choice(letters, generator.integers(0, 9))) for _ in range(400)]
    texts = ImageTexts(names)
    for word in ("a", "ä", "ab", "1 ", "ß", "SS", "_.", "b1a", "", "zz", "aäb1 ß_.aaaa"):
        expected = [word.casefold() in name.casefold() for name in names]
        assert texts.having(word).tolist() == expected, word
    assert ImageTexts([]).having("a").tolist() == []
    order = ImageTexts(["img10", "IMG2", "img1", "a"]).ranks.tolist()
    assert order == [3, 2, 1, 0]


def test_an_empty_workspace_finds_nothing(tmp_path) -> None:
    with Workspace.create(tmp_path / "empty", "Empty") as workspace:
        for query in ("", "boot", "size>3", "is:untagged", "state:unpainted", "split:test"):
            assert LibrarySearch(workspace, "Ana", missing=[]).find(query, "name").tolist() == []
