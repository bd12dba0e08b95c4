"""Which field of the recipe's form stands where, and which of them matter for what is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sip_explorer.training.any_recipe import PROTOFLOW
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.recipe import Recipe


@dataclass(frozen=True)
class Group:
    """A section of the form; ``more`` is folded away at first."""

    title: str
    first: tuple[str, ...]
    more: tuple[str, ...]


GROUPS = (
    Group(
        "Data and salience",
        ("method", "collection", "salience", "reference", "budget", "unannotated"),
        (
            "merge", "salience_layer", "salient_share", "salient_share_epochs", "limit",
            "flip", "crop_padding", "shift", "rotation", "zoom", "outside", "jitter",
        ),
    ),
    Group(
        "Flow and losses",
        (
            "layout", "components", "classification_weight", "density_weight", "consistency_weight",
            "diversity_weight", "cluster_weight",
        ),
        (
            "classification_softness", "blocks", "dequantisation", "consistency_ramp", "kmeans", "samples",
            "temperature",
        ),
    ),
    Group(
        "Attack",
        ("epsilon", "steps", "step_size", "trades_beta"),
        ("loss", "reduction", "attack_batch_size", "random_start", "attack_precision", "epsilon_warmup"),
    ),
    Group(
        "Optimiser",
        (
            "epochs", "minutes", "batch_size", "learning_rate", "mixture_learning_rate", "start", "snapshot",
            "architecture",
        ),
        (
            "warmup", "gradient_clip", "average", "micro_batch",
            "normalisation", "schedule", "schedule_epochs", "schedule_factor", "momentum", "weight_decay",
            "ema", "accumulate", "precision", "channels_last", "compile",
        ),
    ),
    Group(
        "Run",
        ("name", "place", "device", "seed"),
        (
            "snapshot_every", "best", "patience", "validation_fraction", "validation_images",
            "validation_steps",
        ),
    ),
)  # fmt: skip

_CLASSIFIERS = frozenset(Recipe.rules()) - frozenset(ProtoFlowRecipe.rules())
_FLOWS = frozenset(ProtoFlowRecipe.rules()) - frozenset(Recipe.rules())

ELSEWHERE = frozenset({"annotator"})
"""Fields of a recipe that the form does not ask for: who paints is chosen for the whole window."""


def groups(fields: Iterable[str]) -> tuple[Group, ...]:
    """Return the groups with every field of a recipe in them; one without a place goes to the last."""
    known = {key for group in GROUPS for key in (*group.first, *group.more)} | ELSEWHERE
    homeless = tuple(key for key in fields if key not in known)
    last = GROUPS[-1]
    return (*GROUPS[:-1], Group(last.title, last.first, (*last.more, *homeless)))


def needless(values: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that decide nothing under ``values``; a recipe has their default."""
    if values["method"] == PROTOFLOW:
        ramp = (
            () if str(values["consistency_weight"]).strip() not in ("", "0", "0.0") else ("consistency_ramp",)
        )
        return _CLASSIFIERS | {"reference", *ramp}
    method, sources = values["method"], str(values["salience"]).split("-else-")
    salient = method == "sip-at" and sources != ["none"]
    maps = salient and not {"grad-cam", "integrated-gradients"}.isdisjoint(sources)
    matters = {
        "salience": method == "sip-at",
        "reference": maps,
        "merge": salient and "painted" in sources,
        "salience_layer": salient and "grad-cam" in sources,
        "budget": salient,
        "unannotated": salient,
        "salient_share": salient,
        "salient_share_epochs": salient and str(values["salient_share"]).strip() not in ("", "0", "0.0"),
        "trades_beta": method == "trades",
        "loss": method in ("adversarial", "sip-at"),
        "random_start": method in ("adversarial", "sip-at"),
        "attack_batch_size": method != "clean" and values["reduction"] == "mean",
        "architecture": not values["start"],
        "normalisation": not values["start"],
        "schedule_epochs": values["schedule"] == "step",
        "schedule_factor": values["schedule"] == "step",
    }
    for key in ("steps", "step_size", "reduction", "attack_precision", "epsilon_warmup"):
        matters[key] = method != "clean"
    return _FLOWS | {key for key, does in matters.items() if not does}
