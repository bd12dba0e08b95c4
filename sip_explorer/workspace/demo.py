"""The demo workspace: a writable copy in the user's data folder, made at the first start."""

import hashlib
import importlib.resources
import json
import lzma
import os
import shutil
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError, write_bytes, write_text
from sip_explorer.workspace.creation import fill_workspace, packed_rows
from sip_explorer.workspace.folders import building
from sip_explorer.workspace.manifest import NAME as MANIFEST
from sip_explorer.workspace.manifest import Reference
from sip_explorer.workspace.models import SUFFIXES
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.pictures import PACKED, pixels_digest

SMALL_SET = "small set"
PHOTOS = "photos"
"""The collection, and the folder in the demo data and in the workspace."""
_SMALL_SET_IMAGES = 400
_SHIPPED = "demo.json"  # which models this copy was given, so that one thrown away does not come back
_PATIENCE_SECONDS = 60.0
_PACKED = ".xz"
_PHOTOS_GIVEN = "photos/"  # among the names of what a copy was given
_CIFAR10 = Reference("cifar10-resnet18 (pyautoattack)", "pyautoattack", "examples/model_test.pt")


def user_data_folder() -> Path:
    """Return where the program keeps its own workspaces; SIP_EXPLORER_DATA in the environment moves it."""
    moved = os.environ.get("SIP_EXPLORER_DATA")
    if moved:
        return Path(moved).absolute()
    from platformdirs import user_data_path

    return user_data_path("sip-explorer", appauthor=False)


def demo_resources() -> Path:
    """Return the folder of demo data: in the installed package, else in the checkout.

    Raises
    ------
    SipError
        If it is in neither.
    """
    package = Path(str(importlib.resources.files("sip_explorer")))
    for folder in (package / "resources" / "demo", package.parent / "resources" / "demo"):
        if (folder / PACKED).is_file():
            return folder
    raise SipError("The demo data are not in this installation: install SIP Explorer anew.")


def open_demo(user_data_dir: Path | str | None = None, *, resources: Path | None = None) -> Path:
    """Return the demo workspace, made if it is not there; nothing in it is ever overwritten.

    Models that a newer program ships beside those of the copy are added to it.

    Parameters
    ----------
    user_data_dir : path, optional
        `user_data_folder` if None.
    resources : path, optional
        `demo_resources` if None.

    Raises
    ------
    SipError
        If the demo data are missing or the folder cannot be written.
    """
    target = (user_data_folder() if user_data_dir is None else Path(user_data_dir).absolute()) / "demo"
    source = demo_resources() if resources is None else resources
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise SipError(f"{target} is damaged (it holds no {MANIFEST}): move it away and start again.")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (target / MANIFEST).is_file():
        try:
            _make(source, target)
        except SipError:
            # Another start of the program may be making it at this moment; what else it is, is said.
            if not target.with_name(f".{target.name}.building").exists() or time.monotonic() > deadline:
                if (target / MANIFEST).is_file():
                    break
                raise
            time.sleep(0.1)
    _add_new_models(source, target)
    _add_photos(source, target)
    return target


def _make(source: Path, target: Path) -> None:
    from sip_explorer.data import PackedImages

    with PackedImages.open(source / PACKED) as packed, building(target) as folder:
        test = packed.split == "test"
        collections = dict(packed.collections)
        if SMALL_SET not in collections:
            collections[SMALL_SET] = small_set(packed.labels, test)
        photos = _copied_photos(source, folder)
        if photos:
            collections[PHOTOS] = np.arange(len(packed), len(packed) + len(photos))
        fill_workspace(
            folder,
            "Demo",
            packed.classes,
            [*packed_rows(packed.labels, test, packed.shape), *photos],
            packed=source / PACKED,
            collections=collections,
            references=(_CIFAR10,),
        )
        _add_new_models(source, folder)


def _copied_photos(source: Path, folder: Path) -> list[NewImage]:
    """Copy the shipped photos into the workspace; they are of none of its classes, and for no training."""
    from sip_explorer.data import read_image

    photos = []
    for path in sorted((source / PHOTOS).glob("*.*")):
        (folder / PHOTOS).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / PHOTOS / path.name)
        pixels = read_image(path)
        height, width, channels = pixels.shape
        photos.append(
            NewImage(
                None,
                True,
                (height, width, channels),
                path=f"{PHOTOS}/{path.name}",
                digest=pixels_digest(pixels),
            )
        )
    return photos


def _add_photos(source: Path, target: Path) -> None:
    """Give a copy that an older program made the photos; one that is open elsewhere gets them later."""
    if (target / PHOTOS).is_dir() or _PHOTOS_GIVEN in _given(target) or not (source / PHOTOS).is_dir():
        return
    from sip_explorer.workspace.importing import add_images
    from sip_explorer.workspace.workspace import Workspace

    with Workspace.open(target) as workspace:
        if workspace.read_only:
            return
        if PHOTOS not in workspace.collections():
            before = len(workspace.image_ids())
            for _ in add_images(workspace, source / PHOTOS, copy=True, collection=PHOTOS):
                pass
            workspace.set_split(workspace.image_ids()[before:], "test")  # they are for no training
    write_text(target / _SHIPPED, json.dumps({"models": {**_given(target), _PHOTOS_GIVEN: ""}}, indent=1))


def small_set(labels: NDArray[np.integer], test: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return 400 training images, as many of each class, drawn with seed 0, in ascending order."""
    generator = np.random.default_rng(0)
    classes = np.unique(labels)
    drawn = [
        generator.permutation(np.flatnonzero((labels == label) & ~test))[: _SMALL_SET_IMAGES // len(classes)]
        for label in classes
    ]
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def _add_new_models(source: Path, workspace: Path) -> None:
    """Copy the shipped models that this copy was never given; those in .xz are unpacked."""
    shipped = {path.name.removesuffix(_PACKED): path for path in sorted((source / "models").glob("*"))}
    given = _given(workspace)
    new = [name for name in shipped if Path(name).suffix in SUFFIXES and name not in given]
    if not new:
        return
    try:
        for name in new:
            content = shipped[name].read_bytes()
            if shipped[name].suffix == _PACKED:
                content = lzma.decompress(content)
            target = workspace / "models" / name
            if not target.exists():
                write_bytes(target, content)
            given[name] = hashlib.sha256(content).hexdigest()
        write_text(workspace / _SHIPPED, json.dumps({"models": given}, indent=1))
    except OSError as error:
        if workspace.name.endswith(".building"):
            raise SipError(f"The demo cannot be copied to {workspace.parent} ({error.strerror}).") from None
        # A copy that cannot be written any more is still good to look at.


def _given(workspace: Path) -> dict[str, str]:
    try:
        stored = json.loads((workspace / _SHIPPED).read_text(encoding="utf-8"))["models"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(digest) for name, digest in dict(stored).items()}
