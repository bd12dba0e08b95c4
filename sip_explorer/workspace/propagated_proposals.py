"""Proposals by propagation: each image takes the mask of the painted one of its class most like it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Event, Notice, Progress, SipError
from sip_explorer.salience.object_prior import shrunk
from sip_explorer.salience.propagation import descriptor, nearest, propagated
from sip_explorer.workspace.proposals import LONGEST_SIDE
from sip_explorer.workspace.proposing import Source

if TYPE_CHECKING:
    from sip_explorer.models import Classifier
    from sip_explorer.workspace.workspace import Workspace

Features = NDArray[np.float32]
MOST_SOURCES = 500
"""Painted images of a class that are compared; of more, these are spread evenly over them."""

_SIDE = 96  # pixels of the longer side from which a descriptor is made: those of the film strip
_AT_ONCE, _PER_PASS = 64, 8  # images in memory, and through the model


class PropagationWay:
    """See `proposing.Way`; images without a class are one class of their own."""

    per_chunk = 32

    def __init__(self, workspace: Workspace, model: Classifier | None, name: str, annotator: int) -> None:
        self._workspace, self._classifier, self._annotator = workspace, model, annotator
        self.model, self.model_hash = "", ""
        if model is not None:
            from sip_explorer.training.salience_maps import model_hash

            self.model, self.model_hash = name, model_hash(model)
        ids = workspace.image_ids()
        states = np.array(workspace.states(ids, annotator))
        self._painted = ids[states == "painted"]
        self._labels = workspace.labels(self._painted)
        self._of_class: dict[int, dict[int, Features]] = {}
        self._source: dict[int, Source] = {}

    def details(self, images: list[int]) -> Generator[Event | None, None, dict[int, str]]:
        """Find the source of each image."""
        labels = self._workspace.labels(images).tolist()
        found: dict[int, str] = {}
        without = []
        own = yield from self._features(images)
        for image, label in zip(images, labels, strict=True):
            if image not in own:
                continue
            sources = yield from self._sources(label)
            others = [source for source in sources if source != image]
            if not others:
                without.append(image)
                continue
            row, _ = nearest(own[image], np.stack([sources[source] for source in others]))
            chosen = others[row]
            strokes = self._workspace.stroke_counts([chosen], self._annotator).get(chosen, 0)
            self._source[image] = Source(chosen, self._annotator, strokes)
            found[image] = self._source[image].detail
        for label in dict.fromkeys(self._workspace.labels(without).tolist() if without else []):
            name = self._workspace.classes[label] if label >= 0 else "no class"
            yield Notice(f"No other image of {name} is painted: paint one, then propagate again.")
        return found

    def maps(self, images: list[int]) -> Generator[Event | None, None, dict[int, NDArray[np.uint8]]]:
        """Return image -> uint8 (h, w), at most as large as a kept map."""
        found = {}
        for number, image in enumerate(images, 1):
            source = self._source[image].image
            try:
                found[image] = propagated(
                    self._workspace.mask(source, self._annotator),
                    self._workspace.image(source),
                    shrunk(self._workspace.image(image), LONGEST_SIDE),
                )
            except SipError as error:
                yield Notice(str(error))
            yield Progress(number, len(images), "Proposals: propagation")
        return found

    def _sources(self, label: int) -> Generator[Event | None, None, dict[int, Features]]:
        """Return painted image -> features, of one class."""
        if label not in self._of_class:
            ids = self._painted[self._labels == label]
            if len(ids) > MOST_SOURCES:
                ids = ids[np.linspace(0, len(ids) - 1, MOST_SOURCES).astype(np.int64)]
            self._of_class[label] = yield from self._features(ids.tolist())
        return self._of_class[label]

    def _features(self, images: list[int]) -> Generator[Event | None, None, dict[int, Features]]:
        if self._classifier is None:
            return (yield from self._descriptors(images))
        import torch

        from sip_explorer.data.fitting import fit_images
        from sip_explorer.salience.features import penultimate_features
        from sip_explorer.workspace.model_proposals import read_pixels

        device = next(self._classifier.parameters()).device
        shape = self._classifier.input_shape
        found: dict[int, Features] = {}
        for start in range(0, len(images), _AT_ONCE):
            pixels = yield from read_pixels(self._workspace, images[start : start + _AT_ONCE], shape[1:])
            if not pixels:
                continue
            fitted = torch.cat([fit_images(one[None], shape) for one in pixels.values()]).to(device)
            features = yield from penultimate_features(self._classifier, fitted, micro_batch=_PER_PASS)
            found |= dict(zip(pixels, features.cpu().numpy(), strict=True))
        return found

    def _descriptors(self, images: list[int]) -> Generator[Event | None, None, dict[int, Features]]:
        found = {}
        for image in images:
            try:
                found[image] = descriptor(self._workspace.thumbnail(image, _SIDE))
            except SipError as error:
                yield Notice(str(error))
            yield None
        return found
