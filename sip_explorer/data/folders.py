"""Folders of class folders."""

from dataclasses import dataclass
from pathlib import Path

from sip_explorer.data.images import IMAGE_SUFFIXES
from sip_explorer.records import SipError

_SPLITS = {"train", "training", "test", "val", "valid", "validation"}


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


def scan_class_folders(folder: Path | str) -> FolderListing:
    """List the images of a folder with one folder of images per class; no image is opened.

    Images in folders below a class folder count for that class; names that begin with a dot are
    passed over.

    Raises
    ------
    SipError
        If ``folder`` is no folder or holds fewer than two classes.
    """
    folder = Path(folder)
    try:
        below = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    except OSError as error:
        raise SipError(
            f"{folder} is no folder that can be read; choose a folder of class folders."
        ) from error
    classes: list[str] = []
    files: list[tuple[Path, int]] = []
    problems: list[str] = []
    for child in below:
        if not child.is_dir():
            problems.append(f"{child.name} lies beside the class folders and was left out.")
            continue
        images: list[Path] = []
        for path in sorted(child.rglob("*")):
            if path.is_dir() or any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue
            if path.suffix.lower() in IMAGE_SUFFIXES:
                images.append(path)
            else:
                problems.append(f"{path.relative_to(folder)} is no image file and was left out.")
        if images:
            files += [(path, len(classes)) for path in images]
            classes.append(child.name)
        else:
            problems.append(f"The folder {child.name} holds no images and was left out.")
    if classes and {name.lower() for name in classes} <= _SPLITS:
        raise SipError(
            f"{folder} holds the splits {' and '.join(classes)}, not classes; choose one of these folders."
        )
    if len(classes) < 2:
        found = f"only the class {classes[0]}" if classes else "no class folders with images"
        raise SipError(f"{folder} holds {found}; choose a folder with one folder of images per class.")
    return FolderListing(tuple(classes), files, problems)
