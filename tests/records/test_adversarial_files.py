import pickle
import zipfile

import h5py
import numpy as np
import pytest
import torch

from sip_explorer.records import SipError
from sip_explorer.records.adversarial import (
    AdversarialImages,
    described_origin,
    read_adversarial,
    write_adversarial,
)

SHAPE = (3, 5, 4)
IMAGES = np.random.default_rng(0).random((6, *SHAPE), np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def _set(**changes) -> AdversarialImages:
    values = dict(
        images=IMAGES,
        labels=LABELS,
        indices=np.arange(40, 46),
        origin=described_origin(model="Ää", attack="PGD", epsilon=8 / 255, norm="linf", note="first"),
    )
    return AdversarialImages(**(values | changes))


@pytest.mark.parametrize("ending", ["h5", "hdf5"])
def test_a_file_of_ours_is_read_as_it_was_written(tmp_path, ending):
    path = tmp_path / "new" / f"a.{ending}"
    write_adversarial(path, _set())

    found = read_adversarial(path)

    assert found.images.dtype == np.float32
    np.testing.assert_array_equal(found.images, IMAGES)
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.indices, np.arange(40, 46))
    assert found.origin == _set().origin
    assert found.origin["epsilon"] == repr(8 / 255)
    assert set(found.origin) >= {"model", "attack", "norm", "note", "sip_explorer", "torch", "numpy"}
    assert [path.name for path in path.parent.iterdir()] == [path.name]


def test_what_is_not_known_is_left_out(tmp_path):
    write_adversarial(tmp_path / "a.h5", AdversarialImages(IMAGES))

    found = read_adversarial(tmp_path / "a.h5")

    assert found.labels is found.indices is None
    assert found.origin == {}


def test_an_array_file_holds_the_images_alone(tmp_path):
    write_adversarial(tmp_path / "a.npy", _set())

    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), IMAGES)
    found = read_adversarial(tmp_path / "a.npy", indices=range(6))
    assert found.labels is None
    assert found.indices.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_failed_write_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "a.h5"
    write_adversarial(path, _set())
    with pytest.raises(TypeError):
        write_adversarial(path, _set(origin={"model": object()}))

    assert read_adversarial(path).origin["model"] == "Ää"
    assert len(list(tmp_path.glob("*.h5"))) == len(list(tmp_path.glob(".*.tmp"))) + 1
    with pytest.raises(SipError, match=r"a\.png: choose a name that ends in \.h5 or \.npy"):
        write_adversarial(tmp_path / "a.png", _set())


def _save(path, content):
    if path.suffix == ".npy":
        np.save(path, content)
    elif path.suffix == ".npz":
        np.savez_compressed(path, **content)
    elif path.suffix in (".pt", ".pth"):
        torch.save(content, path)
    else:
        with h5py.File(path, "w") as file:
            for name, values in content.items():
                file[name] = values
    return path


