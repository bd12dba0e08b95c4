"""The cards of a workspace's models on disk, and the index that tells a file's hash without reading it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sip_explorer.records import CancelToken, SipError, write_text
from sip_explorer.workspace.cards import ModelCard, card_from_json, card_to_json

FOLDER = "cards"
INDEX = "index.json"

Stamp = tuple[int, int]


class CardStore:
    """Reads and writes ``cards/<sha256>.json``; may be used from any thread, by several programs.

    A file's hash is remembered with its size and time of change (``cards/index.json``), so that listing
    models reads no model. A card that is damaged counts as none, and `notices` says so; one of a newer
    format is refused, for what was chosen for the model is not known.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._folder = workspace / FOLDER
        self._guard = threading.RLock()
        self._index: dict[str, tuple[int, int, str]] = {}
        self._index_stamp: Stamp | None = None
        self._cards: dict[str, tuple[Stamp, ModelCard | None]] = {}
        self._notices: dict[str, str] = {}

    def known_digest(self, path: Path) -> str | None:
        """Return the hash of a file where it was computed before and the file did not change since."""
        stamp = _stamp(path)
        with self._guard:
            self._read_index()
            found = self._index.get(self._key(path))
        return found[2] if stamp is not None and found is not None and found[:2] == stamp else None

    def digest(self, path: Path, token: CancelToken | None = None) -> str:
        """Return the hash of a file, computed and remembered where it is not known."""
        from sip_explorer.models import file_digest

        known = self.known_digest(path)
        if known is not None:
            return known
        before = _stamp(path)
        sha256 = file_digest(path, token)
        if before is not None and before == _stamp(path):  # a file that is being written has no hash yet
            self.remember(path, sha256)
        return sha256

    def remember(self, path: Path, sha256: str) -> None:
        """Keep the hash of a file as it is now; where the workspace cannot be written, for this time."""
        stamp = _stamp(path)
        if stamp is None:
            return
        with self._guard:
            self._read_index()
            self._index[self._key(path)] = (*stamp, sha256)
            text = json.dumps({key: list(value) for key, value in sorted(self._index.items())}, indent=1)
            try:
                write_text(self._folder / INDEX, text + "\n")
            except OSError:
                return  # a medium to read only: the hash is computed anew next time
            self._index_stamp = _stamp(self._folder / INDEX)

    def find(self, path: Path) -> ModelCard | None:
        """Return the card of a file whose hash is known, None where it or the card is not.

        Raises
        ------
        SipError
            The card is of a newer format.
        """
        sha256 = self.known_digest(path)
        return None if sha256 is None else self.read(sha256)

    def read(self, sha256: str) -> ModelCard | None:
        """Return a card, None where there is none or it is damaged.

        Raises
        ------
        SipError
            The card is of a newer format.
        """
        path = self._folder / f"{sha256}.json"
        stamp = _stamp(path)
        with self._guard:
            if stamp is None:
                return None
            known = self._cards.get(sha256)
            if known is not None and known[0] == stamp:
                return known[1]
            card = self._parsed(path, sha256)
            self._cards[sha256] = (stamp, card)
            return card

    def change(
        self, path: Path, change: Callable[[ModelCard], ModelCard], token: CancelToken | None = None
    ) -> ModelCard:
        """Write the card of a file after ``change``, a new one where there is none, and return it.

        Raises
        ------
        SipError
            The file cannot be read, the card cannot be written or is of a newer format.
        """
        sha256 = self.digest(path, token)
        with self._guard:
            old = self.read(sha256) or ModelCard(sha256, source=str(path), added=time.time())
            card = replace(change(old), sha256=sha256)
            target = self._folder / f"{sha256}.json"
            try:
                write_text(target, card_to_json(card))
            except OSError as error:
                raise SipError(
                    f"The card of {path.name} cannot be written to {target} ({error.strerror}): "
                    "make room, or let the folder be written."
                ) from error
            self._notices.pop(sha256, None)
            return card

    def notices(self) -> list[str]:
        """Return one sentence for each card that was met and could not be read."""
        with self._guard:
            return list(self._notices.values())

    def note(self, sentence: str) -> None:
        """Have `notices` say ``sentence``, once."""
        with self._guard:
            self._notices[sentence] = sentence

    def _parsed(self, path: Path, sha256: str) -> ModelCard | None:
        try:
            card = card_from_json(path.read_text(encoding="utf-8"))
            if card.sha256 != sha256:
                raise ValueError("of another file")
        except SipError as error:
            raise SipError(f"The model with the hash {sha256[:12]}… cannot be used: {error}.") from None
        except (OSError, ValueError) as error:
            self._notices[sha256] = (
                f"The model card {path} is damaged ({error}): what was chosen and measured for this model is "
                "lost; add the model again to choose anew."
            )
            return None
        self._notices.pop(sha256, None)
        return card

    def _key(self, path: Path) -> str:
        # Files of the workspace by their place in it: it may be moved.
        return (
            path.relative_to(self._workspace).as_posix()
            if path.is_relative_to(self._workspace)
            else str(path)
        )

    def _read_index(self) -> None:
        path = self._folder / INDEX
        stamp = _stamp(path)
        if stamp is None or stamp == self._index_stamp:
            return
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            read = {str(key): (int(size), int(at), str(sha)) for key, (size, at, sha) in document.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            read = {}  # made of what the files say: computed anew
        self._index = {**self._index, **read}
        self._index_stamp = stamp


def _stamp(path: Path) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
