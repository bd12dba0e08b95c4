"""How well a ProtoFlow classifies and compresses images it was not trained on."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_explorer.data import to_float
from sip_explorer.protoflow import ProtoFlow
from sip_explorer.records import CancelToken, Event


@dataclass(frozen=True)
class ProtoFlowScore:
    """Means over ``images`` images.

    ``accuracy`` is a fraction; ``bits_per_dimension`` of log p(x) with equal class priors, and
    ``bits_per_dimension_best_class`` in the ProtoFlow authors' convention (largest class), one draw
    of the dequantisation noise; ``class_bits_per_dimension`` of log p(x | its own class);
    ``calibration_error`` the expected calibration error of p(c|x) over 15 bins.
    """

    images: int
    accuracy: float
    bits_per_dimension: float
    bits_per_dimension_best_class: float
    class_bits_per_dimension: float
    calibration_error: float


def score_protoflow(
    flow: ProtoFlow,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    *,
    micro_batch: int = 64,
    seed: int = 0,
    token: CancelToken | None = None,
) -> Generator[Event | None, None, ProtoFlowScore]:
    """Yield breaths; the generator's return value is a `ProtoFlowScore`.

    ``images`` are uint8 (N, H, W, C). Parameters stay, and the flow's mode is put back.
    """
    was_training = flow.training
    flow.eval()
    try:
        parts = []
        for start in range(0, len(images), micro_batch):
            if token is not None:
                token.check()
            found = flow.log_likelihood(to_float(images[start : start + micro_batch]), seed)
            parts.append((found.per_class, found.bits_per_dimension, found.bits_per_dimension_best_class))
            yield None
    finally:
        flow.train(was_training)
    per_class, bits, best = (torch.cat(column).cpu().double() for column in zip(*parts, strict=True))
    truth = torch.from_numpy(np.asarray(labels, np.int64))
    own = per_class.gather(1, truth[:, None])[:, 0]
    confidence, predicted = torch.softmax(per_class, 1).max(1)
    correct = predicted == truth
    return ProtoFlowScore(
        len(images),
        float(correct.double().mean()),
        float(bits.mean()),
        float(best.mean()),
        float(-own.mean() / (flow.dimensions * math.log(2))),
        _calibration_error(confidence, correct),
    )


def _calibration_error(confidence: torch.Tensor, correct: torch.Tensor, bins: int = 15) -> float:
    places = (confidence * bins).long().clamp(0, bins - 1)
    gaps = torch.zeros(bins, dtype=torch.float64).index_add_(0, places, confidence - correct.double())
    return float(gaps.abs().sum() / len(confidence))