LAST = IMAGES.transpose(0, 2, 3, 1)
TENSOR, CLASSES = torch.from_numpy(IMAGES), torch.from_numpy(LABELS)
FOREIGN = {
    "first.npy": (IMAGES, None),
    "last.npy": (LAST, None),
    "fortran.npy": (np.asfortranarray(IMAGES), None),
    "big-endian.npy": (IMAGES.astype(">f4"), None),
    "float64.npy": (IMAGES.astype(np.float64), None),
    "one.npz": ({"x_adv": LAST, "y": LABELS.astype(np.uint8)}, LABELS),
    "named.npz": ({"clean": IMAGES * 0, "images": IMAGES, "labels": LABELS}, LABELS),
    "bare.pt": (TENSOR, None),
    "strided.pt": (torch.from_numpy(LAST.copy()).permute(0, 3, 1, 2), None),
    "pair.pth": ((TENSOR, CLASSES), LABELS),
    "dict.pt": ({"epsilon": 0.1, "images": TENSOR, "targets": CLASSES.int()}, LABELS),
    "autoattack.pth": ({"adv_complete": TENSOR}, None),
    "autoattack-answers.pth": ({"adv_complete": (TENSOR, CLASSES)}, None),  # the model's answers, no classes
    "only.h5": ({"adv": LAST, "label": LABELS}, LABELS),
    "named.hdf5": ({"images": IMAGES, "clean": IMAGES}, None),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("shape", [SHAPE, None])
def test_files_made_elsewhere_are_understood(tmp_path, name, shape):
    content, labels = FOREIGN[name]

    found = read_adversarial(_save(tmp_path / name, content), shape=shape, indices=range(6))

    np.testing.assert_array_equal(found.images, IMAGES)
    assert found.images.flags.c_contiguous
    np.testing.assert_array_equal(found.labels, labels)


@pytest.mark.parametrize("name", ["a.npy", "a.pt", "a.h5"])
def test_bytes_are_levels_of_255(tmp_path, name):
    levels = np.arange(2 * 60, dtype=np.uint8).reshape(2, *SHAPE) * 2
    content = {"a.npy": levels, "a.pt": torch.from_numpy(levels), "a.h5": {"images": levels}}[name]

    found = read_adversarial(_save(tmp_path / name, content))

    np.testing.assert_array_equal(found.images, levels.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_widened(tmp_path, dtype):
    half = TENSOR.to(dtype)

    found = read_adversarial(_save(tmp_path / "a.pt", half))

    np.testing.assert_array_equal(found.images, half.float().numpy())


def test_what_rounding_left_outside_is_clipped(tmp_path):
    images = IMAGES.copy()
    images[0, 0, 0, 0], images[1, 0, 0, 0] = 1.0000005, -0.0000005

    found = read_adversarial(_save(tmp_path / "a.npy", images))

    assert found.images[0, 0, 0, 0] == 1
    assert found.images[1, 0, 0, 0] == 0


def test_the_order_of_the_originals_is_kept_by_their_ids(tmp_path):
    write_adversarial(tmp_path / "a.h5", _set(indices=np.array([9, 4, 7, 5, 6, 3])))

    found = read_adversarial(tmp_path / "a.h5", indices=[4, 3, 9])

    np.testing.assert_array_equal(found.images, IMAGES[[1, 5, 0]])
    np.testing.assert_array_equal(found.labels, LABELS[[1, 5, 0]])
    assert found.indices.tolist() == [4, 3, 9]
    for wanted in ([4, 8, 10], [8, 11]):
        with pytest.raises(SipError, match=r"a\.h5 holds nothing for image 8 and 1 more"):
            read_adversarial(tmp_path / "a.h5", indices=wanted)


WRONG = {
    "count.npy": (IMAGES[:4], "holds 4 images and the originals are 6"),
    "shape.npy": (IMAGES[:, :, :4], r"images of shape \(3, 4, 4\) where 3 × 5 × 4, channels first or last"),
    "flat.npy": (IMAGES[0], r"holds no images: .* there is \(3, 5, 4\)"),
    "empty.npy": (IMAGES[:, :, :0], "holds no pixels"),
    "nan.npy": (np.where(IMAGES[4, 1, 2, 3] == IMAGES, np.nan, IMAGES), "NaN or infinity.*first in image 4"),
    "infinite.npy": (np.where(IMAGES[2, 1, 2, 3] == IMAGES, np.inf, IMAGES), "first in image 2"),
    "levels.npy": (IMAGES * 255, r"from 0\.\d+ to 25\d.* divide them by 255"),
    "normalised.npy": (IMAGES * 4 - 2, r"from -1\.9\d* to 1\.9\d* .* undo the normalisation"),
    "above.npy": (IMAGES * 1.02, "clip what lies outside"),
    "whole.npy": ((IMAGES * 255).astype(np.int64), "holds images as int64"),
    "objects.npy": (np.array([{}, IMAGES], object), "pickled objects, which could run code"),
    "two.npz": ({"a": IMAGES, "b": IMAGES}, r"several sets of images \(a, b\)"),
    "labels.npz": ({"y": LABELS}, r"there is \(6,\)"),
    "two.pt": ({"apgd-ce": TENSOR, "apgd-t": TENSOR}, r"several sets of images \(apgd-ce, apgd-t\)"),
    "nothing.pt": ({"epsilon": 0.1}, "there is nothing"),
    "expanded.pt": (torch.zeros(1).expand(10**9, *SHAPE), "holds 1000000000 images and the originals are 6"),
    "model.pt": (torch.nn.Linear(2, 2), "pickled objects, which could run code"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_file_is_named_in_one_sentence(tmp_path, name):
    content, sentence = WRONG[name]
    path = tmp_path / name
    if name == "objects.npy":
        np.save(path, content, allow_pickle=True)
    else:
        _save(path, content)

    with pytest.raises(SipError, match=sentence) as error:
        read_adversarial(path, shape=SHAPE, indices=range(6))

    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", ["npy", "npz", "pt", "pth", "h5", "hdf5"])
def test_a_damaged_file_is_named(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    contents = {"npy": IMAGES, "npz": {"a": IMAGES}, "pt": TENSOR, "pth": TENSOR}
    whole = _save(path, contents.get(ending, {"images": IMAGES})).read_bytes()

    for damaged in (b"", b"no such file at all", whole[: len(whole) // 2], whole[:60]):
        path.write_bytes(damaged)
        with pytest.raises(SipError, match=rf"a\.{ending} (cannot be read|is cut short)"):
            read_adversarial(path)


def test_what_is_no_such_file_is_named(tmp_path):
    with pytest.raises(SipError, match=r"gone\.npy is no file that is there"):
        read_adversarial(tmp_path / "gone.npy")
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(SipError, match=r"a\.png ends in \.png"):
        read_adversarial(tmp_path / "a.png")
    (tmp_path / "a.npy").write_bytes(pickle.dumps(IMAGES))
    with pytest.raises(SipError, match=r"a\.npy holds pickled objects"):
        read_adversarial(tmp_path / "a.npy")


def test_a_shape_that_can_be_read_two_ways_is_asked_about(tmp_path):
    path = _save(tmp_path / "a.npy", np.zeros((2, 3, 8, 3), np.float32))
    with pytest.raises(
        SipError, match=r"shape \(3, 8, 3\), which can be read with the channels first or last"
    ):
        read_adversarial(path)
    assert read_adversarial(path, shape=(3, 8, 3)).images.shape == (2, 3, 8, 3)
    path = _save(tmp_path / "b.npy", np.zeros((2, 3, 3, 3), np.float32))
    with pytest.raises(SipError, match="channels first or last"):
        read_adversarial(path, shape=(3, 3, 3))
    write_adversarial(tmp_path / "ours.h5", AdversarialImages(np.zeros((2, 3, 8, 3), np.float32)))
    assert read_adversarial(tmp_path / "ours.h5").images.shape == (2, 3, 8, 3)
    path = _save(tmp_path / "c.npy", np.zeros((2, 8, 8, 4), np.float32))
    with pytest.raises(SipError, match="where one or three channels are needed"):
        read_adversarial(path)


@pytest.mark.parametrize("kind", ["soft", "external", "external storage", "virtual"])
def test_a_file_that_leads_to_another_is_refused(tmp_path, kind):
    path, other = tmp_path / "a.h5", _save(tmp_path / "b.h5", {"images": IMAGES})
    with h5py.File(path, "w") as file:
        if kind == "soft":
            file["images"] = h5py.SoftLink("/elsewhere")
        elif kind == "external":
            file["images"] = h5py.ExternalLink(str(other), "/images")
        elif kind == "external storage":
            (tmp_path / "raw").write_bytes(IMAGES.tobytes())
            file.create_dataset(
                "images", IMAGES.shape, "f4", external=[(str(tmp_path / "raw"), 0, IMAGES.nbytes)]
            )
        else:
            layout = h5py.VirtualLayout(IMAGES.shape, "f4")
            layout[:] = h5py.VirtualSource(str(other), "images", IMAGES.shape)
            file.create_virtual_dataset("images", layout)

    with pytest.raises(
        SipError, match=r"a\.h5 (leads elsewhere|keeps images in another file).*copy the data"
    ):
        read_adversarial(path)


@pytest.mark.parametrize("name", ["a.h5", "a.npy", "a.npz", "a.pt"])
def test_absurd_sizes_are_refused_before_reading(tmp_path, name):
    # A few kilobytes on disk that claim 400 terabytes.
    path, shape = tmp_path / name, (10**10, 3, 64, 64)
    header = (
        b"\x93NUMPY\x01\x00\x76\x00"
        + f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117)
        + b"\n"
    )
    if name == "a.h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("images", shape, "f4", chunks=(1, 3, 64, 64), compression="gzip")
    elif name == "a.npy":
        path.write_bytes(header)
    elif name == "a.npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", header)
    else:
        torch.save(torch.zeros(1).expand(shape), path)

    with pytest.raises(
        SipError, match="holds 10000000000 images of 12288 values, more than are read at once"
    ):
        read_adversarial(path)


def test_a_compressed_torch_file_is_refused(tmp_path):
    _save(tmp_path / "a.pt", TENSOR)
    with zipfile.ZipFile(tmp_path / "a.pt") as plain, zipfile.ZipFile(tmp_path / "b.pt", "w", 8) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))

    with pytest.raises(SipError, match=r"is compressed, as torch\.save never does"):
        read_adversarial(tmp_path / "b.pt")


def test_a_newer_file_of_ours_is_refused(tmp_path):
    write_adversarial(tmp_path / "a.h5", _set())
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.attrs["format"] = 99

    with pytest.raises(SipError, match="newer version"):
        read_adversarial(tmp_path / "a.h5")


def test_foreign_attributes_are_origin_where_they_are_short_texts_or_numbers(tmp_path):
    path = _save(tmp_path / "a.h5", {"images": IMAGES})
    with h5py.File(path, "a") as file:
        file.attrs.update({"attack": "square", "epsilon": 0.1, "table": np.zeros(100), "format": "theirs"})

    assert read_adversarial(path).origin == {"attack": "square", "epsilon": "0.1"}
