"""What is tried of a checkpoint: what its file, and the person, leave open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sip_explorer.models.candidates import input_sizes, normalisations
from sip_explorer.models.choice import Choice
from sip_explorer.models.class_names import ClassOrder, class_orders, unnamed
from sip_explorer.workspace.trial_bench import Size, Way
from sip_explorer.workspace.trial_result import TrialResult, TrialSetting

if TYPE_CHECKING:
    from sip_explorer.models import CheckpointInfo, Classifier
    from sip_explorer.workspace.workspace import Workspace

ASSUMED = "assumed"


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Attributes
    ----------
    base : Choice
        What a person fixed.
    ours : bool
        The file describes itself, as all that were trained here do: architecture and size are certain.
    stated : bool
        The file itself says the normalisation.
    names : tuple of str
        The model's classes as it was loaded.
    normalisation_words : str
        Where the normalisation that was loaded comes from.
    ways : tuple of Way
        The normalisations at the size the network was made for, the loaded one first.
    others : tuple of (architecture, weights)
        What else the file may be or holds.
    sizes : tuple of (C, H, W)
        Further sizes.
    orders : tuple of ClassOrder
        Empty where the model knows none of the workspace's classes.
    """

    base: Choice
    ours: bool
    stated: bool
    names: tuple[str, ...]
    normalisation_words: str
    ways: tuple[Way, ...]
    others: tuple[tuple[str, str | None], ...]
    sizes: tuple[Size, ...]
    orders: tuple[ClassOrder, ...]

    @classmethod
    def of(cls, path: Path, base: Choice, loaded: Classifier, workspace: Workspace) -> Plan:
        """Return the plan for a file that was ``loaded`` as ``base`` says."""
        from sip_explorer.models import inspect_checkpoint

        info = inspect_checkpoint(path)
        ours = info.kind == "safetensors" and isinstance(info.metadata.get("sip_explorer"), dict)
        pair = (tuple(loaded.mean.flatten().tolist()), tuple(loaded.std.flatten().tolist()))
        words = loaded.origin.get("normalisation", "the file says so")
        channels, height, width = loaded.input_shape
        fitting = normalisations(channels, pair, len(loaded.classes))
        tried = fitting[: None if base.normalisation is None else 1]
        weights = base.weights
        sizes: tuple[int, ...] = ()
        if base.input_shape is None and not ours and info.kind != "exported" and height == width:
            ids = workspace.image_ids()
            own = int(np.median(workspace.image_shapes(ids)[:, :2].min(1))) if len(ids) else height
            sizes = input_sizes(height, own)[1:]
        certain = base.classes is not None or not (
            unnamed(loaded.classes) or loaded.origin.get("classes", "").startswith(ASSUMED)
        )
        return cls(
            base=base,
            ours=ours,
            stated=base.normalisation is not None or not words.startswith(ASSUMED),
            names=tuple(loaded.classes),
            normalisation_words=words,
            ways=tuple(Way(loaded.architecture, weights, each, loaded.input_shape) for each in tried),
            others=_others(info, base, loaded.architecture, ours),
            sizes=tuple((channels, size, size) for size in sizes),
            orders=class_orders(loaded.classes, certain, workspace.classes),
        )

    @property
    def known(self) -> set[int]:
        """The workspace's labels that the model knows under every order."""
        labels = [
            {label for label, column in enumerate(order.columns) if column >= 0} for order in self.orders
        ]
        return set.intersection(*labels) if labels else set()

    def choice(self, way: Way, order: ClassOrder | None) -> Choice:
        """Return what to keep for a setting; what the file itself says is left to the file."""
        same = way.normalisation is self.ways[0].normalisation
        said = self.base.normalisation is None and (self.ours or self.stated)
        names = self.names if order is None else order.names
        return Choice(
            architecture=self.base.architecture or (None if self.ours else way.architecture),
            weights=way.weights,
            classes=self.base.classes if names == self.names else names,
            normalisation=None if same and said else way.normalisation.pair,
            input_shape=self.base.input_shape or (None if self.ours else way.shape),
            own_code=self.base.own_code,
        )

    def setting(self, way: Way, order: ClassOrder) -> TrialSetting:
        """Return a setting with its words."""
        return TrialSetting(
            self.choice(way, order),
            way.normalisation.words,
            f"{way.shape[1]} × {way.shape[2]}",
            order.words,
        )

    def untried(self, workspace: str) -> TrialResult:
        """Return the result where there is no image to try on."""
        way = self.ways[0]
        why = (
            f"{workspace} has no labelled image that can be read"
            if self.orders
            else f"{workspace} and the model have no class in common"
        )
        reason = (
            f"Nothing was measured, for {why}: the normalisation is {way.normalisation.words} "
            f"({self.normalisation_words}), the size {way.shape[1]} × {way.shape[2]}."
        )
        return TrialResult((), "", self.choice(way, None), reason, False)


def _others(
    info: CheckpointInfo, base: Choice, architecture: str, ours: bool
) -> tuple[tuple[str, str | None], ...]:
    """Return the other networks that the file may hold: other weights, other architectures."""
    from sip_explorer.models import recognition

    if ours:
        return ()
    found: list[tuple[str, str | None]] = []
    if base.weights is None:
        found += [(architecture, name) for name in info.variants[1:]]
    if base.architecture is None and info.kind != "exported":
        shapes = info.shapes
        keys = recognition.find_layout(shapes).keys
        fits = recognition.candidates({key: shapes[stored] for key, stored in keys.items()})
        found += [(name, base.weights) for name in fits if name != architecture]
    return tuple(found)
