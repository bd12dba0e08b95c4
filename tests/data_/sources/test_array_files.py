"""npz and HDF5 files as numpy and h5py write them."""

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from sip_explorer.data import PackedImages
from sip_explorer.data.sources import open_source
from sip_explorer.data.sources.listing import Source
from sip_explorer.records import SipError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (12, 7, 6), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (12, 7, 6, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3


def pixels(source: Source) -> np.ndarray:
    return source.arrays.read(np.arange(len(source.images)))


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, values in arrays.items():
                file.create_dataset(name, data=values.astype("S") if values.dtype.kind == "U" else values)
    else:
        (np.savez_compressed if "packed" in path.name else np.savez)(path, **arrays)
    return path


BOTH = pytest.mark.parametrize("name", ["a.npz", "packed.npz", "a.h5"])


@BOTH
@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("images", "labels"), None),
        (("x", "y"), None),
        (("X", "target"), None),
        (("data", "labels"), None),
        (("x_train", "y_train", "x_test", "y_test"), (12, 12)),
        (("train_images", "train_labels", "test_images", "test_labels"), (12, 12)),
        (
            ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"),
            (24, 12),
        ),
    ],
)
def test_names_in_use(tmp_path: Path, name: str, names: tuple[str, ...], split: object) -> None:
    arrays = {one: (RGB if number % 2 == 0 else LABELS) for number, one in enumerate(names)}
    source = open_source(write(tmp_path / name, arrays))
    times = len(names) // 2
    np.testing.assert_array_equal(pixels(source), np.concatenate([RGB] * times))
    assert [image.label for image in source.images] == LABELS.tolist() * times
    tests = [image.test for image in source.images]
    assert tests == [None] * 12 if split is None else (tests.count(False), tests.count(True)) == split
    assert source.classes == ("0", "1", "2")
    assert len({image.name for image in source.images}) == 12 * times
    some = np.array([1, 2, 3, 9])
    np.testing.assert_array_equal(source.arrays.read(some), RGB[some])


@BOTH
@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (GREY, GREY[..., None]),
        (GREY[..., None], GREY[..., None]),
        (GREY[:, None], GREY[..., None]),
        (RGB, RGB),
        (RGB.transpose(0, 3, 1, 2), RGB),
        (RGB / 255, RGB),
        ((RGB / 255).astype(np.float32), RGB),
        ((RGB / 255).astype(np.float16), RGB),
        (np.asfortranarray(RGB), RGB),
        (GREY > 99, np.where(GREY > 99, 255, 0)[..., None]),
    ],
)
def test_layouts_and_types(tmp_path: Path, name: str, stored: np.ndarray, expected: np.ndarray) -> None:
    source = open_source(write(tmp_path / name, {"images": stored, "labels": LABELS}))
    assert source.arrays.shape == expected.shape[1:]
    found = pixels(source)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(source.arrays.read(np.array([3, 11])), expected[[3, 11]])


@BOTH
@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (LABELS[:, None], ("0", "1", "2"), LABELS),
        (LABELS.astype(np.float64), ("0", "1", "2"), LABELS),
        (LABELS.astype(np.uint8), ("0", "1", "2"), LABELS),
        (np.eye(3)[LABELS], ("0", "1", "2"), LABELS),
        (LABELS * 10 + 5, ("5", "15", "25"), LABELS),
        (np.array(["cat", "ape", "dog"])[LABELS], ("ape", "cat", "dog"), np.array([1, 0, 2])[LABELS]),
        (LABELS - 1, ("0", "1"), [None, 0, 1] * 4),  # -1: not known, as in STL-10
    ],
)
def test_labels_as_they_are_stored(
    tmp_path: Path, name: str, labels: np.ndarray, classes: tuple[str, ...], expected: object
) -> None:
    source = open_source(write(tmp_path / name, {"images": GREY, "labels": labels}))
    assert source.classes == classes
    assert [image.label for image in source.images] == list(expected)


@BOTH
def test_class_names_in_the_file(tmp_path: Path, name: str) -> None:
    names = np.array(["ape", "bee", "cat"])
    source = open_source(write(tmp_path / name, {"x": GREY, "y": LABELS, "class_names": names}))
    assert source.classes == ("ape", "bee", "cat")
    short = {"x": GREY, "y": LABELS, "class_names": names[:2]}
    source = open_source(write(tmp_path / name, short))
    assert source.classes == ("0", "1", "2")
    assert "but 2 class names" in source.problems[0]


@BOTH
@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": RANDOM.integers(0, 9, (4, 3, 8, 3), dtype=np.uint8)}, "axis 2 or axis 4"),
        ({"images": RGB[..., :2]}, "no axis has 1 or 3"),
        ({"images": GREY.reshape(12, -1)}, "not images × height"),
        ({"images": GREY.astype(np.int64)}, "int64 values"),
        ({"images": GREY.astype(np.uint16)}, "uint16 values"),
        ({"images": GREY * 1.0}, "not from 0 to 1"),
        ({"images": GREY / -255}, "not from 0 to 1"),
        ({"images": np.full((2, 3, 3), np.nan)}, "not from 0 to 1"),
        ({"images": GREY, "labels": LABELS[:5]}, "5 labels for 12"),
        ({"x_train": GREY, "x_test": RGB}, "several sizes"),
        ({"images": GREY, "x": RGB}, "not clear which"),
        ({"images": GREY, "train_images": GREY}, "not clear which"),
        ({"weights": GREY, "bias": LABELS}, "no array named images"),
    ],
)
def test_one_sentence_for_what_is_not_clear(tmp_path: Path, name: str, arrays: dict, words: str) -> None:
    path = write(tmp_path / name, arrays)
    with pytest.raises(SipError, match=words) as caught:
        pixels(open_source(path))
    assert str(path) in str(caught.value)


