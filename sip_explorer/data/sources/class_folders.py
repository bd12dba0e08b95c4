"""One folder of pictures per class, with or without folders for training and testing above them.

The layout of torchvision's ``ImageFolder``.
"""

from sip_explorer.data.folders import SPLIT_FOLDERS, FolderListing, scan_class_folders
from sip_explorer.data.sources.listing import Source, SourceImage
from sip_explorer.data.sources.sentences import class_note, split_note
from sip_explorer.data.walking import Folder, has_pictures, is_picture_name, look_into
from sip_explorer.records import CancelToken, SipError

_TEST = frozenset({"test", "testing"})
_VALIDATION = frozenset({"val", "valid", "validation"})


def has_splits(folder: Folder) -> bool:
    """Whether the folder holds two or more folders of splits, all with folders in them or pictures."""
    parts = _parts(folder)
    return len(parts) > 1 and any(look_into(folder.path / part).folders for part in parts)


def read_splits(folder: Folder, token: CancelToken) -> Source:
    """List train, test and validation folders of class folders.

    Validation images test where there is no test folder, else they count for training.
    """
    listings: dict[str, FolderListing] = {}
    problems = [
        f"{name} lies beside the folders of the splits and was left out."
        for name in (*folder.folders, *folder.files)
        if name not in _parts(folder)
    ]
    for part in _parts(folder):
        below = look_into(folder.path / part)
        if below.folders:
            listings[part] = scan_class_folders(below.path, least=0, token=token)
            problems += [f"In {part}: {problem}" for problem in listings[part].problems]
        else:
            count = sum(is_picture_name(name) for name in below.files)
            problems.append(
                f"The folder {part} holds no class folders ({count} pictures) and was left out: "
                "import it by itself, without labels."
            )
    classes = tuple(sorted({name for listing in listings.values() for name in listing.classes}))
    if len(classes) < 2:
        raise SipError(
            f"{folder.path} holds the splits {' and '.join(listings)} with fewer than two classes; choose a "
            "folder with one folder of images per class."
        )
    tests = [part for part in listings if part.lower() in _TEST]
    tests = tests or [part for part in listings if part.lower() in _VALIDATION]
    split = bool(tests) and len(tests) < len(listings)
    number = {name: label for label, name in enumerate(classes)}
    images = [
        SourceImage(
            path.relative_to(folder.path).as_posix(),
            number[listing.classes[label]],
            part in tests if split else None,
            path,
        )
        for part, listing in listings.items()
        for path, label in listing.files
    ]
    notes = [*class_note(classes, "the folders"), *split_note(images)]
    joined = [part for part in listings if part.lower() in _VALIDATION and part not in tests]
    notes += [f"The folder {part} counts for training." for part in joined if split]
    return Source(
        "class folders with a split",
        folder.path,
        folder.path.name,
        classes,
        images,
        tuple(notes),
        problems,
    )


def has_classes(folder: Folder) -> bool:
    """Whether two or more folders in this one hold pictures."""
    found = 0
    for name in folder.folders:
        found += has_pictures(folder.path / name)
        if found > 1:
            return True
    return False


def read_classes(folder: Folder, token: CancelToken) -> Source:
    """List one folder of pictures per class."""
    listing = scan_class_folders(folder.path, token=token)
    start = len(str(folder.path / "x")) - 1
    images = [
        SourceImage(str(path)[start:].replace("\\", "/"), label, None, path) for path, label in listing.files
    ]
    return Source(
        "class folders",
        folder.path,
        folder.path.name,
        listing.classes,
        images,
        class_note(listing.classes, "the folders"),
        listing.problems,
    )


def _parts(folder: Folder) -> list[str]:
    """Return the folders of splits, those for training first."""
    order = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1}
    parts = [name for name in folder.folders if name.lower() in SPLIT_FOLDERS]
    return sorted(parts, key=lambda name: (order.get(name.lower(), 2), name))
