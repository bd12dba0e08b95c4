"""Making a workspace: all of it under another name, then one rename."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError, atomic_path
from sip_explorer.workspace.catalogue import create_catalogue
from sip_explorer.workspace.folders import building
from sip_explorer.workspace.image_access import insert_collection
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.manifest import Manifest, Reference, write_manifest
from sip_explorer.workspace.new_images import NewImage, insert_images
from sip_explorer.workspace.pictures import PACKED, Pixels


def create_workspace(
    target: Path,
    name: str,
    classes: Sequence[str],
    images: Iterable[NewImage],
    *,
    packed: Path | None = None,
    collections: Mapping[str, Ids] | None = None,
    references: tuple[Reference, ...] = (),
) -> None:
    """Make a workspace at ``target`` (new or empty); see `Workspace.create`."""
    with building(target) as folder:
        fill_workspace(
            folder, name, classes, images, packed=packed, collections=collections, references=references
        )


def fill_workspace(
    folder: Path,
    name: str,
    classes: Sequence[str],
    images: Iterable[NewImage],
    *,
    packed: Path | None = None,
    collections: Mapping[str, Ids] | None = None,
    references: tuple[Reference, ...] = (),
) -> None:
    """Write the files of a workspace into ``folder``, which `building` made.

    ``packed`` may be the ``images.h5`` that stands there already; another file is copied.
    """
    if not name.strip():
        raise SipError("The workspace has no name: type one.")
    if packed is not None and packed != folder / PACKED:
        with atomic_path(folder / PACKED) as temporary:
            shutil.copyfile(packed, temporary)
    with closing(create_catalogue(folder)) as catalogue:
        catalogue.execute("BEGIN")
        catalogue.executemany("INSERT INTO classes (label, name) VALUES (?, ?)", enumerate(classes))
        insert_images(catalogue, 0, list(images))
        for collection, ids in (collections or {}).items():
            insert_collection(catalogue, collection, ids)
        catalogue.execute("COMMIT")
    source = "linked" if packed is None else "packed"
    write_manifest(folder, Manifest(name.strip(), source, references))


@contextmanager
def packed_copy(
    images: Pixels, labels: NDArray[np.integer], classes: Sequence[str], test: NDArray[np.bool_] | None
) -> Iterator[tuple[Path, list[NewImage]]]:
    """Yield a packed file of ``images`` (uint8 NHWC), gone afterwards, and its rows."""
    from sip_explorer.data import PackedImages

    held_out = np.zeros(len(images), bool) if test is None else test
    with tempfile.TemporaryDirectory(prefix="sip-explorer-") as folder:
        path = Path(folder) / PACKED
        PackedImages.write(path, images, labels, classes, split=np.where(held_out, "test", "train"))
        with PackedImages.open(path) as packed:
            listed = packed_rows(packed.labels, packed.split == "test", packed.shape)
        yield path, listed


def packed_rows(
    labels: NDArray[np.integer], test: NDArray[np.bool_], shape: tuple[int, int, int]
) -> list[NewImage]:
    """Return one `NewImage` per row of a packed file."""
    pairs = enumerate(zip(labels.tolist(), test.tolist(), strict=True))
    return [NewImage(label, held_out, shape, position=row) for row, (label, held_out) in pairs]
