"""What a person did with proposals: taken over, corrected, taken back, refused."""

from __future__ import annotations

from dataclasses import dataclass

from sip_explorer.state import Session

_DEPTH = 200  # steps that can be undone
Key = tuple[int, str]


@dataclass
class _Step:
    """One edit of a mask, and the proposal that it took over, if it did; ``said`` is recorded already."""

    visit: int
    by_hand: bool
    proposal: int | None = None
    threshold: float = 0.0
    said: str = ""


@dataclass(frozen=True)
class Shown:
    """The proposal that the next edit by the tool "proposal" takes over."""

    image: int
    proposal: int | None
    threshold: float


class ProposalDecisions:
    """Follows every edit beside the undo history, so that what is recorded is what the mask shows.

    A proposal that was taken over counts as "accepted"; as "corrected" while the mask carries an edit
    by hand that was made after it in the same visit of the image; as "reopened" while it is undone.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._steps: dict[Key, list[_Step]] = {}
        self._done: dict[Key, int] = {}
        self._visit = 0
        self.shown: Shown | None = None
        self.taken = False
        session.painting.recorded.connect(self._recorded)
        session.workspace_changed.connect(self._forget)

    def show(self, shown: Shown | None) -> None:
        """A proposal is on show, or none."""
        self.shown, self.taken = shown, False

    def new_visit(self) -> None:
        """Another image is on show: what is done when one comes back to this one corrects nothing."""
        self._visit += 1

    def accept(self, proposal: int, threshold: float) -> None:
        """Record that a proposal was taken over whose region is painted already."""
        self._decide(proposal, self._session.selection.annotator, "accepted", threshold)

    def refuse(self, proposal: int, threshold: float) -> None:
        """Record that a proposal was refused."""
        self._decide(proposal, self._session.selection.annotator, "refused", threshold)

    def _recorded(self, image: int, tool: str, annotator: str) -> None:
        key = (image, annotator)
        steps, done = self._steps.setdefault(key, []), self._done.get(key, 0)
        if tool == "undo":
            done = max(0, done - 1)
        elif tool == "redo":
            done = min(len(steps), done + 1)
        else:
            del steps[done:]
            steps.append(self._step(image, tool))
            del steps[:-_DEPTH]
            done = len(steps)
        self._done[key] = done
        self._say(steps, done, annotator)

    def _step(self, image: int, tool: str) -> _Step:
        shown = self.shown
        if tool != "proposal" or shown is None or shown.image != image:
            return _Step(self._visit, by_hand=tool != "proposal")
        self.taken = True
        return _Step(self._visit, False, shown.proposal, shown.threshold)

    def _say(self, steps: list[_Step], done: int, annotator: str) -> None:
        for place, step in enumerate(steps):
            if step.proposal is None:
                continue
            later = steps[place + 1 : done]
            if place >= done:
                said = "reopened"
            elif any(one.by_hand and one.visit == step.visit for one in later):
                said = "corrected"
            else:
                said = "accepted"
            if said != step.said:
                step.said = said
                self._decide(step.proposal, annotator, said, step.threshold)

    def _decide(self, proposal: int, annotator: str, decision: str, threshold: float) -> None:
        workspace = self._session.workspace
        if workspace is not None and not workspace.read_only:
            self._session.attempt(lambda: workspace.decide(proposal, annotator, decision, threshold))

    def _forget(self, _workspace: object) -> None:
        self._steps.clear()
        self._done.clear()
        self.shown = None
