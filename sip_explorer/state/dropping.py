"""What a person holds over the window, and what letting go of it will do; found in a few milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from sip_explorer.state.first_look import (
    MODELS,
    PICTURES,
    FolderLook,
    is_checkpoint,
    is_grey,
    json_masks,
    looks_like_set,
    masks_in_arrays,
    read_start,
    table_look,
)
from sip_explorer.state.known_names import KnownNames

Kind = Literal["workspace", "model", "images", "pictures", "masks", "nothing"]

_COMPARED = 24  # names that are compared with those of the workspace
_TABLES = (".csv", ".tsv")
_ARRAYS = (".npz", ".npy", ".h5", ".hdf5")
_OF_A_WORKSPACE = ("workspace.toml", "catalog.sqlite")


@dataclass(frozen=True)
class Dropped:
    """What was recognised.

    Attributes
    ----------
    kind : str
        pictures: single files to add; images: a set of them; masks: salience made elsewhere; nothing:
        none of these, or several at once.
    sentence : str
        What letting go will do; for "nothing" why nothing can be done, and what to do instead.
    paths : tuple of Path
        What to act on.
    other : "images", "masks" or ""
        How else the same files may be meant.
    """

    kind: Kind
    sentence: str
    paths: tuple[Path, ...] = ()
    other: Literal["images", "masks", ""] = ""


@dataclass(frozen=True)
class Into:
    """The open workspace, as far as it can take something: its name and the names of its images."""

    name: str
    knows: KnownNames


def what_is(paths: Sequence[Path], into: Into | None = None) -> Dropped:
    """Return what ``paths`` are, by their names and first bytes; nothing is imported or run.

    Grey pictures, and tables with salience, that are named as images of the open workspace are masks;
    where the names are others they are images.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders that are held together.
    into : Into, optional
        None where no workspace is open, or it cannot be changed.
    """
    if not paths:
        return Dropped("nothing", "These are no files of this computer: save them to a folder first.")
    gone = next((path for path in paths if not path.exists()), None)
    if gone is not None:
        return Dropped("nothing", f"{gone.name} is not there any more: choose another file.")
    found = _one(paths[0], into) if len(paths) == 1 else _several(paths, into)
    return found if found.paths else replace(found, paths=tuple(paths))


def _one(path: Path, into: Into | None) -> Dropped:
    if path.is_dir():
        return _folder(path, into)
    suffix, start = path.suffix.lower(), read_start(path)
    if start is None:
        return Dropped("nothing", f"{path.name} cannot be read: allow reading it.")
    if path.name in _OF_A_WORKSPACE:
        folder = path.resolve().parent
        return Dropped("workspace", f"Open the workspace {folder.name}", (folder,))
    if suffix in PICTURES:
        return _pictures([path], into)
    if is_checkpoint(path, start):
        return _model(path, into)
    if suffix == ".json":
        return _json(path, start, into)
    if suffix in _ARRAYS:
        if into is not None and masks_in_arrays(path, start):
            return Dropped("masks", f"Import {path.name} as salience into {into.name}", other="images")
        return _set(path, "masks" if into is not None else "")
    if suffix in _TABLES:
        return _table(path, into)
    if looks_like_set(path.name, start):
        return _set(path)
    if suffix in MODELS:  # whatever else is in it, the dialogue of models says so in a sentence
        return _model(path, into)
    if suffix == ".zip":
        return Dropped("nothing", f"{path.name} is a packed folder: unpack it and drop what comes out of it.")
    return Dropped(
        "nothing",
        f"{path.name} is no picture, set of images, mask, trained model or workspace that can be read here.",
    )


def _several(paths: Sequence[Path], into: Into | None) -> Dropped:
    if all(path.suffix.lower() in PICTURES and path.is_file() for path in paths):
        return _pictures(paths, into)
    kinds = [_one(path, into).kind for path in islice(paths, _COMPARED)]
    if set(kinds) <= {"images", "pictures"}:
        return Dropped("images", f"Make a workspace of the images in {len(paths):,} folders and files")
    if set(kinds) == {"masks"} and into is not None:
        return Dropped("masks", f"Import {len(paths):,} files as salience into {into.name}", other="images")
    if set(kinds) == {"model"}:
        return Dropped("nothing", "These are several trained models: drop one at a time.")
    return Dropped("nothing", "These are of several kinds: drop one folder or file at a time.")


def _folder(path: Path, into: Into | None) -> Dropped:
    if (path / _OF_A_WORKSPACE[0]).is_file():
        return Dropped("workspace", f"Open the workspace {path.name}")
    look = FolderLook.at(path)
    if look.problem:
        return Dropped("nothing", look.problem)
    if into is not None and look.pictures and not look.layout:
        masks, known = _are_masks(look.pictures, into)
        if masks:
            return _as_masks(f"the masks in the folder {path.name}", into)
        other: Literal["masks", ""] = "masks" if known or look.masks_beside else ""
    else:
        other = "masks" if into is not None and look.masks_beside else ""
    if not (look.pictures or look.layout or look.unfinished):
        if into is not None and (look.masks_beside or look.arrays):
            return _as_masks(f"the masks in the folder {path.name}", into)
        if len(look.models) == 1:
            return replace(_model(look.models[0], into), paths=(look.models[0],))
        return Dropped(
            "nothing", f"The folder {path.name} holds no pictures, images in files, masks or workspace."
        )
    words = "" if look.unfinished else f": {look.words}"
    return Dropped("images", f"Make a workspace of the folder {path.name}{words}", other=other)


def _pictures(paths: Sequence[Path], into: Into | None) -> Dropped:
    what = paths[0].name if len(paths) == 1 else f"{len(paths):,} pictures"
    if into is None:
        return Dropped("images", f"Make a workspace of {what}")
    masks, known = _are_masks(paths, into)
    if masks:
        return _as_masks(what, into)
    return Dropped("pictures", f"Import {what} into {into.name}", other="masks" if known else "")


def _table(path: Path, into: Into | None) -> Dropped:
    salience, names = table_look(path)
    if into is not None and salience and any(into.knows(name) for name in names):
        return _as_masks(f"the salience in {path.name}", into)
    return _set(path, "masks" if into is not None and salience else "")


def _json(path: Path, start: bytes, into: Into | None) -> Dropped:
    if not json_masks(start):
        return Dropped("nothing", f"{path.name} describes no masks: COCO's and labelme's JSON can be read.")
    if into is None:
        return Dropped(
            "nothing", "Masks belong to a workspace that can be changed: open one, then drop them."
        )
    return Dropped("masks", f"Import the masks in {path.name} as salience into {into.name}")


def _set(path: Path, other: Literal["masks", ""] = "") -> Dropped:
    return Dropped("images", f"Make a workspace of the images in {path.name}", other=other)


def _model(path: Path, into: Into | None) -> Dropped:
    if into is None:
        return Dropped(
            "nothing", "A trained model belongs to a workspace that can be changed: open one, then drop it."
        )
    return Dropped("model", f"Add {path.name} as a trained model")


def _as_masks(what: str, into: Into) -> Dropped:
    return Dropped("masks", f"Import {what} as salience into {into.name}", other="images")


def _are_masks(paths: Sequence[Path], into: Into) -> tuple[bool, bool]:
    """Whether pictures are masks (grey, and most of them named as images here); whether they may be."""
    looked = paths[:_COMPARED]
    known = [path for path in looked if into.knows(path.name)]
    if not known:
        return False, False
    grey = is_grey(known[0])
    return grey and len(known) * 2 > len(looked), grey or any(into.knows.by_name(path.name) for path in known)


__all__ = ["Dropped", "Into", "Kind", "what_is"]
