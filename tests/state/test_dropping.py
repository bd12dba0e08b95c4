"""What dropped files are, by names and first bytes."""

import gzip
import io
import json
import pickle
import tarfile
import time

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from sip_explorer.state.dropping import Into, what_is
from sip_explorer.state.known_names import KnownNames

INTO = Into("Pets", KnownNames(["cat/tom.jpg", "Dr. Who.png", "image 7"]))


def picture(path, mode="RGB", side=12):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (side, side)).save(path)
    return path


def class_folders(root, *, count=2):
    for name in ("cat", "dog", "emu"):
        for number in range(count):
            picture(root / name / f"{name}{number}.jpg")
    return root


def cub(root):
    picture(root / "images" / "001.Crow" / "a.jpg")
    for name in ("images", "classes", "image_class_labels"):
        (root / f"{name}.txt").write_text("1 001.Crow\n")
    return root


def made_workspace(root):
    root.mkdir()
    (root / "workspace.toml").write_text("")
    return root


def labelme(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": "5", "shapes": [], "imagePath": "tom.jpg"}))
    return path


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda at: made_workspace(at / "mine"), "workspace", "Open the workspace mine"),
        (lambda at: made_workspace(at / "mine") / "workspace.toml", "workspace", "Open the workspace mine"),
        (
            lambda at: class_folders(at / "pets"),
            "images",
            "Make a workspace of the folder pets: 3 folders of",
        ),
        (lambda at: cub(at / "birds"), "images", "the folder birds: CUB-200-2011"),
        (lambda at: picture(at / "photo.jpg"), "pictures", "Import photo.jpg into Pets"),
        (lambda at: picture(at / "mine" / "a.png").parent, "images", "the folder mine: pictures"),
        (lambda at: labelme(at / "tom.json"), "masks", "Import the masks in tom.json as salience into Pets"),
        (lambda at: labelme(at / "json" / "tom.json").parent, "masks", "the masks in the folder json"),
        (lambda at: picture(at / "tom.png", "L"), "masks", "Import tom.png as salience into Pets"),
        (lambda at: picture(at / "tom.jpg.png", "1"), "masks", "Import tom.jpg.png as salience"),
        (lambda at: picture(at / "0007.png", "L"), "masks", "as salience into Pets"),
        (lambda at: picture(at / "tom.png"), "pictures", "Import tom.png into Pets"),
        (lambda at: picture(at / "jerry.png", "L"), "pictures", "Import jerry.png into Pets"),
        (
            lambda at: picture(at / "m" / "ana" / "cat" / "tom.png", "L").parents[2],
            "masks",
            "the masks in the folder m as salience",
        ),
    ],
)
def test_folders_and_pictures(make, kind, words, tmp_path):
    found = what_is([make(tmp_path)], INTO)
    assert found.kind == kind
    assert words in found.sentence


def save_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def save_h5(path, name):
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=np.zeros((2, 4, 4), np.uint8))
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def torch_file(path, content=None, **options):
    torch.save(content or {"fc.weight": torch.zeros(2, 3)}, path, **options)
    return path


def tar_of(path, mode):
    with tarfile.open(path, mode) as archive:
        entry = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        archive.addfile(entry, io.BytesIO(b""))
    return path


