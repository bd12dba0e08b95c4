"""Which trained models a workspace offers; torch is never imported to list them."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sip_explorer.models.choice import Choice
from sip_explorer.records import CancelToken, Finished, Progress, SipError, read_events
from sip_explorer.workspace.card_store import CardStore
from sip_explorer.workspace.cards import ModelCard
from sip_explorer.workspace.flow_copying import flow_copied_in
from sip_explorer.workspace.folders import folder_title, numbered_folders
from sip_explorer.workspace.manifest import Reference
from sip_explorer.workspace.model_copying import copied_in

if TYPE_CHECKING:
    import torch

    from sip_explorer.models import Classifier

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".pt2")
BEST = "best.safetensors"
_LARGEST_HEADER = 100 << 20  # what the safetensors format itself allows
_TAIL = 64 << 10


@dataclass(frozen=True)
class ModelEntry:
    """One trained model on offer.

    Attributes
    ----------
    id : str
        Stays the same as long as the file does.
    name : str
        For people; unlike every other model's.
    path : Path
    kind : str
        ``classifier`` or ``protoflow``.
    origin : str
        ``file`` (in the folder ``models``), ``run`` or ``package`` (of an installed Python package).
    metadata : Mapping
        What the file says about itself without being loaded: architecture, classes, input_shape, ...;
        empty where it says nothing. What a person chose for the file stands in its place.
    card : ModelCard or None
        What the workspace knows of the file; None where it has no card, or the file's hash was not computed
        yet (listing models reads no model).
    """

    id: str
    name: str
    path: Path
    kind: str
    origin: str
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)
    card: ModelCard | None = field(default=None, compare=False)
    cards: CardStore | None = field(default=None, compare=False, repr=False)

    def choice(self, token: CancelToken | None = None) -> Choice:
        """Return what is chosen for the file now; its hash is computed where it is not known yet.

        Raises
        ------
        SipError
            The file cannot be read, or its card is of a newer format.
        """
        if self.cards is None:
            return Choice() if self.card is None else self.card.choice
        card = self.cards.read(self.cards.digest(self.path, token))
        return Choice() if card is None else card.choice

    def load(self, device: str | torch.device = "cpu", token: CancelToken | None = None) -> Classifier:
        """Return the classifier as it was chosen: the only way in which a workspace's models are loaded.

        Raises
        ------
        SipError
            See `load_checkpoint`; or the card is of a newer format.
        """
        from sip_explorer.models import load_checkpoint

        return load_checkpoint(self.path, **self.choice(token).arguments(), device=device)


class ModelRegistry:
    """Lists the models of a workspace folder anew at each call; what did not change is not read again."""

    def __init__(self, folder: Path, references: tuple[Reference, ...] = ()) -> None:
        self._folder = folder
        self._references = references
        self._headers: dict[tuple[str, int, int], dict[str, Any]] = {}
        self.cards = CardStore(folder)

    def entries(self) -> list[ModelEntry]:
        """Return all models: files by name, then references, then runs, newest last."""
        given = [*self._files(), *self._packages()]
        return [*given, *self._runs({entry.name for entry in given})]

    def notices(self) -> list[str]:
        """Return one sentence for each model on offer that is not there, and each card that is damaged."""
        absent = [
            f"The model {entry.name} is not on offer: the Python package {entry.package} is not installed "
            f"or lacks {entry.file}."
            for entry in self._references
            if _package_file(entry) is None
        ]
        return absent + self.cards.notices()

    def add(
        self,
        source: Path,
        name: str | None = None,
        *,
        choice: Choice | None = None,
        reason: str = "",
        licence: str = "",
        token: CancelToken | None = None,
    ) -> Generator[Progress, None, ModelEntry]:
        """Copy a checkpoint into the folder ``models``, inspected first, and return its entry.

        A choice that was made for the same file before stays unless another is given.

        Raises
        ------
        SipError
            If the file is no checkpoint, holds no weights, or cannot be copied.
        """
        from sip_explorer.protoflow import is_published

        folder = self._folder / "models"
        if is_published(source):
            target, sha256 = yield from flow_copied_in(source, folder, name, choice, token)
            choice = None  # the copy says all of itself
        else:
            target, sha256 = yield from copied_in(source, folder, name, token)
        self.cards.remember(target, sha256)

        def fill(card: ModelCard) -> ModelCard:
            card = card if choice is None else with_choice(card, choice, reason)
            return replace(card, source=str(source.absolute()), licence=licence or card.licence)

        self.cards.change(target, fill, token)
        return self._file(target)

    def _files(self) -> list[ModelEntry]:
        folder = self._folder / "models"
        if not folder.is_dir():
            return []
        paths = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
        return [self._file(path) for path in sorted(paths, key=lambda path: path.name.lower())]

    def _file(self, path: Path) -> ModelEntry:
        twins = [other for suffix in SUFFIXES if (other := path.with_suffix(suffix)).exists()]
        name = path.stem if len(twins) < 2 else path.name
        return self._entry(f"models/{path.name}", name, path, "file")

    def _packages(self) -> list[ModelEntry]:
        found = [(entry, _package_file(entry)) for entry in self._references]
        return [
            self._entry(f"package/{entry.package}/{entry.file}", entry.name, path, "package")
            for entry, path in found
            if path is not None
        ]

    def _runs(self, taken: set[str]) -> list[ModelEntry]:
        """Runs are called what their recipe calls them; where that name is taken, folder and time tell."""
        found = []
        for run in numbered_folders(self._folder / "runs"):
            if (run / BEST).is_file() and _kept(run):
                entry = self._entry(f"runs/{run.name}", folder_title(run), run / BEST, "run")
                origin = entry.metadata.get("origin")
                name = str(origin.get("name", "")) if isinstance(origin, dict) else ""
                if name and name not in taken:
                    entry = replace(entry, name=name)
                taken.add(entry.name)
                found.append(entry)
        return found

    def _entry(self, identity: str, name: str, path: Path, origin: str) -> ModelEntry:
        metadata = self._metadata(path)
        kind = "protoflow" if metadata.get("kind") == "protoflow" else "classifier"
        try:
            card = self.cards.find(path)
        except SipError as error:  # the model is listed; loading it says the same
            self.cards.note(str(error))
            card = None
        if card is not None:
            metadata = {**metadata, **_chosen(card.choice)}
        return ModelEntry(identity, name, path, kind, origin, metadata, card, self.cards)

    def _metadata(self, path: Path) -> dict[str, Any]:
        if path.suffix.lower() != ".safetensors":
            return {}
        try:
            status = os.stat(path)
        except OSError:
            return {}
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key not in self._headers:
            self._headers[key] = read_metadata(path)
        return self._headers[key]


def with_choice(card: ModelCard, choice: Choice, reason: str) -> ModelCard:
    """Return a card with another choice; figures that were measured under the old one are no longer true."""
    if choice == card.choice:
        return replace(card, reason=reason or card.reason)
    return replace(card, choice=choice, reason=reason, measured=(), checks=())


def _chosen(choice: Choice) -> dict[str, Any]:
    """Return what a choice says in the words of a file's own description."""
    names = ("architecture", "classes", "input_shape")
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in choice.to_json().items()
        if name in names
    }


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a safetensors file says of itself under ``sip_explorer``; empty where it says nothing."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 0 < size <= min(_LARGEST_HEADER, os.fstat(file.fileno()).st_size):
                return {}
            header = json.loads(file.read(size))
        stored = json.loads(header["__metadata__"]["sip_explorer"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _kept(run: Path) -> bool:
    """Whether the run's last word is that it ended with its result kept."""
    log = run / "events.jsonl"
    try:
        start = max(0, log.stat().st_size - _TAIL)
    except OSError:
        return False
    events, _ = read_events(log, start)
    endings = [event for _, event in events if isinstance(event, Finished)]
    return bool(endings) and endings[-1].outcome in ("completed", "stopped")


def _package_file(entry: Reference) -> Path | None:
    # find_spec of a top-level name looks for the package without importing it.
    try:
        spec = importlib.util.find_spec(entry.package)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / entry.file
        if path.is_file():
            return path
    return None
