"""Which salience the chosen images carry, counted and said before a run starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace


@dataclass(frozen=True)
class SalienceCount:
    """``painted`` of ``images`` chosen images have a mask of the annotator (or are empty on purpose)."""

    images: int
    painted: int
    annotator: str


def count_salience(workspace: Workspace, collection: str, annotator: str) -> SalienceCount:
    """Count the training images of a collection ("": all) and those that ``annotator`` painted."""
    ids = workspace.image_ids(split="train", collection=collection or None)
    ids = ids[workspace.labels(ids) >= 0]
    known = annotator.casefold() in [someone.name.casefold() for someone in workspace.annotators()]
    states = workspace.states(ids, annotator) if known and len(ids) else []
    return SalienceCount(len(ids), sum(state in ("painted", "empty") for state in states), annotator)


def salience_sentence(count: SalienceCount, method: str, policy: str, reference: str) -> str:
    """Say how many of the chosen images would carry which salience."""
    total, painted, rest = count.images, count.painted, count.images - count.painted
    if not total:
        return "There are no training images here: choose other images."
    if method == "clean":
        return f"{total:,} images; clean training attacks none, so it needs no salience."
    if method == "adversarial":
        return f"{total:,} images; adversarial training may move every pixel, so it needs no salience."
    if policy == "none":
        return f"{total:,} images without salience: every pixel may move, as in adversarial training."
    if policy == "grad-cam":
        unused = f"; the {painted:,} painted are not used" if painted else ""
        return f"{total:,} images would get Grad-CAM of {reference or 'no model yet'}{unused}."
    words = f"{painted:,} of {total:,} painted by {count.annotator}"
    if not rest:
        return f"{words}."
    if policy == "painted":
        return f"{words}; the other {rest:,} carry no salience, so every pixel of them may move."
    return f"{words}; {rest:,} would get Grad-CAM of {reference or 'no model yet'}."
