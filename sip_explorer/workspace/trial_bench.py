"""A checkpoint's answers to a set of images under one setting after the other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.models.candidates import NormalisationCandidate
from sip_explorer.models.choice import Choice
from sip_explorer.models.class_names import ClassOrder
from sip_explorer.records import CancelToken, Event, SipError
from sip_explorer.workspace.model_proposals import read_pixels
from sip_explorer.workspace.trial_images import TrialImages

if TYPE_CHECKING:
    from torch import Tensor

    from sip_explorer.models import Classifier
    from sip_explorer.workspace.workspace import Workspace

Size = tuple[int, int, int]

_MOST_ROWS = 64
_READ_AT_ONCE = 16
_TEMPERATURES = np.geomspace(1 / 16, 16, 81)


@dataclass(frozen=True)
class Way:
    """One network of the file, what goes before it, and the images' size."""

    architecture: str
    weights: str | None
    normalisation: NormalisationCandidate
    shape: Size

    @property
    def network(self) -> tuple[str, str | None, Size]:
        """What decides which network is built."""
        return self.architecture, self.weights, self.shape

    @property
    def words(self) -> str:
        """For people, while it is tried."""
        return f"{self.normalisation.words}, {self.shape[1]} × {self.shape[2]}"


@dataclass
class Answers:
    """What a network said to the first images, under every order of classes.

    Attributes
    ----------
    predicted : int64 array of shape (n,)
    own : float64 array of shape (n, orders)
        The logit of the image's class.
    spread : float64 array of shape (n, temperatures)
        The logarithm of the summed exponentials of the logits over each temperature.
    """

    predicted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    own: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    spread: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, len(_TEMPERATURES))))

    def likelihood(self, order: int) -> float:
        """Return the mean log-probability of the right class at the temperature that suits best.

        Temperature scaling (Guo et al., 2017): a network trained for robustness says too little, and a
        normalisation that exaggerates would look good.
        """
        values = (self.own[:, order, None] / _TEMPERATURES - self.spread).mean(0)
        finite = values[np.isfinite(values)]
        return float(finite.max()) if len(finite) else -np.inf


class Bench:
    """Asks a checkpoint about images; holds one network and the pixels of one size at a time."""

    def __init__(
        self, workspace: Workspace, path: Path, base: Choice, first: Classifier, token: CancelToken
    ) -> None:
        self._workspace, self._path, self._base = workspace, path, base
        self._token = token
        self._classifier = first
        self._device = first.mean.device
        self._loaded: tuple[Any, ...] | None = None
        self._rows = 1
        self._pixels: dict[int, NDArray[np.uint8]] = {}
        self._pixels_size: tuple[int, int] | None = None
        self._default = (first.architecture, base.weights, first.input_shape)

    def readable(self, images: TrialImages) -> Generator[Event | None, None, TrialImages]:
        """Return those of the images that can be read; the others are named."""
        yield from self._read(images.ids, self._classifier.input_shape[1:])
        kept = np.array([int(image) in self._pixels for image in images.ids], bool)
        return images if kept.all() else images.only(self._workspace, kept)

    def ask(
        self, way: Way, answers: Answers, images: TrialImages, stop: int, orders: tuple[ClassOrder, ...]
    ) -> Generator[Event | None, None, None]:
        """Ask about the images up to number ``stop`` that ``answers`` lacks, and add what is said.

        Raises
        ------
        SipError, RuntimeError, ValueError, AssertionError
            The network does not take images of that size.
        """
        import torch

        from sip_explorer.data.fitting import fit_images
        from sip_explorer.records.arithmetic import repeatable

        self._place(way)
        columns = np.array([order.columns for order in orders], np.int64)  # orders × classes
        start = len(answers.predicted)
        yield from self._read(images.ids[start:stop], way.shape[1:])
        while start < stop:
            self._token.check()
            rows = slice(start, min(start + self._rows, stop))
            batch = self._batch(images.ids[rows], lambda pixels: fit_images(pixels, way.shape))
            with torch.inference_mode(), repeatable(self._device):
                logits = self._classifier(batch.to(self._device)).double().cpu().numpy()
            _add(answers, logits, columns[:, images.labels[rows]])
            start = rows.stop
            yield None

    def _place(self, way: Way) -> None:
        """Have the network and the normalisation of ``way`` at hand."""
        import torch

        from sip_explorer.attacks.pace import rows_at_once

        if self._loaded is None and way.network == self._default:
            self._rows = 0
        elif way.network != self._loaded:
            self._classifier = self._load(way)
            self._rows = 0
        if not self._rows:
            self._loaded = None
            # These go but one way through the network.
            rows = 2 * rows_at_once(self._classifier, way.shape, self._device)
            self._rows = min(max(1, rows), _MOST_ROWS)
        self._loaded = way.network
        for buffer, values in zip(
            (self._classifier.mean, self._classifier.std), way.normalisation.pair, strict=True
        ):
            buffer.copy_(torch.tensor(values, dtype=torch.float32).view_as(buffer))

    def _load(self, way: Way) -> Classifier:
        from sip_explorer.models import load_checkpoint

        named = replace(self._base, weights=way.weights)
        if way.architecture != self._default[0]:
            named = replace(named, architecture=way.architecture)
        if way.shape != self._default[2]:
            named = replace(named, input_shape=way.shape)
        return load_checkpoint(self._path, **named.arguments(), device=self._device)

    def _read(self, ids: NDArray[np.int64], size: tuple[int, int]) -> Generator[Event | None, None, None]:
        if size != self._pixels_size:
            self._pixels, self._pixels_size = {}, size
        missing = [int(image) for image in ids if int(image) not in self._pixels]
        for start in range(0, len(missing), _READ_AT_ONCE):
            self._token.check()
            found = yield from read_pixels(self._workspace, missing[start : start + _READ_AT_ONCE], size)
            self._pixels |= found
            yield None

    def _batch(self, ids: NDArray[np.int64], fit: Any) -> Tensor:
        """Return images as a batch; grey and coloured pictures may lie side by side."""
        import torch

        return torch.cat([fit(self._pixels[int(image)][None]) for image in ids])


def _add(answers: Answers, logits: NDArray[np.float64], own: NDArray[np.int64]) -> None:
    """Add the answers to a few images; ``own`` (orders, n) is each image's column under each order."""
    spread = np.empty((len(logits), len(_TEMPERATURES)))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is never likely
        for column, temperature in enumerate(_TEMPERATURES):  # one by one: there may be 20,000 logits
            scaled = logits / temperature
            highest = scaled.max(1)
            spread[:, column] = highest + np.log(np.exp(scaled - highest[:, None]).sum(1))
    picked = np.take_along_axis(logits, own.T, axis=1)
    answers.predicted = np.concatenate([answers.predicted, logits.argmax(1)])
    answers.own = picked if not len(answers.own) else np.concatenate([answers.own, picked])
    answers.spread = np.concatenate([answers.spread, spread])


REFUSALS = (SipError, RuntimeError, ValueError, AssertionError)
"""What a network answers to images of a size that it does not take."""
