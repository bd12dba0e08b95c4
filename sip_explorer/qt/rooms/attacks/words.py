"""How the Attack room says norms, epsilons, losses and steps."""

from __future__ import annotations

from sip_explorer.records.epsilon import format_epsilon, in_255ths

NORMS = {"linf": "L∞", "l2": "L2"}
LOSSES = {
    "log-odds": "log-odds",
    "ce": "cross-entropy (CE)",
    "margin": "margin",
    "dlr": "difference of logits ratio (DLR)",
    "rescaled-ce": "rescaled cross-entropy",
    "mifpe": "cross-entropy over the margin (MIFPE)",
}
SHORT_LOSSES = {"ce": "CE", "dlr": "DLR", "rescaled-ce": "rescaled CE", "mifpe": "MIFPE"}
REDUCTIONS = {"sum": "sum over the batch", "mean": "mean over the batch"}
PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
STEPS = {
    "linf": {"sign": "sign of the gradient", "raw": "raw gradient × 1"},
    "l2": {
        "normalised": "unit length",
        "normalised:add:1e-10": "g / (‖g‖ + 10⁻¹⁰)",
        "normalised:floor:1e-06": "g / max(‖g‖, 10⁻⁶)",
        "raw": "raw gradient × 1",
    },
}
"""Step rules that make sense in a norm, as sweep files write them; the first one is the usual one."""

_SHORT_STEPS = {
    "raw": "raw steps",
    "normalised:add:1e-10": "guard + 10⁻¹⁰",
    "normalised:floor:1e-06": "guard ≥ 10⁻⁶",
}
_USUAL_STEPS = ("sign", "normalised", "adaptive")


def radius(epsilon: float, norm: str) -> str:
    """Return epsilon in short: ``8/255`` in L∞, a plain number in L2."""
    return in_255ths(epsilon) if norm == "linf" else f"{epsilon:g}"


def whole_radius(epsilon: float, norm: str) -> str:
    """Return epsilon in full: ``8/255 = 0.0314`` in L∞, a plain number in L2."""
    return format_epsilon(epsilon) if norm == "linf" else f"{epsilon:g}"


def short_loss(loss: str) -> str:
    """Return a loss as curves and lists name it."""
    return SHORT_LOSSES.get(loss, loss)


def short_step(step: str) -> str:
    """Return a step rule as curves and lists name it; empty for the usual one of the norm."""
    return "" if step in _USUAL_STEPS else _SHORT_STEPS.get(step, step)


def percent(share: float) -> str:
    """Return a share in [0, 1] as ``61.2 %``."""
    return f"{100 * share:.1f} %"
