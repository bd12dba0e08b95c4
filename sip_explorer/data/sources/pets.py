"""Oxford-IIIT Pet (Parkhi, Vedaldi, Zisserman, Jawahar 2012): 37 breeds with trimaps and a split.

``annotations/trainval.txt`` and ``test.txt`` have lines ``Breed_name_12 class species number``, classes
from 1; pictures are ``images/Breed_name_12.jpg``, trimaps ``annotations/trimaps/Breed_name_12.png``.
"""

from pathlib import Path

from sip_explorer.data.sources.listing import Source, SourceImage
from sip_explorer.records import SipError


def find_pets(path: Path) -> Source | None:
    """Return the set in ``path``; None where its tables are not there."""
    # torchvision puts the set into a folder of this name below its root.
    for root in (path, path / "oxford-iiit-pet"):
        if (root / "annotations" / "trainval.txt").is_file() and (root / "images").is_dir():
            return _read(root)
    return None


def _read(root: Path) -> Source:
    problems: list[str] = []
    breeds: dict[int, str] = {}
    rows: list[tuple[str, int, bool]] = []
    for table, test in (("trainval.txt", False), ("test.txt", True)):
        for name, label in _lines(root / "annotations" / table, problems):
            breeds.setdefault(label, name.rsplit("_", 1)[0].replace("_", " "))
            rows.append((name, label, test))
    if not rows:
        raise SipError(f"{root} names no image in its annotations; unpack the data set anew.")
    at = {label: place for place, label in enumerate(sorted(breeds))}
    images = []
    for name, label, test in rows:
        trimap = root / "annotations" / "trimaps" / f"{name}.png"
        images.append(
            SourceImage(
                f"{name}.jpg",
                at[label],
                test,
                path=root / "images" / f"{name}.jpg",
                segmentation=trimap if trimap.is_file() else None,
                segmentation_kind="trimap",
            )
        )
    tested = sum(test for *_, test in rows)
    masked = sum(image.segmentation is not None for image in images)
    notes = [f"The official split: {len(rows) - tested:,} images for training, {tested:,} for testing."]
    if masked:
        notes.append(f"{masked:,} trimaps come along; their border counts as the animal.")
    return Source(
        "Oxford-IIIT Pet",
        root,
        root.name,
        tuple(breeds[label] for label in sorted(breeds)),
        images,
        tuple(notes),
        problems,
    )


def _lines(path: Path, problems: list[str]) -> list[tuple[str, int]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}); allow reading it.") from None
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 1 and words[1].isdigit():
            found.append((words[0], int(words[1])))
        else:
            problems.append(f"Line {number} of {path.name} names no image with a class and was left out.")
    return found
