"""Folders of class folders."""

import os
from dataclasses import dataclass
from pathlib import Path

from sip_explorer.data.walking import find_pictures, look_into
from sip_explorer.records import CancelToken, SipError

SPLIT_FOLDERS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})


@dataclass(frozen=True)
class FolderListing:
    """What a folder of class folders holds.

    Attributes
    ----------
    classes : tuple of str
        The names of the folders with images, sorted; a label is an index into it.
    files : list of (Path, int)
        Every image file with its label, in the order of the names.
    problems : list of str
        One sentence for each thing that was left out.
    """

    classes: tuple[str, ...]
    files: list[tuple[Path, int]]
    problems: list[str]


def scan_class_folders(
    folder: Path | str, *, least: int = 2, token: CancelToken | None = None
) -> FolderListing:
    """List the images of a folder with one folder of images per class; no image is opened.

    Images in folders below a class folder count for that class; names that begin with a dot are
    passed over. ``least`` is the number of classes that there must be.

    Raises
    ------
    SipError
        If ``folder`` is no folder or holds fewer classes.
    """
    try:
        below = look_into(folder)
    except SipError as error:
        raise SipError(
            f"{folder} is no folder that can be read; choose a folder of class folders."
        ) from error
    classes: list[str] = []
    files: list[tuple[Path, int]] = []
    problems = [f"{name} lies beside the class folders and was left out." for name in below.files]
    for name in below.folders:
        images, left_out = find_pictures(below.path, name, token)
        problems += left_out
        if images:
            root = f"{below.path}{os.sep}"  # joining texts is far faster than joining paths
            files += [(Path(root + image), len(classes)) for image in images]
            classes.append(name)
        else:
            problems.append(f"The folder {name} holds no images and was left out.")
    if classes and {name.lower() for name in classes} <= SPLIT_FOLDERS:
        raise SipError(
            f"{folder} holds the splits {' and '.join(classes)}, not classes; choose one of these folders."
        )
    if len(classes) < least:
        found = f"only the class {classes[0]}" if classes else "no class folders with images"
        raise SipError(f"{folder} holds {found}; choose a folder with one folder of images per class.")
    return FolderListing(tuple(classes), files, problems)
