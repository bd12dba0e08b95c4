"""Trained models, loaded once and kept while they are in use."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry

Stamp = tuple[object, ...] | None
"""What tells one version of a file, or of what was chosen for it, from the next."""


class ModelShelf:
    """Loads models; called in the device thread only (they live on its device).

    A file that was written anew (a run that went on, a model added again) is loaded anew, and so is one
    for which something else was chosen.

    Parameters
    ----------
    keep : int
        How many loaded models are kept; the one used longest ago goes first.
    """

    def __init__(self, keep: int = 6) -> None:
        self._keep = keep
        self._loaded: OrderedDict[tuple[str, str], tuple[Stamp, Any]] = OrderedDict()

    def classifier(self, entry: ModelEntry, device: str) -> Any:
        """Return the `Classifier` of ``entry`` as it was chosen, on ``device``, in eval mode."""
        stamp = _stamp(entry.path)
        chosen = None if stamp is None else (*stamp, entry.choice())
        return self._get("classifier", entry.path, device, chosen, lambda: entry.load(device))

    def protoflow(self, entry: ModelEntry, device: str) -> Any:
        """Return the `ProtoFlow` of ``entry``, on ``device``, in eval mode."""
        path = entry.path
        return self._get("protoflow", path, device, _stamp(path), lambda: _load_protoflow(path, device))

    def _get(self, kind: str, path: Path, device: str, stamp: Stamp, load: Callable[[], Any]) -> Any:
        key = (f"{kind} on {device}", str(path))
        found = self._loaded.get(key)
        if found is None or stamp not in (None, found[0]):
            found = self._loaded[key] = (stamp, load())
            while len(self._loaded) > self._keep:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return found[1]


def _stamp(path: Path) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None  # what is loaded serves on; else loading says what is wrong
    return status.st_ino, status.st_size, status.st_mtime_ns


def _load_protoflow(path: Path, device: str) -> Any:
    from sip_explorer.protoflow import load_protoflow

    return load_protoflow(path, device=device)  # the round trip is measured where it will be shown
