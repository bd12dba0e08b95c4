"""Everyone's masks of one image, and their merges, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, SipError
from sip_explorer.salience import MERGES, PROTECTED, merged

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

Mask = NDArray[np.uint8]

SIDE = 640
"""Pixels of the longer side of what is shown."""
MERGE_COLOUR = "#0072B2"
"""Of no person among the first five, and seen on light and dark alike."""
MERGE_WORDS = {
    "mean": "Mean",
    "majority": "Majority",
    "union": "Union",
    "intersection": "Intersection",
    "staple": "STAPLE",
}


@dataclass(frozen=True)
class Opinion:
    """One mask of the image: a person's, a merge, or the agreed one.

    Attributes
    ----------
    kind : str
        "person", "merge" or "adjudicated".
    key : int or str
        The annotator's id, or the name of the merge.
    mask : uint8 (h, w)
        Of the size of the comparison's picture.
    share : float
        Of the image's pixels, how many are salient (value 128 or more).
    state, verdict : str
        The review state, and "checked", "disputed" or "".
    """

    kind: str
    key: int | str
    name: str
    colour: str
    mask: Mask
    share: float
    state: str = "painted"
    verdict: str = ""


@dataclass(frozen=True)
class Comparison:
    """One image, uint8 (h, w, C) at most `SIDE` long, and what people say of it.

    ``ious`` has (first name, second name, IoU) of every pair of people who finished it, the worst first.
    """

    image: int
    picture: NDArray[np.uint8]
    opinions: list[Opinion]
    ious: list[tuple[str, str, float]] = field(default_factory=list)

    def of(self, kind: str) -> list[Opinion]:
        """Return the opinions of one kind."""
        return [opinion for opinion in self.opinions if opinion.kind == kind]


def compare(workspace: Workspace, image: int, token: CancelToken) -> Iterator[Event | None]:
    """Read and merge the masks of one image; the last event brings the `Comparison`. Disk thread."""
    from sip_explorer.salience.agreement import iou

    people = workspace.annotators()
    agreed = workspace.annotators("adjudicated")
    picture = workspace.thumbnail(image, SIDE)
    yield None
    opinions: list[Opinion] = []
    masks: dict[str, Mask] = {}
    for person in (*people, *agreed):
        token.check()
        state = workspace.states([image], person.id)[0]
        if state == "unpainted":
            continue
        mask = workspace.mask(image, person.id)
        verdict = workspace.checks([image], person.id)[0]
        opinions.append(
            Opinion(
                person.kind,
                person.id,
                person.name,
                person.colour,
                reduced(mask, picture.shape[:2]),
                _share(mask),
                state,
                verdict,
            )
        )
        if person.kind == "person" and state in ("painted", "empty"):
            masks[person.name] = mask
        yield None
    if len(masks) > 1:
        for how in MERGES:
            token.check()
            one = merged(list(masks.values()), how)
            small = reduced(one, picture.shape[:2])
            opinions.append(
                Opinion("merge", how, MERGE_WORDS.get(how, how), MERGE_COLOUR, small, _share(one))
            )
            yield None
    ious = []
    for first, second in combinations(masks, 2):
        token.check()
        ious.append((first, second, float(iou(masks[first], masks[second]))))
        yield None
    ious.sort(key=lambda pair: pair[2])
    yield Artefact("comparison", data=Comparison(image, picture, opinions, ious))


def opinion_mask(workspace: Workspace, image: int, kind: str, key: int | str) -> Mask:
    """Return the mask of an opinion at full size, uint8 (H, W), as it is by now.

    Raises
    ------
    SipError
        If nobody painted the image.
    """
    if kind != "merge":
        return workspace.mask(image, key)
    finished = [
        person.id
        for person in workspace.annotators()
        if workspace.states([image], person.id)[0] in ("painted", "empty")
    ]
    if not finished:
        raise SipError(f"Nobody has painted {workspace.image_name(image)} yet: there is nothing to merge.")
    return merged([workspace.mask(image, person) for person in finished], str(key))


def reduced(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return a mask sampled at ``shape`` = (height, width), every pixel the one at its centre."""
    if mask.shape == tuple(shape):
        return mask
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(np.int64)
        for new, old in zip(shape, mask.shape, strict=True)
    )
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])


def tinted(picture: NDArray[np.uint8], mask: Mask, colour: str, opacity: float = 0.45) -> NDArray[np.uint8]:
    """Return the picture, uint8 (H, W, 3), with the mask over it in ``colour`` (#RRGGBB)."""
    ink = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
    ground = np.broadcast_to(picture, (*picture.shape[:2], 3)).astype(np.float32)
    weight = (mask.astype(np.float32) * (opacity / 255))[:, :, None]
    return np.asarray(np.rint(ground + (ink - ground) * weight), np.uint8)


def _share(mask: Mask) -> float:
    return float((mask >= PROTECTED).mean())