@BOTH
def test_labels_that_are_none_leave_the_images_without(tmp_path: Path, name: str) -> None:
    for labels in (np.ones((12, 14)), LABELS + 0.5):
        source = open_source(write(tmp_path / name, {"images": GREY, "labels": labels, "other": LABELS}))
        assert {image.label for image in source.images} == {None}
        assert any("labels were left out" in problem for problem in source.problems)
        assert any("other" in problem for problem in source.problems)


def test_groups_of_an_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for part in ("train", "test"):
            options = {"chunks": (2, 7, 6, 3), "compression": "gzip", "shuffle": True}
            file.create_dataset(f"{part}/images", data=RGB, **options)
            file.create_dataset(f"{part}/labels", data=LABELS)
        texts = h5py.string_dtype()
        file.create_dataset("classes", data=["ä", "b", "c"], dtype=texts)
    source = open_source(tmp_path / "a.h5")
    assert source.classes == ("ä", "b", "c")
    assert [image.test for image in source.images] == [False] * 12 + [True] * 12
    np.testing.assert_array_equal(pixels(source), np.concatenate([RGB, RGB]))
    np.testing.assert_array_equal(source.arrays.read(np.array([0, 11, 12, 23])), RGB[[0, 11, 0, 11]])


def external_link(file: h5py.File, _: Path) -> None:
    file["images"] = h5py.ExternalLink("/etc/hostname", "/x")


def virtual(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = GREY
    layout = h5py.VirtualLayout(GREY.shape, GREY.dtype)
    layout[...] = h5py.VirtualSource(folder / "other.h5", "x", GREY.shape)
    file.create_virtual_dataset("images", layout)


def external_data(file: h5py.File, folder: Path) -> None:
    (folder / "raw").write_bytes(GREY.tobytes())
    file.create_dataset("images", GREY.shape, np.uint8, external=[(str(folder / "raw"), 0, GREY.nbytes)])


def references(file: h5py.File, _: Path) -> None:
    file["a"] = GREY
    file.create_dataset("images", data=[file["a"].ref], dtype=h5py.ref_dtype)


def plugin(file: h5py.File, _: Path) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((2, 7, 6))
    made.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)  # Blosc, which is not part of HDF5
    space = h5py.h5s.create_simple(GREY.shape)
    h5py.h5d.create(file.id, b"images", h5py.h5t.NATIVE_UINT8, space, made)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (external_link, "link to another file"),
        (virtual, "virtual array"),
        (external_data, "values in another file"),
        (references, "references"),
        (plugin, "filter 32001"),
    ],
)
def test_hdf5_that_points_out_of_itself_is_refused(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        make(file, tmp_path)
    with pytest.raises(SipError, match=words) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


def test_groups_in_a_circle_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = GREY
        group = file.create_group("a/b")
        group["up"] = file["a"]
        group["soft"] = h5py.SoftLink("/a")
    assert len(open_source(tmp_path / "a.h5").images) == 12


def test_packed_images_of_ours(tmp_path: Path) -> None:
    masks = np.where(GREY > 99, 255, 0).astype(np.uint8)
    PackedImages.write(
        tmp_path / "i.h5",
        RGB,
        LABELS,
        ("a", "b", "c"),
        name="noise",
        split=np.where(LABELS == 1, "test", "train"),
        segmentations=masks,
        boxes={4: np.array([[1, 2, 3, 4]])},
    )
    source = open_source(tmp_path / "i.h5")
    assert (source.kind, source.name, source.classes) == ("packed images", "noise", ("a", "b", "c"))
    np.testing.assert_array_equal(pixels(source), RGB)
    np.testing.assert_array_equal(source.arrays.segmentations(np.array([2, 7])), masks[[2, 7]])
    assert [image.test for image in source.images] == (LABELS == 1).tolist()
    assert source.images[4].boxes == ((1, 2, 3, 4),)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.4, 0.8, 0.99])
@BOTH
def test_files_cut_short(tmp_path: Path, name: str, share: float) -> None:
    path = write(tmp_path / name, {"images": RGB, "labels": LABELS})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(SipError, match=path.stem):
        pixels(open_source(path))


def test_damage_within_an_archive(tmp_path: Path) -> None:
    path = write(tmp_path / "packed.npz", {"images": RGB, "labels": LABELS})
    data = bytearray(path.read_bytes())
    data[400:420] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(SipError, match=r"packed\.npz"):
        pixels(open_source(path))


def test_nothing_in_an_archive_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", images=np.array([GREY, None], dtype=object))
    with pytest.raises(SipError, match="Python objects"):
        open_source(tmp_path / "o.npz")
    with zipfile.ZipFile(tmp_path / "z.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(SipError, match="no array named images"):
        open_source(tmp_path / "z.npz")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cat/1.png", "x")
    with pytest.raises(SipError, match="unpack it"):
        open_source(tmp_path / "pictures.zip")
    np.save(tmp_path / "one.npy", GREY)
    with pytest.raises(SipError, match="one array without labels"):
        open_source(tmp_path / "one.npy")
