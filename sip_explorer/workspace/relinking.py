"""Pictures that are no longer where the catalogue says, found again by name and content."""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sip_explorer.records import CancelToken, SipError
from sip_explorer.workspace.given_salience import GivenSalience
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.pictures import pixels_digest

_PART = 2000


@dataclass(frozen=True)
class Relinked:
    """What became of the missing pictures: how many were found, how many still miss.

    ``refused``: one sentence for each whose name was found on other pictures only. ``masks`` and
    ``missing_masks`` count the files of object masks that came with the pictures.
    """

    found: int
    missing: int
    refused: list[str]
    masks: int = 0
    missing_masks: int = 0


class Relinking(GivenSalience):
    """The part of `Workspace` about pictures that moved; may be used from any thread."""

    def missing_pictures(self, ids: Ids | None = None) -> list[int]:
        """Return those of ``ids`` (None: of all images) whose file is gone."""
        if ids is None:
            return [image for part in self.missing_by_parts() for image in part]
        places = ((int(image), self._place(image)) for image in ids)
        return [image for image, place in places if isinstance(place, str) and self._is_gone(place)]

    def missing_by_parts(self) -> Iterator[list[int]]:
        """Yield the same for all images, some thousand files at a time, for a job to breathe between."""
        places = self._places()
        for start in range(0, len(places), _PART):
            yield [image for image, path, _ in places[start : start + _PART] if self._is_gone(path)]

    def relink(self, folder: Path | str, token: CancelToken | None = None) -> Relinked:
        """Do all of `relink_steps` and return its result."""
        steps = self.relink_steps(folder, token)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: Relinked = end.value
                return result

    def relink_steps(
        self, folder: Path | str, token: CancelToken | None = None
    ) -> Generator[tuple[int, int], None, Relinked]:
        """Look for the missing pictures anywhere under ``folder``, and point the catalogue at them.

        A file is the picture if it has the same name and the same pixels (the same size, where the
        catalogue keeps no digest). Of several the one counts whose folders are named most alike.
        Missing masks are looked for likewise: a mask is a picture of that name that has its image's size.
        Reads every file of a right name, so call it from a job: yields how many of how many missing
        pictures were looked for, and returns what became of them.

        Raises
        ------
        SipError
            If ``folder`` is none, or the catalogue cannot be written.
        """
        root = Path(folder).absolute()
        if not root.is_dir():
            raise SipError(f"{root} is no folder: choose the one into which the pictures were moved.")
        self._writing()
        missing = set(self.missing_pictures())
        rows = {image: (path, digest) for image, path, digest in self._places() if image in missing}
        token = token or CancelToken()
        masks = {image: one for image, one in self.mask_files(None).items() if self._is_gone(one[0])}
        names = {Path(path).name for path, _ in (*rows.values(), *masks.values())}
        candidates = _by_name(root, names, token)
        found: dict[int, str] = {}
        refused: list[str] = []
        for number, (image, (path, digest)) in enumerate(rows.items()):
            token.check()
            yield number, len(rows) + len(masks)
            named_alike = sorted(candidates[Path(path).name], key=lambda other: -_alike(other, Path(path)))
            for candidate in named_alike:
                if self._is_picture(candidate, image, digest):
                    found[image] = self._stored(candidate)
                    break
            else:
                if named_alike:
                    refused.append(
                        f"{named_alike[0]} is another picture than the one that was imported: "
                        "look for the original of that name."
                    )
        found_masks: dict[int, str] = {}
        for number, (image, (path, kind)) in enumerate(masks.items(), len(rows)):
            token.check()
            yield number, len(rows) + len(masks)
            for candidate in sorted(candidates[Path(path).name], key=lambda one: -_alike(one, Path(path))):
                if self.fits(image, candidate, kind):
                    found_masks[image] = self._stored(candidate)
                    break

        def write(connection: sqlite3.Connection) -> None:
            for table, key, places in (("images", "id", found), ("segmentations", "image", found_masks)):
                connection.executemany(
                    f"UPDATE {table} SET path = ? WHERE {key} = ?",
                    [(path, image) for image, path in places.items()],
                )

        self._write(write)
        return Relinked(
            len(found), len(missing) - len(found), refused, len(found_masks), len(masks) - len(found_masks)
        )

    def _places(self) -> list[tuple[int, str, bytes | None]]:
        return self._read(
            lambda c: c.execute(
                "SELECT id, path, digest FROM images WHERE path IS NOT NULL ORDER BY id"
            ).fetchall()
        )

    def _is_gone(self, place: str) -> bool:
        return not os.path.isfile(os.path.join(self.path, place))

    def _is_picture(self, path: Path, image: int, digest: bytes | None) -> bool:
        from sip_explorer.data import read_image

        try:
            pixels = read_image(path)
        except SipError:
            return False
        if digest is not None:
            return pixels_digest(pixels) == digest
        return pixels.shape == self.image_shape(image)

    def _stored(self, path: Path) -> str:
        inside = path.is_relative_to(self.path)
        return str(path.relative_to(self.path)) if inside else str(path)


def _by_name(root: Path, names: set[str], token: CancelToken) -> Mapping[str, Sequence[Path]]:
    """Return name -> files of that name under ``root``."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for folder, folders, files in os.walk(root):
        token.check()
        folders.sort()  # the same order on every disk
        for name in names.intersection(files):
            found[name].append(Path(folder) / name)
    return found


def _alike(path: Path, other: Path) -> int:
    """Return how many last parts two paths have in common."""
    count = 0
    for one, two in zip(reversed(path.parts), reversed(other.parts), strict=False):
        if one != two:
            break
        count += 1
    return count
