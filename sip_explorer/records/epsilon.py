"""Epsilon as people write it: 8/255 or 0.0314, always shown as both."""

import math
import re

_FRACTION = re.compile(r"^\s*([0-9]*\.?[0-9]+)\s*/\s*255\s*$")


def parse_epsilon(text: str, largest: float = 1.0) -> float:
    """Return epsilon from ``n/255`` or a plain number.

    Parameters
    ----------
    text
        As a person writes it.
    largest
        In L∞ 1; in L2 the diagonal of the images' unit cube, infinite where their size is not known.

    Raises
    ------
    ValueError
        With a sentence, where the text is neither or lies outside 0 to ``largest``.
    """
    fraction = _FRACTION.match(text)
    try:
        value = float(fraction[1]) / 255 if fraction else float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"Epsilon “{text}” is not a number: write 8/255 or 0.031.") from None
    if not math.isfinite(value) or not 0 <= value <= largest:
        limits = f"outside 0 to {largest:g}" if math.isfinite(largest) else "below 0"
        raise ValueError(f"Epsilon {text} lies {limits}: write 8/255 or 0.031.")
    return value


def parse_epsilons(text: str, largest: float = 1.0) -> tuple[float, ...]:
    """Return the epsilons of a comma- or space-separated list, ascending and without repeats."""
    parts = [part for part in re.split(r"[;,\s]+", re.sub(r"\s*/\s*", "/", text.strip())) if part]
    if not parts:
        raise ValueError("No epsilon is given: write for example 0, 2/255, 8/255.")
    return tuple(sorted({parse_epsilon(part, largest) for part in parts}))


def format_epsilon(value: float) -> str:
    """Return epsilon in 255ths and as a fraction: ``8/255 = 0.0314``."""
    return f"{in_255ths(value)} = {value:.4g}"


def in_255ths(value: float) -> str:
    """Return epsilon as n/255, with one decimal where n is not whole."""
    n = value * 255
    return f"{n:.0f}/255" if abs(n - round(n)) < 0.005 else f"{n:.1f}/255"
