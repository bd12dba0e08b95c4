"""The names by which other programs' files speak of a workspace's images."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import checked_name, part_text
from sip_explorer.salience.exchange.foreign import UNLABELLED
from sip_explorer.workspace.workspace import Workspace

_NUMBERED = re.compile(r"(.+)~(\d+)")


class ImageNames:
    """Finds the image that a name belongs to, and gives every image a name that is found again.

    An image is named by its file, with or without the ending, or by the name that its data set gave
    it, folders included; an image without either by its number. ``class/`` and ``train/class/`` may
    stand before, and folders that mean nothing here before those. A folder with the name of another
    class means another image.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._name = workspace.name
        self._classes = {*workspace.classes, UNLABELLED}
        self._known: dict[str, list[int]] = {}
        self._files: dict[int, str] = {}
        self._labels: dict[int, str] = {}
        ids = workspace.image_ids()
        self._packed: set[int] = set()
        for image, label, split in zip(
            ids.tolist(), workspace.labels(ids).tolist(), workspace.split_of(ids).tolist(), strict=True
        ):
            name = workspace.image_name(image)
            if name == f"image {image}":
                name = str(image)
                self._packed.add(image)
            file = PurePosixPath(name).name or name
            words = workspace.classes[label] if label >= 0 else UNLABELLED
            self._files[image], self._labels[image] = file, words
            keys = {name, _stem(name)}  # with folders, where the data set's names have any
            for base in {file, _stem(file)}:
                keys |= {base, f"{words}/{base}", f"{split}/{words}/{base}"}
            for key in keys:
                self._known.setdefault(key, []).append(image)
        self._longest = 1 + max((key.count("/") for key in self._known), default=0)
        self._given: dict[str, int] = {}

    def find(self, name: str, where: str) -> int | None:
        """Return the image that ``name`` belongs to, None where there is none.

        Raises
        ------
        SipError
            If the name belongs to several images, is empty, or leads out of its folder.
        """
        checked = checked_name(name, where)
        for spelling in dict.fromkeys((checked, part_text(checked))):
            found = self._match(spelling, where)
            if found is not None:
                return found
        return None

    def outgoing(self, image: int) -> tuple[str, str]:
        """Return what to call an image outside: ``class/file``, and a name without the file's ending.

        The second is unlike any other image's, on systems that do not tell capitals too.
        """
        file, label = self._files[image], self._labels[image]
        numbered = f"{_stem(file)}~{image}"
        for stem in (_stem(file), file, numbered):
            name = f"{label}/{stem}"
            alone = self._known.get(name) == [image] or stem is numbered
            if alone and self._given.setdefault(name.casefold(), image) == image:
                break
        whole = self._known[f"{label}/{file}"] == [image]
        return f"{label}/{file if whole else numbered + PurePosixPath(file).suffix}", name

    def _match(self, name: str, where: str) -> int | None:
        parts = name.split("/")
        for length in range(min(len(parts), self._longest), 0, -1):
            before, front = "/".join(parts[:-length]), "/".join(parts[-length:-1])
            for last in self._spellings(parts[-1]):
                key = f"{front}/{last}" if front else last
                images = [i for i in self._known.get(key, ()) if not self._contradicts(before, i)]
                if len(images) > 1:
                    raise SipError(
                        f"{where} names {name}, which belongs to {len(images)} images of {self._name}: name "
                        "it with its folder, such as train/class/name."
                    )
                if images:
                    return images[0]
                numbered = _NUMBERED.fullmatch(key)
                if numbered is not None:
                    image = int(numbered[2])
                    if image in self._known.get(numbered[1], ()):
                        return image
        return None

    def _spellings(self, last: str) -> Iterator[str]:
        """Yield the last part of a name as it is, then without its ending; numbers without zeros."""
        for text in dict.fromkeys((last, _stem(last), _stem(_stem(last)))):
            yield text
            number = re.fullmatch(r"(?:image[ _-])?0*(\d{1,18})", text)
            if number is not None and int(number[1]) in self._packed:
                yield str(int(number[1]))

    def _contradicts(self, before: str, image: int) -> bool:
        """Whether the folders before a name speak of another class than the image's."""
        label = self._labels[image]
        if before == label or before.endswith(f"/{label}"):
            return False
        return any(before == name or before.endswith(f"/{name}") for name in self._classes)


def _stem(file: str) -> str:
    # a dot and a few letters or digits, not what follows a dot in "Dr. Who"
    return re.sub(r"(?<=.)\.[A-Za-z0-9]{1,5}$", "", file)
