"""JSON that someone else wrote: read as a whole, and checked piece by piece where it is used."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.records.atomic import write_text
from sip_explorer.salience.exchange.foreign import Mask
from sip_explorer.salience.shapes import fill_polygon

JSON = frozenset({".json"})
_MOST_CROSSINGS = 20_000_000  # of outlines with rows: some hundred megabytes


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    SipError
        If it cannot be read, or holds no object.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}): choose another file.") from None
    except (ValueError, RecursionError) as error:
        raise SipError(f"{path} is no JSON ({error}): it is cut short or damaged; write it again.") from None
    if not isinstance(content, dict):
        raise SipError(f"{path} holds no JSON object, as labelme's and COCO's files do: choose another file.")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object, whole or not at all."""
    write_text(path, json.dumps(content, ensure_ascii=False))


def is_size(value: object) -> bool:
    """Whether this is a whole number that can be a height or a width."""
    return type(value) is int and value > 0


def numbers(value: object, what: str) -> NDArray[np.float64]:
    """Return a list of finite numbers as float64 (n,).

    Raises
    ------
    SipError
        If it is anything else.
    """
    fits = isinstance(value, list) and all(
        type(number) in (int, float) and abs(number) < 1e12 and math.isfinite(number) for number in value
    )
    if not fits:
        raise SipError(f"{what} is no list of numbers: write it again.")
    return np.asarray(value, np.float64)


def add_polygon(mask: Mask, points: NDArray[np.float64], what: str) -> bool:
    """Fill a polygon, float64 (n, 2) of (x, y), with 255; whether it reaches beyond the image.

    What reaches beyond is cut off.

    Raises
    ------
    SipError
        If the polygon has fewer than three corners, or far more than a person draws.
    """
    if len(points) < 3:
        raise SipError(f"{what} has {len(points)} corners: a polygon has three or more.")
    height, width = mask.shape
    rows = np.clip(points[:, 1], 0, height)
    if np.abs(np.diff(rows, append=rows[:1])).sum() > _MOST_CROSSINGS:
        raise SipError(f"{what} has {len(points):,} corners, too many to be filled: draw it with fewer.")
    fill_polygon(mask, points, 255)
    return bool((points < 0).any() or (points > (width, height)).any())
