"""Trained models, loaded once and kept while they are in use."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class ModelShelf:
    """Loads models by path; called in the device thread only (they live on its device).

    Parameters
    ----------
    keep : int
        How many loaded models are kept; the one used longest ago goes first.
    """

    def __init__(self, keep: int = 6) -> None:
        self._keep = keep
        self._loaded: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def classifier(self, path: str, device: str) -> Any:
        """Return the `Classifier` stored at ``path``, on ``device``, in eval mode."""
        return self._get("classifier", path, device, _load_classifier)

    def protoflow(self, path: str, device: str) -> Any:
        """Return the `ProtoFlow` stored at ``path``, on ``device``, in eval mode."""
        return self._get("protoflow", path, device, _load_protoflow)

    def _get(self, kind: str, path: str, device: str, load: Callable[[str], Any]) -> Any:
        key = (f"{kind} on {device}", path)
        if key not in self._loaded:
            self._loaded[key] = load(path).to(device).eval()
            while len(self._loaded) > self._keep:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]


def _load_classifier(path: str) -> Any:
    from sip_explorer.models import load_checkpoint

    return load_checkpoint(path)


def _load_protoflow(path: str) -> Any:
    from sip_explorer.protoflow import load_protoflow

    return load_protoflow(path)
