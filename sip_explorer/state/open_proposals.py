"""The proposals that wait for a decision of the annotator who is at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace.proposals import ProposalEntry

_AT_ONCE = 500  # images looked through at a time: of a hundred thousand mostly the first few are needed


class OpenProposals:
    """Leaves out what was propagated from other people's masks: nobody paints after another's model."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, image: int | None) -> list[ProposalEntry]:
        """Return the open proposals of an image, oldest first."""
        return [] if image is None else self._read([image]).get(image, [])

    def after(self, image: int | None, shown: int | None) -> ProposalEntry | None:
        """Return the newest open one of ``image`` that is not ``shown``, else of the next images listed."""
        own = [entry for entry in self.of(image) if entry.id != shown]
        if own and (shown is None or own[0].id < shown):
            return max((e for e in own if shown is None or e.id < shown), key=lambda entry: entry.id)
        ids = self._session.selection.images
        at = ids.index(image) if image is not None and image in ids else -1
        order = list(ids[at + 1 :] + ids[: max(at, 0)])
        for start in range(0, len(order), _AT_ONCE):
            part = order[start : start + _AT_ONCE]
            found = self._read(part)
            for one in part:
                if one in found:
                    return found[one][-1]
        return own[-1] if own else None

    def images(self, ids: Sequence[int]) -> list[int]:
        """Return those of ``ids`` that have an open proposal."""
        return list(self._read(ids))

    def _read(self, images: Sequence[int]) -> dict[int, list[ProposalEntry]]:
        from sip_explorer.workspace.proposing import Source

        workspace, annotator = self._session.workspace, self._session.selection.annotator
        if workspace is None:
            return {}
        mine = next((one.id for one in workspace.annotators(None) if one.name == annotator), None)
        found: dict[int, list[ProposalEntry]] = {}
        for image, entries in workspace.open_proposals(images, annotator).items():
            sources = ((entry, Source.of(entry.detail)) for entry in entries)
            own = [entry for entry, source in sources if source is None or source.annotator == mine]
            if own:
                found[image] = own
        return found
