"""Trained models, loaded once and kept while they are in use."""

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Stamp = tuple[int, int, int] | None
"""What tells one version of a file from the next."""


class ModelShelf:
    """Loads models by path; called in the device thread only (they live on its device).

    A file that was written anew (a run that went on, a model added again) is loaded anew.

    Parameters
    ----------
    keep : int
        How many loaded models are kept; the one used longest ago goes first.
    """

    def __init__(self, keep: int = 6) -> None:
        self._keep = keep
        self._loaded: OrderedDict[tuple[str, str], tuple[Stamp, Any]] = OrderedDict()

    def classifier(self, path: str, device: str) -> Any:
        """Return the `Classifier` stored at ``path``, on ``device``, in eval mode."""
        return self._get("classifier", path, device, _load_classifier)

    def protoflow(self, path: str, device: str) -> Any:
        """Return the `ProtoFlow` stored at ``path``, on ``device``, in eval mode."""
        return self._get("protoflow", path, device, _load_protoflow)

    def _get(self, kind: str, path: str, device: str, load: Callable[[str, str], Any]) -> Any:
        key, stamp = (f"{kind} on {device}", path), _stamp(path)
        found = self._loaded.get(key)
        if found is None or stamp not in (None, found[0]):
            found = self._loaded[key] = (stamp, load(path, device))
            while len(self._loaded) > self._keep:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return found[1]


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None  # what is loaded serves on; else loading says what is wrong
    return status.st_ino, status.st_size, status.st_mtime_ns


def _load_classifier(path: str, device: str) -> Any:
    from sip_explorer.models import load_checkpoint

    return load_checkpoint(path, device=device)


def _load_protoflow(path: str, device: str) -> Any:
    from sip_explorer.protoflow import load_protoflow

    return load_protoflow(path, device=device)  # the round trip is measured where it will be shown
