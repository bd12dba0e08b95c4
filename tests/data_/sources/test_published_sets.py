"""Published sets: what torchvision's own classes read from the same files, element for element."""

import gzip
import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from sip_explorer.data import read_image
from sip_explorer.data.sources import open_source, read_segmentation
from sip_explorer.data.sources.listing import Source
from sip_explorer.records import SipError

RANDOM = np.random.default_rng(0)


def pixels(source: Source) -> np.ndarray:
    return source.arrays.read(np.arange(len(source.images)))


def labels(source: Source, test: bool) -> list[int]:
    return [image.label for image in source.images if image.test is test]


# torchvision compares checksums of the published files before it reads; these were written here, so
# only that comparison is left out. What reads them is torchvision's own code.
class Cifar10(datasets.CIFAR10):
    def _check_integrity(self) -> bool:
        return True


class Cifar100(datasets.CIFAR100):
    def _check_integrity(self) -> bool:
        return True


def write_cifar(root: Path, hundred: bool = False) -> Path:
    folder = root / ("cifar-100-python" if hundred else "cifar-10-batches-py")
    folder.mkdir(parents=True)
    count = 100 if hundred else 10
    names = [("train", 30), ("test", 12)] if hundred else [(f"data_batch_{n}", 7) for n in range(1, 6)]
    for name, size in [*names, *([] if hundred else [("test_batch", 9)])]:
        batch = {
            "data": RANDOM.integers(0, 256, (size, 3072), dtype=np.uint8),
            "fine_labels" if hundred else "labels": RANDOM.integers(0, count, size).tolist(),
            "filenames": [f"{n}.png" for n in range(size)],
        }
        if hundred:
            batch["coarse_labels"] = [0] * size
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    key = "fine_label_names" if hundred else "label_names"
    meta = {key: [f"thing {n}" for n in range(count)], "num_vis": 3072}
    (folder / ("meta" if hundred else "batches.meta")).write_bytes(pickle.dumps(meta, protocol=2))
    return folder


def unchecked(dataset: type, folder: Path) -> type:
    """Return the class with the checksum of the names file that was written."""
    digest = hashlib.md5((folder / dataset.meta["filename"]).read_bytes()).hexdigest()
    return type("Unchecked", (dataset,), {"meta": {**dataset.meta, "md5": digest}})


@pytest.mark.parametrize("hundred", [False, True])
@pytest.mark.parametrize("chosen", ["root", "folder", "file", "archive", "root of archive"])
def test_cifar(tmp_path: Path, hundred: bool, chosen: str) -> None:
    folder = write_cifar(tmp_path / "root", hundred)
    path = {
        "root": tmp_path / "root",
        "folder": folder,
        "file": folder / ("train" if hundred else "test_batch"),
    }
    archive = tmp_path / "packed" / f"{folder.name}.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    path |= {"archive": archive, "root of archive": archive.parent}
    source = open_source(path[chosen])
    kind = unchecked(Cifar100 if hundred else Cifar10, folder)
    parts = [kind(tmp_path / "root", train=train) for train in (True, False)]
    np.testing.assert_array_equal(pixels(source), np.concatenate([part.data for part in parts]))
    for part, test in zip(parts, (False, True), strict=True):
        assert labels(source, test) == list(part.targets)
    assert list(source.classes) == parts[0].classes
    assert source.kind == ("CIFAR-100" if hundred else "CIFAR-10")
    assert source.problems == []
    assert "Its own split" in " ".join(source.notes)


@pytest.mark.parametrize("protocol", range(6))
def test_batches_of_every_pickle_protocol(tmp_path: Path, protocol: int) -> None:
    folder = write_cifar(tmp_path)
    before = pixels(open_source(folder))
    for file in folder.iterdir():
        file.write_bytes(pickle.dumps(pickle.loads(file.read_bytes()), protocol=protocol))
    np.testing.assert_array_equal(pixels(open_source(folder)), before)