def tensors(path):
    save_file({"fc.weight": torch.zeros(2, 3)}, path)
    return path


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda at: torch_file(at / "net.pt"), "model"),
        (lambda at: torch_file(at / "net.pth.tar"), "model"),
        (lambda at: torch_file(at / "net"), "model"),
        (lambda at: torch_file(at / "old.bin", _use_new_zipfile_serialization=False), "model"),
        (lambda at: tensors(at / "net.safetensors"), "model"),
        (lambda at: tensors(at / "weights.dat"), "model"),
        (lambda at: written(at / "page.pt", b"<html>not found</html>"), "model"),
        (lambda at: written(at / "raw.bin", b"\0" * 600), "nothing"),
        (lambda at: written(at / "notes.txt", b"buy milk"), "nothing"),
        (lambda at: written(at / "config.json", b'{"depth": 3}'), "nothing"),
        (lambda at: save_npz(at / "a.npz", x_train=np.zeros((2, 4, 4)), y_train=np.zeros(2)), "images"),
        (lambda at: save_npz(at / "a.npz", images=np.zeros((2, 4, 4)), labels=np.zeros(2)), "images"),
        (lambda at: save_npz(at / "a.npz", **{"cat/tom": np.zeros((4, 4))}), "masks"),
        (lambda at: save_h5(at / "a.h5", "images"), "images"),
        (lambda at: save_h5(at / "a.h5", "salience/Ana/tom"), "masks"),
        (lambda at: written(at / "t10k-images-idx3-ubyte.gz", gzip.compress(b"\0\0\x08\x03")), "images"),
        (lambda at: written(at / "data_batch_1", pickle.dumps({b"data": 0}, 2)), "images"),
        (lambda at: tar_of(at / "cifar-10-python.tar.gz", "w:gz"), "images"),
        (lambda at: tar_of(at / "plain.tar", "w"), "images"),
        (lambda at: written(at / "a.csv", b"image_path,image_class\na.png,cat\n"), "images"),
        (
            lambda at: written(
                at / "a.csv", b"image_path,image_class,salience_map_path\ncat/tom.jpg,cat,s.png\n"
            ),
            "masks",
        ),
        (lambda at: at / "gone.png", "nothing"),
    ],
)
def test_files(make, kind, tmp_path):
    found = what_is([make(tmp_path)], INTO)
    assert found.kind == kind, found.sentence
    assert found.sentence.endswith(".") == (kind == "nothing")


def test_several_at_once(tmp_path):
    photos = [picture(tmp_path / f"{name}.jpg") for name in "abc"]
    assert what_is(photos, INTO).sentence == "Import 3 pictures into Pets"
    assert what_is(photos).sentence == "Make a workspace of 3 pictures"
    model = torch_file(tmp_path / "net.pt")
    assert what_is([*photos, model], INTO).kind == "nothing"
    assert "one at a time" in what_is([model, model], INTO).sentence
    folders = [class_folders(tmp_path / name) for name in ("one", "two")]
    assert what_is(folders, INTO).kind == "images"


def test_without_a_workspace_models_and_masks_have_no_place(tmp_path):
    for path in (torch_file(tmp_path / "net.pt"), labelme(tmp_path / "tom.json")):
        found = what_is([path])
        assert found.kind == "nothing"
        assert "open one" in found.sentence
    assert what_is([class_folders(tmp_path / "pets")]).kind == "images"


def test_what_may_be_meant_otherwise_is_offered(tmp_path):
    assert what_is([picture(tmp_path / "tom.png", "L")], INTO).other == "images"
    assert what_is([picture(tmp_path / "tom.jpg")], INTO).other == "masks"  # a photo of that name
    assert what_is([picture(tmp_path / "new.jpg")], INTO).other == ""
    assert what_is([picture(tmp_path / "7.jpg")], INTO).other == ""  # any set has a number 7


def test_names_are_compared_as_people_write_them():
    knows = INTO.knows
    for name in ("tom.png", "TOM.JPG", "x/y/tom.png", "tom~12.png", "dr. who.jpg", "image_7.png", "7.png"):
        assert knows(name), name
    for name in ("tim.png", "tom2.png", "8.png", ""):
        assert not knows(name), name


def test_a_folder_of_many_is_known_at_once(tmp_path):
    for number in range(60):
        (tmp_path / "set" / f"class{number}").mkdir(parents=True)
        for place in range(50):
            (tmp_path / "set" / f"class{number}" / f"{place}.png").touch()
    began = time.perf_counter()
    found = what_is([tmp_path / "set"])
    took = time.perf_counter() - began
    assert "60 folders of pictures" in found.sentence
    assert took < 0.5  # 40 ms is its own limit for folders; the rest is for a busy machine


def test_a_folder_that_takes_too_long_is_taken_for_images(tmp_path, monkeypatch):
    class_folders(tmp_path / "train" / "pets")
    monkeypatch.setattr("sip_explorer.state.first_look.BUDGET", 0.0)
    found = what_is([tmp_path])
    assert (found.kind, found.sentence) == ("images", f"Make a workspace of the folder {tmp_path.name}")


def test_a_model_alone_in_a_folder(tmp_path):
    (tmp_path / "hub").mkdir()
    model = tensors(tmp_path / "hub" / "model.safetensors")
    (tmp_path / "hub" / "config.json").write_text("{}")
    found = what_is([tmp_path / "hub"], INTO)
    assert (found.kind, found.paths) == ("model", (model,))
