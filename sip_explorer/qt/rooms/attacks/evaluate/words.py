"""How an evaluation says its attacks and their runs, and the colour of each run."""

from __future__ import annotations

import re

from sip_explorer.qt.theme import SERIES

# The same as `attacks.standard_attacks`, which brings torch with it: the form is shown before torch is there.
ATTACKS = {
    "pgd": "PGD, 20 steps, log-odds",
    "apgd": "APGD, 100 steps, log-odds",
    "apgd-ce+t": "APGD on CE and targeted DLR",
    "autoattack": "AutoAttack, standard",
}
SHORT_ATTACKS = {"pgd": "PGD", "apgd": "APGD", "apgd-ce+t": "APGD CE+T", "autoattack": "AutoAttack"}
"""As headings of columns."""

REGION_WORDS = {
    "everywhere": "everywhere",
    "salient": "salient region only",
    "background": "background only",
}
LONG = "autoattack"
"""The attack that takes long."""

WRONG, STANDS = "wrong without any attack", "stands"
_RUNS = {
    "pgd": "PGD",
    "log-odds": "APGD on log-odds",
    "ce": "APGD on CE",
    "apgd-ce": "APGD on CE",
    "targeted-dlr": "APGD on targeted DLR",
    "apgd-t": "APGD on targeted DLR",
    "fab-t": "FAB, targeted",
    "square": "Square",
}
_INKS = dict(zip(dict.fromkeys(_RUNS.values()), (0, 5, 1, 4, 3, 2), strict=True))


def run_words(run: str) -> str:
    """Return a run in words, without the rank of its target and the number of its restart."""
    kind = re.sub(r"( \d+)?( restart \d+)?$", "", run)
    return _RUNS.get(kind, kind)


def run_ink(words: str) -> str:
    """Return the colour of a run, #RRGGBB."""
    return SERIES[_INKS.get(words, 0)]