def test_a_batch_as_python_2_wrote_it(tmp_path: Path) -> None:
    folder = write_cifar(tmp_path)
    values = np.arange(2 * 3072, dtype=np.uint8).reshape(2, 3072)
    # Python 2's str is protocol 2's BINSTRING, byte for byte as the published files have it.
    text = values.tobytes()
    batch = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + len(text).to_bytes(4, "little") + text + b"tb"
        b"U\x06labelsq\x08]q\x09(K\x03K\x05eu."
    )
    (folder / "test_batch").write_bytes(batch)
    entry = pickle.loads(batch, encoding="latin1")
    np.testing.assert_array_equal(entry["data"], values)
    source = open_source(folder)
    np.testing.assert_array_equal(pixels(source)[-2:], values.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert labels(source, True) == [3, 5]


class Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (self.path, "w"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "which could run code"),
        (b"", "cannot be read"),
        (b"\x80\x02", "cannot be read"),
        (pickle.dumps([1, 2]), "no batch of images"),
        (pickle.dumps({"data": "text", "labels": [1]}), "no images of 32"),
        (pickle.dumps({"data": np.zeros((2, 3071), np.uint8), "labels": [1, 2]}), "no images of 32"),
        (pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}), "one label an image"),
        (pickle.dumps({"data": np.zeros((2, 3072)), "labels": [1, 2]}), "no images of 32"),
        (pickle.dumps({"data": np.zeros((1, 3072), object), "labels": [1]}), "cannot be read"),
        (b"<html>not found</html>", "cannot be read"),
    ],
)
def test_a_batch_that_is_none_is_refused_and_runs_nothing(
    tmp_path: Path, data: bytes | None, words: str
) -> None:
    folder = write_cifar(tmp_path / "set")
    trace = tmp_path / "ran"
    (folder / "data_batch_2").write_bytes(pickle.dumps(Evil(str(trace))) if data is None else data)
    with pytest.raises(SipError, match=words) as caught:
        open_source(folder)
    assert "data_batch_2" in str(caught.value)
    assert not trace.exists()


def test_a_missing_batch_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    folder = write_cifar(tmp_path)
    (folder / "data_batch_3").unlink()
    (folder / "batches.meta").unlink()
    source = open_source(folder)
    assert len(source.images) == 4 * 7 + 9
    assert "data_batch_3 is missing" in source.problems[0]
    assert "batches.meta is missing" in source.problems[1]


def idx(array: np.ndarray, code: int = 8) -> bytes:
    shape = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


def write_mnist(raw: Path, prefix: str = "", *, packed: bool = False, classes: int = 10) -> None:
    raw.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 20), ("t10k" if not prefix else "test", 8)):
        images = RANDOM.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        numbers = RANDOM.integers(1, classes, count, dtype=np.uint8)
        for name, data in (("images-idx3", images), ("labels-idx1", numbers)):
            path = raw / f"{prefix}{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(idx(data), mtime=0) if packed else idx(data))


@pytest.mark.parametrize("kind", [datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST])
@pytest.mark.parametrize("packed", [False, True])
def test_the_mnist_family(tmp_path: Path, kind: type, packed: bool) -> None:
    raw = tmp_path / kind.__name__ / "raw"
    write_mnist(raw, packed=packed)
    sources = [open_source(path) for path in (tmp_path, raw.parent, raw, min(raw.glob("t10k-images*")))]
    for path in raw.glob("*.gz"):  # torchvision reads what it unpacked
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    parts = [kind(tmp_path, train=train) for train in (True, False)]
    for source in sources:
        expected = np.concatenate([part.data.numpy() for part in parts])[..., None]
        np.testing.assert_array_equal(pixels(source), expected)
        for part, test in zip(parts, (False, True), strict=True):
            assert labels(source, test) == part.targets.tolist()
        named = [name.split(" - ")[0] for name in parts[0].classes]  # torchvision: "0 - zero"
        assert list(source.classes) == named
        some = np.array([0, 5, 6, 19, 20, 27])
        np.testing.assert_array_equal(source.arrays.read(some), expected[some])
        np.testing.assert_array_equal(source.arrays.read(some[:2]), expected[some[:2]])  # and back


@pytest.mark.parametrize("split", ["balanced", "letters", "digits", "byclass"])
def test_emnist(tmp_path: Path, split: str) -> None:
    raw = tmp_path / "EMNIST" / "raw"
    for name in ("balanced", "letters", "digits", "byclass"):
        write_mnist(raw, f"emnist-{name}-")
    parts = [datasets.EMNIST(tmp_path, split=split, train=train) for train in (True, False)]
    source = open_source(raw / f"emnist-{split}-train-images-idx3-ubyte")
    np.testing.assert_array_equal(
        pixels(source)[..., 0], np.concatenate([part.data.numpy() for part in parts])
    )
    assert labels(source, False) == parts[0].targets.tolist()
    assert list(source.classes) == parts[0].classes
    whole = open_source(tmp_path)
    assert whole.name == "EMNIST balanced"
    assert any("emnist-letters" in note for note in whole.notes)


