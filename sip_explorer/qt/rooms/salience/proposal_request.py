"""One image's proposal, asked for or read back, in the thread that has the model or the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.jobs import JobFactory
from sip_explorer.qt.rooms.salience.proposal_methods import METHODS, NO_MODEL, needs_model, told
from sip_explorer.records import Artefact, CancelToken, Event, Notice, SipError
from sip_explorer.state import Session
from sip_explorer.workspace.proposals import ProposalEntry
from sip_explorer.workspace.proposing import propose

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry, Workspace

LANE = "proposal"
_AT_ONCE = 1 << 20  # pixels


@dataclass(frozen=True)
class Proposal:
    """A map over one image: uint8 (H, W), what it is in words, its row of the catalogue if it has one."""

    image_id: int
    salience: NDArray[np.uint8]
    words: str
    entry: int | None = None
    shares: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        flat = self.salience.ravel()
        counts = np.zeros(256, np.int64)
        for start in range(0, flat.size, _AT_ONCE):  # bincount takes eight bytes for each pixel
            counts += np.bincount(flat[start : start + _AT_ONCE], minlength=256)
        above = counts[::-1].cumsum()[::-1] / max(1, self.salience.size)
        object.__setattr__(self, "shares", above)

    def level(self, percent: float) -> int:
        """Return the least value, 1 to 255, that lies within the region at a threshold."""
        return max(1, int(np.ceil(percent * 2.55)))

    def region(self, percent: float) -> NDArray[np.uint8]:
        """Return uint8 (H, W), 255 where the map reaches ``percent`` of its range."""
        inside = self.salience >= self.level(percent)
        return inside.view(np.uint8) * np.uint8(255)

    def share(self, percent: float) -> float:
        """Return how much of the image the region at a threshold covers, 0 to 1."""
        return float(self.shares[self.level(percent)])


def thread_of(method: str, model: ModelEntry | None) -> str:
    """Return which thread of the session does the work: that of the models, or that of the disk."""
    return "device" if needs_model(method) or (method == "propagation" and model is not None) else "disk"


def asking(session: Session, image: int, method: str, annotator: str) -> JobFactory | str:
    """Return the job that asks for one proposal, or the sentence why there is nothing to ask.

    Its artefact's data is a `Proposal`, or a sentence where there is no region to propose.
    """
    workspace = session.workspace
    if workspace is None:
        return "Choose an image first."
    entry = session.model(session.selection.current_model)
    if entry is None and needs_model(method):
        return NO_MODEL
    return partial(_ask, session, workspace, image, method, annotator, entry)


def reading(workspace: Workspace, entry: ProposalEntry) -> JobFactory:
    """Return the job that reads a kept proposal back; its artefact's data is a `Proposal`."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        kept = Proposal(entry.image, workspace.proposal_map(entry.id), f"{told(entry)}.", entry.id)
        yield Artefact(LANE, data=kept)

    return job


def _ask(
    session: Session,
    workspace: Workspace,
    image: int,
    method: str,
    annotator: str,
    entry: ModelEntry | None,
    token: CancelToken,
) -> Iterator[Event | None]:
    model = None
    if entry is not None and thread_of(method, entry) == "device":
        model = session.load_classifier(entry)
        yield None
    keep = not workspace.read_only
    name = entry.name if entry is not None and model is not None else ""
    made: list[Any] = []
    notices: list[str] = []
    for event in propose(workspace, [image], method, model, name, annotator, token=token, keep=keep):
        if isinstance(event, Artefact):
            made = event.data
        elif isinstance(event, Notice):
            notices.append(event.message)
        yield None
    if not made:
        nothing = f"{METHODS[method].short} finds no region here: choose another way above."
        yield Artefact(LANE, data=notices[0] if notices else nothing)
        return
    if not keep:
        from sip_explorer.workspace.pictures import resize

        new = made[0]
        kept = ProposalEntry(0, image, method, new.model, new.model_hash, new.detail, 0.0)
        salience, identity = resize(new.map, workspace.image_shape(image)[:2]), None
    else:
        kept = next(one for one in workspace.proposals([image]) if one.id == made[0])
        salience, identity = workspace.proposal_map(kept.id), kept.id
    words = f"{told(kept)}."
    if model is not None and needs_model(method):
        words += f" {_prediction(workspace, model, image)}"
    yield Artefact(LANE, data=Proposal(image, salience, words, identity))


def _prediction(workspace: Workspace, model: Any, image: int) -> str:
    import torch

    from sip_explorer.data.fitting import fit_images

    device = next(model.parameters()).device
    fitted = fit_images(workspace.images([image], model.input_shape[1:]), model.input_shape)
    with torch.inference_mode():
        probabilities = torch.softmax(model(fitted.to(device)).float(), 1)[0]
    top = int(probabilities.argmax())
    if not bool(torch.isfinite(probabilities).all()):
        raise SipError("The model's answer is not a number: choose another model.")
    return f"It predicts {model.classes[top]}, {100 * float(probabilities[top]):.1f} % sure."
