"""Which trained models a workspace offers; torch is never imported to list them."""

import filecmp
import importlib.util
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sip_explorer.records import Finished, SipError, atomic_path, read_events
from sip_explorer.workspace.folders import folder_title, numbered_folders, slug
from sip_explorer.workspace.manifest import Reference

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
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
        empty where it says nothing.
    """

    id: str
    name: str
    path: Path
    kind: str
    origin: str
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)


class ModelRegistry:
    """Lists the models of a workspace folder anew at each call; what did not change is not read again."""

    def __init__(self, folder: Path, references: tuple[Reference, ...] = ()) -> None:
        self._folder = folder
        self._references = references
        self._headers: dict[tuple[str, int, int], dict[str, Any]] = {}

    def entries(self) -> list[ModelEntry]:
        """Return all models: files by name, then references, then runs, newest last."""
        given = [*self._files(), *self._packages()]
        return [*given, *self._runs({entry.name for entry in given})]

    def notices(self) -> list[str]:
        """Return one sentence for each model on offer that is not there."""
        return [
            f"The model {entry.name} is not on offer: the Python package {entry.package} is not installed "
            f"or lacks {entry.file}."
            for entry in self._references
            if _package_file(entry) is None
        ]

    def add(self, source: Path, name: str | None = None) -> ModelEntry:
        """Copy a checkpoint into the folder ``models``, inspected first, and return its entry.

        Raises
        ------
        SipError
            If the file is no checkpoint, holds no weights, or cannot be copied.
        """
        from sip_explorer.models import inspect_checkpoint

        info = inspect_checkpoint(source)
        if not info.entries:  # it could be listed, and would then fail wherever it is used
            raise SipError(_no_weights(source, info.metadata.get("foreign", ())))
        suffix = ".safetensors" if info.kind == "safetensors" else ".pt"
        stem = slug(source.stem if name is None else name)
        target = self._folder / "models" / f"{stem}{suffix}"
        number = 1
        while target.exists() and not filecmp.cmp(source, target, shallow=False):
            number += 1
            target = target.with_name(f"{stem}-{number}{suffix}")
        if not target.exists():
            try:
                with atomic_path(target) as temporary:
                    shutil.copyfile(source, temporary)
            except OSError as error:
                raise SipError(f"{source} cannot be copied to {target.parent} ({error.strerror}).") from None
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
        return ModelEntry(identity, name, path, kind, origin, metadata)

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


def _no_weights(path: Path, foreign: Sequence[str]) -> str:
    if foreign:
        name = next((word for word in foreign if "builtin" not in word), foreign[0])
        return (
            f"{path} holds a whole pickled object ({name}), which could run code; "
            "open it where it was made and save its state_dict() with torch.save."
        )
    return f"{path} holds no weights of a model; choose another checkpoint."


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
