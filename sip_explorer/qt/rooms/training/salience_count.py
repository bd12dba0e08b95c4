"""Which salience the chosen images carry, counted and said before a run starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

MAPS = {"grad-cam": "Grad-CAM", "integrated-gradients": "integrated gradients"}
"""Sources that a model computes."""
GIVEN = {"segmentation": "a segmentation", "boxes": "boxes"}
"""Sources that come with the images."""


@dataclass(frozen=True)
class SalienceCount:
    """``painted`` of ``images`` chosen images have a mask of the annotator (or are empty on purpose)."""

    images: int
    painted: int
    annotator: str


def count_salience(workspace: Workspace, collection: str, annotator: str) -> SalienceCount:
    """Count the training images of a collection ("": all) and those painted by ``annotator`` ("": anyone)."""
    ids = workspace.image_ids(split="train", collection=collection or None)
    ids = ids[workspace.labels(ids) >= 0]
    painted: set[int] = set()
    for someone in workspace.annotators(None if annotator else "person"):
        if len(ids) and (not annotator or someone.name.casefold() == annotator.casefold()):
            states = workspace.states(ids, someone.name)
            painted |= {row for row, state in enumerate(states) if state in ("painted", "empty")}
    return SalienceCount(len(ids), len(painted), annotator or "anyone")


def salience_sentence(count: SalienceCount, method: str, policy: str, reference: str) -> str:
    """Say how many of the chosen images would carry which salience."""
    total = count.images
    if not total:
        return "There are no training images here: choose other images."
    if method == "protoflow":
        return f"{total:,} images; a ProtoFlow learns how they are made, so it needs no salience."
    if method == "clean":
        return f"{total:,} images; clean training attacks none, so it needs no salience."
    if method in ("adversarial", "trades"):
        word = "TRADES" if method == "trades" else "adversarial training"
        return f"{total:,} images; {word} may move every pixel, so it needs no salience."
    if policy == "none":
        return f"{total:,} images without salience: every pixel may move, as in adversarial training."
    first, _, then = policy.partition("-else-")
    if first == "painted":
        return _painted(count, then, reference)
    unused = f"; the {count.painted:,} painted are not used" if count.painted else ""
    if first in MAPS:
        return f"{total:,} images would get {_map_of(first, reference)}{unused}."
    rest = f"others would get {_map_of(then, reference)}" if then else "others carry no salience"
    return f"{total:,} images: those with {GIVEN[first]} carry it, {rest}{unused}."


def _painted(count: SalienceCount, then: str, reference: str) -> str:
    """The same where painted masks come first."""
    rest = count.images - count.painted
    words = f"{count.painted:,} of {count.images:,} painted by {count.annotator}"
    if not rest:
        return f"{words}."
    if not then:
        return f"{words}; the other {rest:,} carry no salience, so every pixel of them may move."
    if then in MAPS:
        return f"{words}; {rest:,} would get {_map_of(then, reference)}."
    return f"{words}; of the other {rest:,} those with {GIVEN[then]} carry it."


def _map_of(source: str, reference: str) -> str:
    return f"{MAPS[source]} of {reference or 'no model yet'}"
