"""Finds the pictures that a table names in the folder where it lies."""

import os
from pathlib import Path

from sip_explorer.data.walking import find_pictures, is_picture_name
from sip_explorer.records import CancelToken


class NamedFiles:
    """The pictures in a folder and below it, found by how tables call them.

    A name may be a path within the folder or one of its folders, have another machine's folders
    before it, or lack its ending; where two files fit it, it names none.
    """

    def __init__(self, folder: Path, token: CancelToken) -> None:
        self.folder = folder
        names, self.problems = find_pictures(folder, "", token)
        self.names = frozenset(names)
        self._tails: dict[str, str | None] = {}
        for name in names:
            for key in (name.rsplit("/", 1)[-1], _stem(name.rsplit("/", 1)[-1]), _stem(name)):
                self._tails[key] = name if self._tails.get(key, name) == name else None

    def find(self, given: str) -> str | None:
        """Return the name of the picture, relative to the folder; None where there is none or two."""
        name = given.replace("\\", "/").removeprefix("./")
        if os.path.isabs(given):
            root = self.folder.as_posix().rstrip("/") + "/"
            name = name.removeprefix(root).lstrip("/")
        if name in self.names:
            return name
        if ".." in name.split("/"):  # only what lies in the folder is read
            return None
        # Drop another machine's folders one by one: data/set/cat/1.jpg may be cat/1.jpg here.
        parts = name.split("/")
        for start in range(1, len(parts) - 1):
            tail = "/".join(parts[start:])
            if tail in self.names:
                return tail
        found = self._tails.get(name) or self._tails.get(parts[-1])
        if found is None and not is_picture_name(parts[-1]):
            found = self._tails.get(_stem(parts[-1]))
        return found


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name
