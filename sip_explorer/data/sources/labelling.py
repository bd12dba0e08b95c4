"""Labels as they stand in an array or a table, as indices into classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError

_MOST_CLASSES = 100_000


def plain_labels(values: NDArray[np.generic], count: int, what: str) -> NDArray[np.generic]:
    """Return one label an image, (N,), of numbers (N,) or (N, 1), of one-hot rows (N, C), or of texts.

    Raises
    ------
    SipError
        If there are more or fewer than ``count``, several for an image, or they are no labels.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if len(values.shape) == 0 or len(values) != count:
        many = len(values) if values.ndim else "one number"
        raise SipError(f"{what} has {many} labels for {count} images; save one label an image.")
    if values.ndim == 2 and values.dtype.kind in "biuf":
        hot = values != 0
        if (hot.sum(axis=1) == 1).all() and (values[hot] == 1).all():
            places: NDArray[np.int64] = hot.argmax(axis=1)
            return places
        raise SipError(f"{what} gives an image several of {values.shape[1]} labels; save one label an image.")
    if values.ndim != 1:
        raise SipError(f"{what} has the shape {values.shape}; save one label an image.")
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64)
        if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any():
            raise SipError(f"{what} holds fractions, no labels; save whole numbers.")
        return values.astype(np.int64)
    if values.dtype.kind in "biu":
        return values.astype(np.int64)
    if values.dtype.kind == "S":
        return np.array([text.decode("utf-8", "replace") for text in values.tolist()], dtype=np.str_)
    if values.dtype.kind == "U":
        return values
    raise SipError(f"{what} holds {values.dtype} values, no labels; save whole numbers or names.")


def numbered(
    labels: NDArray[np.generic], names: Sequence[str] | None, what: str
) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
    """Return labels as indices into classes (-1: unknown), the classes, and problems in words.

    Texts are names, sorted. Numbers are indices into ``names`` where these are given and suffice;
    else every number that occurs is a class of that name. -1 means that the label is not known.
    """
    problems: list[str] = []
    if labels.dtype.kind == "U":
        found, inverse = np.unique(labels, return_inverse=True)
        known = [str(name) for name in found.tolist()]
        if known and known[0] == "":  # an empty cell is no class
            return inverse.astype(np.int64) - 1, tuple(known[1:]), problems
        return inverse.astype(np.int64), tuple(known), problems
    numbers = labels.astype(np.int64)
    used = np.unique(numbers[numbers != -1])
    if len(used) > _MOST_CLASSES:
        raise SipError(f"{what} has {len(used)} different labels; choose the column or array of the classes.")
    if names is not None:
        if not len(used) or (used[0] >= 0 and used[-1] < len(names)):
            return numbers, tuple(names), problems
        problems.append(
            f"{what} has labels from {used[0]} to {used[-1]} but {len(names)} class names: the classes are "
            "named by their numbers."
        )
    result = np.searchsorted(used, numbers)
    result[numbers == -1] = -1
    return result, tuple(str(number) for number in used.tolist()), problems
