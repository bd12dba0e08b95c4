"""The practice set: images whose answer is known, to learn the guideline on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, Progress, SipError
from sip_explorer.salience import Patch
from sip_explorer.state.reviewing import Reviewing
from sip_explorer.state.stratified import stratified

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

Mask = NDArray[np.uint8]

PRACTICE = "practice"
"""Name of the collection, and of the setting that names it."""
SOURCES = {
    "segmentations": "segmentations of the data",
    "adjudicated": "the agreed masks",
    "mine": "my own masks",
}


@dataclass(frozen=True)
class Score:
    """How near masks are to the known answers: IoU and Dice, means over ``images``."""

    iou: float
    dice: float
    images: int


def images_with_answers(workspace: Workspace, images: list[int], source: str, annotator: str) -> list[int]:
    """Return those of ``images`` for which ``source`` (of `SOURCES`) has an answer, in order. Disk thread."""
    if source == "segmentations":
        return workspace.segmented(images)
    agreed = workspace.annotators("adjudicated")
    if source == "adjudicated" and not agreed:
        return []
    who = agreed[0].name if source == "adjudicated" else annotator
    states = workspace.states(images, who)
    return [i for i, state in zip(images, states, strict=True) if state in ("painted", "empty")]


def find_answers(
    workspace: Workspace,
    images: list[int],
    source: str,
    annotator: str,
    count: int,
    seed: int,
    token: CancelToken,
) -> Iterator[Event | None]:
    """Draw at most ``count`` images that have an answer, each class its share, and read the answers.

    Every `Artefact` "answer" brings (image, mask uint8 (H, W)); the last one, "drawn", all ids.

    Raises
    ------
    SipError
        If no image has an answer.
    """
    there = images_with_answers(workspace, images, source, annotator)
    yield None
    if not there:
        raise SipError(
            f"None of the images listed has an answer among {SOURCES[source]}: list others, or choose "
            "other answers."
        )
    ids = np.array(there, np.int64)
    drawn = stratified(ids, workspace.labels(ids), count, seed)
    agreed = workspace.annotators("adjudicated")
    who = agreed[0].name if source == "adjudicated" and agreed else annotator
    for done, image in enumerate(drawn.tolist(), start=1):
        token.check()
        mask = (
            workspace.segmentations([image])[image]
            if source == "segmentations"
            else workspace.mask(image, who)
        )
        yield Artefact("answer", data=(image, np.asarray(mask, np.uint8)))
        yield Progress(done, len(drawn), f"{done:,} of {len(drawn):,} answers")
    yield Artefact("drawn", data=drawn)


def take_answer(reviewing: Reviewing, image: int, mask: Mask) -> None:
    """Keep a known answer; the one that was there stays in its history.

    Raises
    ------
    SipError
        If it does not fit the image, or nothing can be written.
    """
    workspace = reviewing.workspace
    who = workspace.answers()
    before = workspace.mask(image, who.id)
    if before.shape != mask.shape:
        raise SipError(
            f"The answer of {workspace.image_name(image)} is of another size: leave the image out."
        )
    patch = Patch.between(before, mask)
    if patch is not None:
        reviewing.session.painting.apply(image, patch, "answer", annotator=who.name)
    elif not mask.any() and workspace.states([image], who.id)[0] == "unpainted":
        workspace.set_state(image, who.id, "empty")


def score(
    workspace: Workspace, images: list[int], annotator: str, token: CancelToken
) -> Iterator[Event | None]:
    """Compare the masks that ``annotator`` finished with the answers; the `Artefact` brings a `Score`."""
    from sip_explorer.salience.agreement import dice, iou

    known = workspace.annotators("answers")
    ious, dices = [], []
    if known:
        mine = workspace.states(images, annotator)
        theirs = workspace.states(images, known[0].id)
        for image, state, answered in zip(images, mine, theirs, strict=True):
            token.check()
            if state in ("painted", "empty") and answered != "unpainted":
                pair = workspace.mask(image, annotator), workspace.mask(image, known[0].id)
                ious.append(float(iou(*pair)))
                dices.append(float(dice(*pair)))
            yield None
    count = len(ious)
    yield Artefact("score", data=Score(sum(ious) / count, sum(dices) / count, count) if count else None)
