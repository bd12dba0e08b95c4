"""Random numbers that belong to an image: a hash of (key, pixel), never a stream over the batch.

Integer arithmetic only, so an image gets the same numbers in every batch and on every device.
"""

from functools import lru_cache

import torch
from torch import Tensor

_WORD = (1 << 64) - 1
_GOLDEN64 = 0x9E3779B97F4A7C15
_GOLDEN32 = 0x9E3779B9


def image_keys(ids: Tensor, *parts: int) -> Tensor:
    """Return one 64-bit key per image from its id and whole numbers such as seed, epoch, restart, step.

    Parameters
    ----------
    ids
        (N,), int64.
    parts
        Whole numbers; the order matters.

    Returns
    -------
    Tensor
        (N,), int64.
    """
    word = 0
    for part in parts:
        word = _mix(word ^ (part & _WORD))
    return _mix_words(_mix_words(ids) ^ _signed(word, 64))


def content_ids(images: Tensor) -> Tensor:
    """Return an id per image that depends on its pixels alone.

    Parameters
    ----------
    images
        (N, C, H, W), float32.

    Returns
    -------
    Tensor
        (N,), int64.
    """
    bits = images.contiguous().view(torch.int32).flatten(1)
    places = _scramble(_counters(bits.shape[1], bits.device))
    return _mix_words(_scramble(bits ^ places).sum(1, dtype=torch.int64))


def symmetric_uniform(keys: Tensor, shape: torch.Size) -> Tensor:
    """Return numbers uniform over the odd multiples of 2**-23 in (-1, 1), one picture of them per key.

    Parameters
    ----------
    keys
        (N,), int64, from `image_keys`.
    shape
        (C, H, W).

    Returns
    -------
    Tensor
        (N, C, H, W), float32.
    """
    numbers = _hashes(keys, shape.numel()).bitwise_right_shift_(8).bitwise_or_(1)
    return numbers.to(torch.float32).mul_(2.0**-23).reshape(-1, *shape)


def random_signs(keys: Tensor, shape: torch.Size) -> Tensor:
    """Return -1 or 1 for every pixel; shapes as in `symmetric_uniform`."""
    return symmetric_uniform(keys, shape).sign_()


def standard_normal(keys: Tensor, shape: torch.Size) -> Tensor:
    """Return standard normal numbers (65,536 quantiles); shapes as in `symmetric_uniform`.

    Looked up rather than computed: a logarithm differs in its last bit between the vectorised body
    and the tail of a loop, which would make an image's numbers depend on its place in the batch.
    """
    places = _hashes(keys, shape.numel()).bitwise_right_shift_(16).bitwise_and_(0xFFFF)
    numbers: Tensor = _normal_quantiles(keys.device)[places]
    return numbers.reshape(-1, *shape)


def unit_interval(keys: Tensor) -> Tensor:
    """Return one number in (0, 1) per key: (N,), float64."""
    return (symmetric_uniform(keys, torch.Size((1, 1, 1))).flatten().double() + 1) / 2


@lru_cache(maxsize=4)
def _normal_quantiles(device: torch.device) -> Tensor:
    levels = (torch.arange(1 << 16, dtype=torch.float64) + 0.5) / (1 << 16)
    quantiles: Tensor = torch.special.ndtri(levels)
    return quantiles.float().to(device)


@lru_cache(maxsize=8)
def _counters(count: int, device: torch.device) -> Tensor:
    counters: Tensor = torch.arange(count, dtype=torch.int32, device=device)
    return counters.mul_(_signed(_GOLDEN32, 32))


def _hashes(keys: Tensor, count: int) -> Tensor:
    low, high = keys.to(torch.int32), (keys >> 32).to(torch.int32)
    first = _scramble(_counters(count, keys.device)[None, :] ^ low[:, None])
    return _scramble(first.add_(high[:, None]))


def _scramble(words: Tensor) -> Tensor:
    # MurmurHash3's 32-bit finaliser (Appleby, public domain). int32 products wrap; >> keeps the sign.
    words = words ^ ((words >> 16) & 0xFFFF)
    words.mul_(_signed(0x85EBCA6B, 32))
    words ^= (words >> 13) & 0x7FFFF
    words.mul_(_signed(0xC2B2AE35, 32))
    words ^= (words >> 16) & 0xFFFF
    return words


def _mix_words(words: Tensor) -> Tensor:
    # SplitMix64's finaliser (Steele et al., 2014) on int64, whose products wrap.
    words = words + _signed(_GOLDEN64, 64)
    words = (words ^ ((words >> 30) & (_WORD >> 30))) * _signed(0xBF58476D1CE4E5B9, 64)
    words = (words ^ ((words >> 27) & (_WORD >> 27))) * _signed(0x94D049BB133111EB, 64)
    return words ^ ((words >> 31) & (_WORD >> 31))


def _mix(word: int) -> int:
    word = (word + _GOLDEN64) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


def _signed(word: int, bits: int) -> int:
    return word - (1 << bits) if word >> (bits - 1) else word
