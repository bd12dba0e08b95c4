"""The ways of proposing salience, in words that need no course."""

from __future__ import annotations

from typing import NamedTuple

from sip_explorer.workspace.proposals import ProposalEntry
from sip_explorer.workspace.proposing import ASKING_A_MODEL, Source

NO_MODEL = "There is no model to ask: add one (File, Add a trained model…) or choose another way."


class Method(NamedTuple):
    """``words`` on the choice, ``short`` in a sentence, ``meaning`` below the choice."""

    key: str
    words: str
    short: str
    meaning: str


METHODS = {
    method.key: method
    for method in (
        Method(
            "grad-cam",
            "Where the model looks (Grad-CAM)",
            "Grad-CAM",
            "The regions whose features speak for the class. Fast and coarse.",
        ),
        Method(
            "integrated-gradients",
            "Pixel by pixel (integrated gradients)",
            "Integrated gradients",
            "How much each pixel adds to the score of the class. Fine, and speckled on photos.",
        ),
        Method(
            "occlusion",
            "Cover and see (occlusion)",
            "Occlusion",
            "A grey square moves over the image: where the class loses score, something mattered. Slow.",
        ),
        Method(
            "object-prior",
            "What stands out (no model)",
            "What stands out",
            "Regions unlike the image's border and near its middle. It knows no classes.",
        ),
        Method(
            "propagation",
            "As on a painted image (propagation)",
            "Propagation",
            "Your mask of the most similar image of this class, moved and scaled to where it fits.",
        ),
    )
}


def needs_model(method: str) -> bool:
    """Whether the method asks a model."""
    return method in ASKING_A_MODEL


def told(entry: ProposalEntry) -> str:
    """Return what a kept proposal is, in one line without a full stop."""
    method = METHODS.get(entry.method)
    name = method.short if method is not None else entry.method
    source = Source.of(entry.detail)
    if source is not None:
        by = f", found by {entry.model}" if entry.model else ""
        return f"{name} of your mask of image {source.image}{by}"
    of = f" of {entry.model}" if entry.model else ""
    about = entry.detail.rpartition("class ")
    return f"{name}{of} for {about[2]}" if about[1] and about[2] else f"{name}{of}"
