"""The demo: copied once, completed by newer programs, never overwritten."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy_workspaces import CLASSES, paint, toy_images

from sip_explorer.data import PackedImages
from sip_explorer.records import SipError
from sip_explorer.workspace import Workspace, open_demo


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Return demo data of 60 images and two models, as a program would ship them."""
    folder = tmp_path / "shipped"
    split = np.where(np.arange(60) % 5 == 4, "test", "train")
    folder.mkdir()
    PackedImages.write(folder / "images.h5", toy_images(60, 8), np.arange(60) % 3, CLASSES, split=split)
    (folder / "models").mkdir()
    (folder / "models" / "standard.safetensors").write_bytes(b"standard")
    (folder / "models" / "sip-at.safetensors").write_bytes(b"sip-at")
    return folder


def test_the_real_demo_opens_with_its_small_set(user_folders: Path) -> None:
    path = open_demo()
    assert path == user_folders / "demo"
    with Workspace.open(path) as workspace:
        assert len(workspace.classes) == 10
        assert len(workspace.image_ids("train")) == 12_000
        tests = workspace.image_ids("test")
        assert np.count_nonzero(workspace.labels(tests) >= 0) == 2_000
        photos = workspace.image_ids(collection="photos")
        assert workspace.labels(photos).tolist() == [-1] * 4, "they are of none of the ten classes"
        names = {workspace.image_name(image): workspace.image(image).shape for image in photos.tolist()}
        assert names == {
            "astronaut.jpg": (512, 512, 3),
            "chelsea.jpg": (300, 451, 3),
            "coffee.jpg": (400, 600, 3),
            "rocket.jpg": (427, 640, 3),
        }
        few = workspace.image_ids("train", collection="small set")
        assert np.bincount(workspace.labels(few)).tolist() == [40] * 10
        assert workspace.images(few[:3]).shape == (3, 28, 28, 1)
        assert "cifar10-resnet18 (pyautoattack)" in [entry.name for entry in workspace.models()]
        assert workspace.notices() == []
        assert not workspace.read_only


def test_a_second_start_finds_the_work_of_the_first(user_folders: Path, shipped: Path) -> None:
    path = open_demo(resources=shipped)
    mask = np.zeros((8, 8), np.uint8)
    with Workspace.open(path) as workspace:
        assert len(workspace.image_ids(collection="small set")) == 48, "all that 60 images can give"
        workspace.add_annotator("Ada")
        workspace.commit_stroke(2, "Ada", paint(mask, (1, 1, 5, 5), 255), "brush")
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert open_demo(resources=shipped) == path
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    with Workspace.open(path) as workspace:
        np.testing.assert_array_equal(workspace.mask(2, "Ada"), mask)


def test_newer_models_are_added_and_nothing_else_is_touched(user_folders: Path, shipped: Path) -> None:
    models = open_demo(resources=shipped) / "models"
    (models / "standard.safetensors").unlink()  # thrown away by the person
    (models / "sip-at.safetensors").write_bytes(b"trained further by the person")
    (models / "theirs.safetensors").write_bytes(b"theirs")
    (shipped / "models" / "sip-at.safetensors").write_bytes(b"newer")
    (shipped / "models" / "flow.safetensors").write_bytes(b"flow")
    (shipped / "models" / "theirs.safetensors").write_bytes(b"another of that name")
    open_demo(resources=shipped)
    assert {file.name: file.read_bytes() for file in models.iterdir()} == {
        "sip-at.safetensors": b"trained further by the person",
        "theirs.safetensors": b"theirs",
        "flow.safetensors": b"flow",
    }


def test_two_first_starts_at_once_make_one_demo(user_folders: Path, shipped: Path) -> None:
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(open_demo(resources=shipped))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [user_folders / "demo"] * 4
    assert [path.name for path in user_folders.iterdir()] == ["demo"]
    with Workspace.open(paths[0]) as workspace:
        assert len(workspace.image_ids()) == 60
        assert len(workspace.models()) == 3


def test_a_damaged_copy_or_installation_is_named(user_folders: Path, shipped: Path) -> None:
    (user_folders / "demo").mkdir()
    (user_folders / "demo" / "letter.txt").write_text("dear diary")
    with pytest.raises(SipError, match="move it away"):
        open_demo(resources=shipped)
    (shipped / "images.h5").write_bytes(b"torn")
    with pytest.raises(SipError, match=r"images\.h5"):
        open_demo(user_folders / "elsewhere", resources=shipped)
    assert not (user_folders / "elsewhere" / "demo").exists()


def test_listing_a_workspace_never_imports_torch(user_folders: Path) -> None:
    program = (
        "import sys\n"
        "from sip_explorer.workspace import Workspace, open_demo\n"
        "with Workspace.open(open_demo()) as w:\n"
        "    few = w.image_ids(collection='small set')\n"
        "    w.images(few), w.thumbnail(few[0]), w.models(), w.add_annotator('Ada'), w.states(few, 'Ada')\n"
        "print('torch' in sys.modules, 'PySide6' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_copy_of_an_older_program_is_given_the_photos_once(user_folders: Path, shipped: Path) -> None:
    path = open_demo(resources=shipped)
    with Workspace.open(path) as workspace:
        assert "photos" not in workspace.collections()
        ids = workspace.image_ids().tolist()
    (shipped / "photos").mkdir()
    for number in range(2):
        pixels = np.full((40, 60, 3), 90 + number, np.uint8)
        Image.fromarray(pixels).save(shipped / "photos" / f"{number}.png")
    assert open_demo(resources=shipped) == path
    with Workspace.open(path) as workspace:
        photos = workspace.image_ids("test", collection="photos")
        assert workspace.labels(photos).tolist() == [-1, -1]
        assert workspace.image_ids().tolist() == [*ids, *photos.tolist()]
        assert workspace.image(int(photos[1]))[0, 0].tolist() == [91, 91, 91]
    shutil.rmtree(shipped / "photos")
    open_demo(resources=shipped)
    with Workspace.open(path) as workspace:
        assert len(workspace.images(workspace.image_ids(collection="photos"))) == 2, "they are copies"
