"""Noise that is a function of (seed, what it is for, index), whatever batch it travels in."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

DEQUANTISATION, LATENT, HALVES, ETA = 0, 1, 2, 3


def normal(shape: Sequence[int], seed: int, purpose: int, indices: Sequence[int], part: int = 0) -> Tensor:
    """Return N(0, 1) noise, float32 (len(indices), *shape), row i keyed by indices[i].

    Counter-based (Philox, Salmon et al. 2011): the key is (seed, index), the counter (purpose, part).
    """
    rows = [_generator(seed, purpose, index, part).standard_normal(tuple(shape)) for index in indices]
    return _tensor(rows, shape)


def uniform(shape: Sequence[int], seed: int, purpose: int, indices: Sequence[int], part: int = 0) -> Tensor:
    """Return noise in [0, 1), float32 (len(indices), *shape), keyed as in `normal`."""
    rows = [_generator(seed, purpose, index, part).random(tuple(shape), np.float32) for index in indices]
    return _tensor(rows, shape)


def _tensor(rows: list[np.ndarray], shape: Sequence[int]) -> Tensor:
    stacked = np.stack(rows) if rows else np.zeros((0, *shape))
    return torch.from_numpy(stacked.astype(np.float32))


def _generator(seed: int, purpose: int, index: int, part: int) -> np.random.Generator:
    key = np.array([seed % 2**64, index % 2**64], np.uint64)
    counter = np.array([0, 0, part, purpose], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
