"""Splits, IDX files and folders of class folders."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_explorer.data import read_idx, scan_class_folders, stratified_split
from sip_explorer.records import SipError


@given(
    labels=st.lists(st.integers(0, 4), max_size=80).map(lambda values: np.array(values, dtype=np.int64)),
    fraction=st.floats(0, 0.99),
    seed=st.integers(0, 3),
)
def test_a_split_takes_the_share_of_every_class(labels: np.ndarray, fraction: float, seed: int) -> None:
    held_out = stratified_split(labels, fraction, seed)
    assert held_out.shape == labels.shape
    assert np.array_equal(held_out, stratified_split(labels, fraction, seed))
    for label in np.unique(labels):
        count, taken = (labels == label).sum(), held_out[labels == label].sum()
        assert abs(taken - fraction * count) <= 1
        assert taken < count
        assert taken > 0 or fraction == 0 or count == 1


def test_another_seed_gives_another_split() -> None:
    labels = np.repeat([0, 1], 100)
    assert not np.array_equal(stratified_split(labels, 0.2, 0), stratified_split(labels, 0.2, 1))
    for fraction in (-0.1, 1.0, float("nan")):
        with pytest.raises(SipError, match="share"):
            stratified_split(labels, fraction, 0)


def idx(array: np.ndarray, code: int) -> bytes:
    shape = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("code", "kind"), [(8, ">u1"), (12, ">i4"), (13, ">f4")])
def test_idx_files(tmp_path: Path, pack: object, code: int, kind: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(kind)
    (tmp_path / "a.idx").write_bytes(pack(idx(array, code)))
    found = read_idx(tmp_path / "a.idx")
    assert np.array_equal(found, array)
    assert found.dtype == np.dtype(kind).newbyteorder("=")


WHOLE = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), 8)


@pytest.mark.parametrize(
    "data",
    [
        *(WHOLE[:length] for length in (0, 3, 4, 9, 16, 30)),
        WHOLE + b"x",
        # A fixed time: it stands in the test's name, which every worker must find the same.
        gzip.compress(WHOLE, mtime=0)[:-9],
        gzip.compress(WHOLE, mtime=0)[:5],
        b"\x1f\x8bnot gzip at all",
        b"\0\0\x07\x01" + bytes(8),
        b"\0\0\x08\xff" + b"\xff" * 2000,
        b"\0\0\x08\x65" + b"\0\0\0\1" * 101 + b"x",
        b"text of some length",
    ],
)
def test_a_damaged_idx_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.idx").write_bytes(data)
    with pytest.raises(SipError, match=r"a\.idx"):
        read_idx(tmp_path / "a.idx")


def test_class_folders(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in (
        "dog/2.JPG",
        "dog/1.png",
        "cat/deep/3.webp",
        "cat/notes.txt",
        "cat/.hidden.png",
        "cat/.thumbs/4.png",
        "ant/5.gif",
        "empty/readme.md",
        ".git/6.png",
        "loose.png",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    listing = scan_class_folders(source)
    assert listing.classes == ("ant", "cat", "dog")
    assert [(path.relative_to(source).as_posix(), label) for path, label in listing.files] == [
        ("ant/5.gif", 0),
        ("cat/deep/3.webp", 1),
        ("dog/1.png", 2),
        ("dog/2.JPG", 2),
    ]
    said = " ".join(listing.problems)
    assert len(listing.problems) == 4
    assert all(name in said for name in ("notes.txt", "readme.md", "folder empty", "loose.png"))


def test_a_folder_without_classes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "dog").mkdir(parents=True)
    with pytest.raises(SipError, match="no class folders"):
        scan_class_folders(source)
    (source / "dog" / "1.png").touch()
    with pytest.raises(SipError, match="only the class dog"):
        scan_class_folders(source)
    with pytest.raises(SipError, match="is no folder"):
        scan_class_folders(tmp_path / "none")
    with pytest.raises(SipError, match="is no folder"):
        scan_class_folders(source / "dog" / "1.png")


def test_folders_of_splits_are_not_taken_for_classes(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "source" / part / name).mkdir(parents=True)
            (tmp_path / "source" / part / name / "1.png").touch()
    with pytest.raises(SipError, match="the splits test and train"):
        scan_class_folders(tmp_path / "source")
    assert scan_class_folders(tmp_path / "source" / "train").classes == ("cat", "dog")
