"""Salience proposed for many images by a model, a prior or an image alike; people decide about it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started
from sip_explorer.workspace.proposals import NewProposal

if TYPE_CHECKING:
    from sip_explorer.models import Classifier
    from sip_explorer.workspace.image_index import Ids
    from sip_explorer.workspace.workspace import Workspace

Map = NDArray[np.uint8]

METHODS = ("grad-cam", "integrated-gradients", "occlusion", "object-prior", "propagation")
ASKING_A_MODEL = METHODS[:3]
"""These need a model; propagation may use one, the object prior never does."""


class Way(Protocol):
    """How one method makes maps. ``details`` first, so that nothing is made twice."""

    model: str
    model_hash: str
    per_chunk: int

    def details(self, images: list[int]) -> Generator[Event | None, None, dict[int, str]]:
        """Return image -> what its map will be made from; a notice says why an image is left out."""
        ...

    def maps(self, images: list[int]) -> Generator[Event | None, None, dict[int, Map]]:
        """Return image -> uint8 map; a notice says why one is left out. Progress counts ``images``."""
        ...


def propose(
    workspace: Workspace,
    ids: Ids,
    method: str,
    model: Classifier | None = None,
    model_name: str = "",
    annotator: int | str | None = None,
    *,
    token: CancelToken,
    keep: bool = True,
) -> Iterator[Event | None]:
    """Propose salience for images; masks and strokes stay as they are.

    A model is asked about the image's own class where it knows a class of that name, else about the
    class that it predicts. What was proposed before in just this way (method, model's weights, layer,
    class, source) is not made again. A picture that cannot be read is named and left out. A stop keeps
    what is there, as does a cancel: proposals are kept chunk by chunk.

    Parameters
    ----------
    method
        One of `METHODS`.
    model
        On any device, where it is asked; left as it was. Propagation compares images by its
        penultimate features, without one by their colours and edges.
    model_name
        What people call the model.
    annotator
        Whose masks are propagated; None: the first person who has painted. Nobody else's are used.
    keep
        Whether the proposals become rows of the catalogue; what is there already is then not made again.

    Yields
    ------
    Started, Progress, Notice; then Artefact("proposals", data=...) and Finished, whose summary counts
    ``proposals`` (made now), ``already there``, ``without a region`` and ``left out``. The data are the
    ids, in the order of ``ids``, new or not, where they are kept; else a list of `NewProposal`.

    Raises
    ------
    SipError
        If the method is unknown, lacks its model or its painted images, an image is unknown, or the
        workspace is open to read only and ``keep`` is True.
    """
    images = list(dict.fromkeys(int(image) for image in ids))
    workspace.image_shapes(images)  # an unknown one is said at once
    if keep and workspace.read_only:
        raise SipError(
            f"The workspace {workspace.name} is open to read only, so no proposal can be kept: close it "
            "where it is open for writing, then open it again."
        )
    yield Started(f"propose salience by {method}", len(images))
    way = yield from _way(workspace, method, model, model_name, annotator)
    tally = _Tally()
    for start in range(0, len(images), way.per_chunk):
        token.check()
        if token.stopping:
            break
        chunk = images[start : start + way.per_chunk]
        made, old = yield from _made(workspace, way, method, chunk, start, len(images), token, keep)
        tally.empty += sum(not proposal.map.any() for proposal in made)
        made = [proposal for proposal in made if proposal.map.any()]
        tally.made += len(made)
        tally.old += len(old)
        tally.seen += len(chunk)
        if keep:
            old |= dict(zip((one.image for one in made), workspace.add_proposals(made), strict=True))
            tally.ids += [old[image] for image in chunk if image in old]
        else:
            tally.new += made
        yield Progress(start + len(chunk), len(images), "Proposals")
    yield Artefact("proposals", data=tally.ids if keep else tally.new)
    yield Finished("stopped" if token.stopping else "completed", tally.summary())


def _made(
    workspace: Workspace,
    way: Way,
    method: str,
    chunk: list[int],
    start: int,
    total: int,
    token: CancelToken,
    keep: bool,
) -> Generator[Event | None, None, tuple[list[NewProposal], dict[int, int]]]:
    """Return the new proposals of a chunk, and image -> id of those kept already (then not made anew)."""
    details = yield from way.details(chunk)
    known = {
        (entry.image, entry.method, entry.model_hash, entry.detail): entry.id
        for entry in (workspace.proposals(chunk) if keep else ())
    }
    old = {
        image: known[image, method, way.model_hash, detail]
        for image, detail in details.items()
        if (image, method, way.model_hash, detail) in known
    }
    work = way.maps([image for image in details if image not in old])
    done = 0
    while True:
        token.check()
        try:
            event = next(work)
        except StopIteration as end:
            maps: dict[int, Map] = end.value
            break
        if isinstance(event, Progress):
            done = max(done, event.done)  # grey and coloured pictures are counted apart
            event = Progress(start + len(old) + done, total, event.text)
        yield event
    made = [
        NewProposal(image, method, way.model, way.model_hash, details[image], values)
        for image, values in maps.items()
    ]
    return made, old


def _way(
    workspace: Workspace, method: str, model: Classifier | None, name: str, annotator: int | str | None
) -> Generator[Event | None, None, Way]:
    if method not in METHODS:
        raise SipError(f"There is no way of proposing named {method!r}: choose one of {', '.join(METHODS)}.")
    yield None
    if method == "object-prior":
        from sip_explorer.workspace.prior_proposals import PriorWay

        return PriorWay(workspace)
    if method == "propagation":
        from sip_explorer.workspace.propagated_proposals import PropagationWay

        return PropagationWay(workspace, model, name, _painter(workspace, annotator))
    if model is None:
        raise SipError(f"{method} asks a model where it looks: choose a model, or object-prior.")
    from sip_explorer.workspace.model_proposals import ModelWay

    return ModelWay(workspace, method, model, name)


def _painter(workspace: Workspace, annotator: int | str | None) -> int:
    people = workspace.annotators()
    for person in people:
        if annotator in (person.id, person.name):
            return person.id
    if annotator is not None:
        names = ", ".join(person.name for person in people) or "nobody yet"
        raise SipError(f"There is no annotator {annotator} in {workspace.name}; it has: {names}.")
    ids = workspace.image_ids()
    for person in people:
        if "painted" in workspace.states(ids, person.id):
            return person.id
    raise SipError(f"Nobody has painted in {workspace.name}: paint an image of the class first.")


class _Tally:
    """What has been made so far."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.new: list[NewProposal] = []
        self.seen = self.made = self.old = self.empty = 0

    def summary(self) -> dict[str, int]:
        return {
            "proposals": self.made,
            "already there": self.old,
            "without a region": self.empty,
            "left out": self.seen - self.made - self.old - self.empty,
        }


class Source(NamedTuple):
    """Whose mask a propagated proposal was made from: image id, annotator id, number of strokes."""

    image: int
    annotator: int
    strokes: int

    @property
    def detail(self) -> str:
        """What the proposal's ``detail`` says."""
        return f"image {self.image}, annotator {self.annotator}, {self.strokes} strokes"

    @classmethod
    def of(cls, detail: str) -> Source | None:
        """Read `detail` back; None where it says something else."""
        numbers = re.fullmatch(r"image (\d+), annotator (\d+), (\d+) strokes", detail)
        return None if numbers is None else cls(*map(int, numbers.groups()))
