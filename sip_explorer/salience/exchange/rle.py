"""Run lengths as COCO writes them: column by column, first zeros, then ones, in turn.

The compressed string holds each run as the difference to the run two before it (from the fourth
run on), 5 bits a character, lowest first, bit 6 where more follow, plus 48; the last group's highest
bit is the sign. After the description in pycocotools' ``maskApi.c``, P. Dollár and T.-Y. Lin 2014.
"""

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.foreign import Mask, refuse_size

_DIGITS = 10  # 5-bit groups of one run: enough for any mask that is opened


def counts_of(mask: NDArray[np.bool_]) -> list[int]:
    """Return the run lengths of a mask (H, W), at least one pixel."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *runs] if flat[0] else runs


def compressed(counts: list[int]) -> str:
    """Return run lengths as COCO's string."""
    values = np.asarray(counts, np.int64)
    values[3:] -= np.asarray(counts[1:-2], np.int64)
    digits, used = [], []
    going = np.ones(len(values), bool)
    while going.any():
        digit = values & 31
        values = values >> 5
        more = np.where(digit & 16, values != -1, values != 0)
        digits.append(digit | (more.astype(np.int64) << 5))
        used.append(going)
        going = going & more
    characters = np.stack(digits, axis=1)[np.stack(used, axis=1)] + 48
    return bytes(characters.astype(np.uint8)).decode("ascii")


def decompressed(text: str, what: str) -> NDArray[np.int64]:
    """Return the run lengths in COCO's string.

    Raises
    ------
    SipError
        If it holds other characters, ends within a number, or a number is absurd.
    """
    digits = np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.int64) - 48
    if not len(digits) or digits.min() < 0 or digits.max() > 63:
        raise SipError(f"{what} is no compressed run lengths: it holds other characters; write it again.")
    last = (digits & 32) == 0
    if not last[-1]:
        raise SipError(f"{what} is cut short within a run length: write it again.")
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _DIGITS:
        raise SipError(f"{what} holds a run length that no mask has: write it again.")
    place = np.arange(len(digits)) - np.repeat(starts, lengths)
    values = np.add.reduceat((digits & 31) << (5 * place), starts)
    values -= np.where(digits[ends] & 16, np.int64(1) << (5 * lengths), 0)
    if np.abs(values).max() > 1 << 32:
        raise SipError(f"{what} holds a run length that no mask has: write it again.")
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs


def mask_from(segmentation: object, what: str) -> Mask:
    """Return the mask, uint8 (H, W) of 0 and 255, of ``{"size": [H, W], "counts": string or list}``.

    Raises
    ------
    SipError
        If the size is absurd, the runs are negative, no numbers, or do not fill the mask.
    """
    size = segmentation.get("size") if isinstance(segmentation, dict) else None
    counts = segmentation.get("counts") if isinstance(segmentation, dict) else None
    if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int for side in size):
        raise SipError(f"{what} has run lengths without a size of two whole numbers: write it again.")
    height, width = size
    refuse_size(height, width, what)
    if isinstance(counts, str):
        runs = decompressed(counts, what)
    elif isinstance(counts, list) and counts and all(type(run) is int for run in counts):
        if max(counts) > 1 << 32 or min(counts) < 0:
            raise SipError(f"{what} holds a run length that no mask has: write it again.")
        runs = np.asarray(counts, np.int64)
    else:
        raise SipError(f"{what} has neither a string nor a list of whole numbers as run lengths.")
    if runs.min() < 0:
        raise SipError(f"{what} has a run of {runs.min()} pixels: write it again.")
    if runs.sum() != height * width:
        raise SipError(
            f"{what} has runs of {runs.sum():,} pixels in all for {width} x {height} = "
            f"{height * width:,}: it is cut short or belongs to another size; write it again."
        )
    values = np.where(np.arange(len(runs)) % 2, 255, 0).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(values, runs).reshape((height, width), order="F"))
