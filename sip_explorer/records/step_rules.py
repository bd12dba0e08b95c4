"""How a step rule is written: in files, on the command line and in tables."""

import math
from collections.abc import Sequence

from sip_explorer.records.errors import SipError

STEP_RULES = ("sign", "normalised", "raw")
GUARDS = ("add", "floor")


def step_text(rule: str, guard: Sequence[str | float] | None = None) -> str:
    """Return ``sign``, ``normalised``, ``normalised:add:1e-10``, ``normalised:floor:1e-06`` or ``raw``."""
    return rule if guard is None else f"{rule}:{guard[0]}:{float(guard[1])!r}"


def parse_step(text: str) -> tuple[str, tuple[str, float] | None]:
    """Return the rule and the guard (kind, constant) of a text as `step_text` writes it.

    Raises
    ------
    SipError
        The text is none; the sentence says what it may be.
    """
    rule, *guard = text.strip().split(":")
    try:
        if rule in STEP_RULES and not guard:
            return rule, None
        kind, constant = guard
        value = float(constant)
        if rule == "normalised" and kind in GUARDS and 0 < value < math.inf:
            return rule, (kind, value)
    except ValueError:
        pass
    raise SipError(
        f"The step rule “{text}” is unknown: write sign, normalised, normalised:add:1e-10, "
        "normalised:floor:1e-6 or raw."
    )