def test_qmnist(tmp_path: Path) -> None:
    write_mnist(tmp_path, "qmnist-")
    (tmp_path / "qmnist-test-labels-idx1-ubyte").unlink()
    numbers = (np.arange(8 * 8).reshape(8, 8) % 10).astype(">i4")
    (tmp_path / "qmnist-test-labels-idx2-int").write_bytes(idx(numbers, 12))
    assert labels(open_source(tmp_path), True) == numbers[:, 0].tolist()


def test_idx_files_with_something_missing(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "train-images.idx3-ubyte")
    source = open_source(tmp_path)
    assert labels(source, True) == [None] * 8
    assert None not in labels(source, False)
    assert "no file of labels" in source.problems[0]
    with pytest.raises(SipError, match="choose the file of the images"):
        open_source(tmp_path / "train-labels-idx1-ubyte")


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_cut_short(tmp_path: Path, packed: bool) -> None:
    write_mnist(tmp_path, packed=packed)
    path = min(tmp_path.glob("train-images*"))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SipError, match="train-images"):
        pixels(open_source(tmp_path))


def write_pets(base: Path) -> None:
    for name in ("images", "annotations/trimaps", "annotations/xmls"):
        (base / name).mkdir(parents=True)
    tables = {"trainval": [], "test": []}
    for number, breed in enumerate(["Abyssinian", "american_bulldog", "Bengal"], start=1):
        for at in range(1, 5):
            name = f"{breed}_{at}"
            noise = RANDOM.integers(0, 256, (12, 9, 3), dtype=np.uint8)
            Image.fromarray(noise).save(base / "images" / f"{name}.jpg")
            trimap = RANDOM.integers(1, 4, (12, 9), dtype=np.uint8)
            Image.fromarray(trimap).save(base / "annotations" / "trimaps" / f"{name}.png")
            tables["trainval" if at < 3 else "test"].append(f"{name} {number} 1 {at}")
    for table, lines in tables.items():
        (base / "annotations" / f"{table}.txt").write_text("\n".join(lines) + "\n")
    sides = "<xmin>2</xmin><ymin>1</ymin><xmax>8</xmax><ymax>11</ymax>"
    head = f"<annotation><object><bndbox>{sides}</bndbox></object>"
    (base / "annotations" / "xmls" / "Bengal_1.xml").write_text(head + "</annotation>")
    (base / "annotations" / "list.txt").write_text(
        "#Image CLASS-ID SPECIES BREED ID\n" + "\n".join(tables["trainval"] + tables["test"])
    )


def test_oxford_pets(tmp_path: Path) -> None:
    write_pets(tmp_path / "oxford-iiit-pet")
    source = open_source(tmp_path)
    assert source.kind == "Oxford-IIIT Pet"
    assert source.classes == ("Abyssinian", "American Bulldog", "Bengal")
    for split, test in (("trainval", False), ("test", True)):
        theirs = datasets.OxfordIIITPet(tmp_path, split=split, target_types=["category", "segmentation"])
        ours = [image for image in source.images if image.test is test]
        assert len(ours) == len(theirs) == 6
        assert list(source.classes) == theirs.classes
        for image, (picture, (label, trimap)) in zip(ours, theirs, strict=True):
            assert image.label == label
            np.testing.assert_array_equal(read_image(image.path), np.asarray(picture))
            mask = read_segmentation(image.segmentation, image.segmentation_kind)
            np.testing.assert_array_equal(mask, np.where(np.asarray(trimap) == 2, 0, 255))
    assert {image.name: image.boxes for image in source.images}["Bengal_1.jpg"] == ((2, 1, 6, 10),)
    assert source.problems == []


def test_oxford_pets_with_something_missing(tmp_path: Path) -> None:
    write_pets(tmp_path)
    (tmp_path / "images" / "Bengal_2.jpg").unlink()
    (tmp_path / "annotations" / "trimaps" / "Bengal_3.png").unlink()
    for name in ("trainval", "test"):
        (tmp_path / "annotations" / f"{name}.txt").unlink()
    source = open_source(tmp_path)
    assert {image.test for image in source.images} == {None}
    assert ["Bengal_2" in problem for problem in source.problems] == [True]
    assert [image.name for image in source.images if image.segmentation is None] == ["Bengal_3.jpg"]
    Image.fromarray(np.full((4, 4), 7, np.uint8)).save(tmp_path / "seven.png")
    with pytest.raises(SipError, match="no trimap"):
        read_segmentation(tmp_path / "seven.png", "trimap")
