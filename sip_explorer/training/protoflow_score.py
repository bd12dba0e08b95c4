"""How well a ProtoFlow classifies and compresses images it was not trained on."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sip_explorer.data import to_float
from sip_explorer.protoflow import ProtoFlow
from sip_explorer.records import CancelToken, Event
from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.protoflow_noise import levels_of
from sip_explorer.training.protoflow_tally import Densities, FlowTally
from sip_explorer.training.ranks import Ranks


@dataclass(frozen=True)
class ProtoFlowScore:
    """Means over ``images`` images, each scored with ``draws`` draws of the dequantisation noise.

    Attributes
    ----------
    images, draws, views
        How many. ``views`` (with the image itself) enter ``accuracy`` and ``calibration_error`` alone.
    accuracy
        In [0, 1]: the largest class log-likelihood, averaged over draws and views (arXiv 2407.12200).
    bits_per_dimension
        Of log p(x) with equal class priors, the mean over the draws: an upper bound on that of 8-bit images.
    bits_per_dimension_best_class
        The ProtoFlow authors' convention: the largest class instead of the mixture; optimistic by at
        most ln C/(D ln 2).
    class_bits_per_dimension
        Of log p(x | its own class).
    importance_bits_per_dimension, importance_bits_per_dimension_best_class
        Of the log of the mean of p over the draws (importance weighting, Burda et al. 2016, arXiv
        1509.00519): closer to the truth, with the number of draws; the same as above for one draw.
    importance_accuracy
        Of the largest class under that mean, without views.
    calibration_error
        Expected calibration error of p(c|x) over 15 bins.
    parts
        The terms of ``bits_per_dimension``: "half 1" and on, "latent", "log-determinant" (with
        dequantisation); they add up to it.
    usage
        usage[class][component]: share of the images that this prototype is responsible for, by the largest
        p(c, k|x); they add up to 1.
    """

    images: int
    draws: int
    views: int
    accuracy: float
    bits_per_dimension: float
    bits_per_dimension_best_class: float
    class_bits_per_dimension: float
    importance_bits_per_dimension: float
    importance_bits_per_dimension_best_class: float
    importance_accuracy: float
    calibration_error: float
    parts: dict[str, float]
    usage: tuple[tuple[float, ...], ...]


def score_protoflow(
    flow: ProtoFlow,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    *,
    micro_batch: int = 64,
    seed: int = 0,
    draws: int = 1,
    views: int = 1,
    augmentation: Augmentation | None = None,
    ranks: Ranks | None = None,
    token: CancelToken | None = None,
    partly: bool = False,
) -> Generator[Event | None, None, ProtoFlowScore]:
    """Score a flow in eval(); the generator's return value is a `ProtoFlowScore`. Yields breaths.

    Parameters
    ----------
    flow
        Its parameters stay, and its mode is put back.
    images, labels
        uint8 (N, H, W, C) and int64 (N,).
    micro_batch
        Images per pass.
    seed, draws
        Draw d is the noise of seed + d, as in `ProtoFlow.log_likelihood`.
    views, augmentation
        Test-time augmentation: so many views of each image, the first the image itself, the others by
        ``augmentation`` (5 in arXiv 2407.12200).
    ranks
        Where there are several processes: ``images`` are this one's share, the score is of all.
    token
        ``cancel`` ends it.
    partly
        Whether ``stop`` ends it after the first pass at the earliest, with the score of the images so far.
        A training that stops still needs the score of all: it compares it with earlier ones.
    """
    was_training = flow.training
    flow.eval()
    tally = FlowTally(flow, draws, views)
    device = flow.mixture.mean.device
    try:
        for start in range(0, len(images), micro_batch):
            if token is not None:
                token.check()
                if partly and token.stopping and start:
                    break
            rows = slice(start, start + micro_batch)
            pixels = to_float(images[rows]).to(device)
            truth = torch.from_numpy(np.asarray(labels[rows], np.int64)).to(device)
            with torch.no_grad():
                found = [_densities(flow, pixels, seed + draw) for draw in range(draws)]
                others = []
                for view in range(1, views):
                    ids = torch.arange(start, start + len(pixels))
                    moved = pixels if augmentation is None else augmentation(pixels, None, ids, view)[0]
                    others += [_densities(flow, moved, seed + draw).per_class for draw in range(draws)]
                tally.add(found, others, truth)
            yield None
    finally:
        flow.train(was_training)
    return _score(flow, tally, ranks)


def _densities(flow: ProtoFlow, images: Tensor, seed: int) -> Densities:
    levels = levels_of(images).to(flow.mixture.mean)
    backbone = flow.backbone
    u = backbone.draw_noise(levels, seed)
    out = flow.transform((levels + u) / 256, backbone.draw_eta(len(levels), seed))
    halves = [-0.5 * (half.square() + math.log(2 * math.pi)).sum((1, 2, 3)) for half in out.halves]
    change = out.log_det + out.log_prior - backbone.log_q(levels, u) - flow.dimensions * math.log(256)
    joint = flow.component_log_likelihood(out.z)
    of_class = torch.logsumexp(joint, 2)
    latent = torch.logsumexp(of_class, 1) - math.log(len(flow.classes))
    rest = change - sum(halves, torch.zeros_like(change))
    return Densities(
        change[:, None] + of_class, joint.flatten(1).argmax(1), torch.stack([*halves, latent, rest], 1)
    )


def _score(flow: ProtoFlow, tally: FlowTally, ranks: Ranks | None) -> ProtoFlowScore:
    sums = tally.sums if ranks is None else ranks.sum(tally.sums)
    figures, parts, usage, gaps = tally.split(sums.cpu())
    count = float(figures[0])
    bits = -1 / (flow.dimensions * math.log(2) * count) if count else math.nan
    shares = figures[1:] / count if count else figures[1:] * math.nan
    total, best, own, mean_total, mean_best = (float(value) * bits for value in figures[3:])
    names = [*(f"half {number}" for number in range(1, len(parts) - 1)), "latent", "log-determinant"]
    return ProtoFlowScore(
        int(count),
        tally.draws,
        tally.views,
        float(shares[0]),
        total,
        best,
        own,
        mean_total,
        mean_best,
        float(shares[1]),
        float(gaps.abs().sum() / count) if count else math.nan,
        {name: float(value) * bits for name, value in zip(names, parts, strict=True)},
        tuple(tuple(row) for row in (usage / max(count, 1)).tolist()),
    )
