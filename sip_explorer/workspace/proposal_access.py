"""Proposals in an open workspace: kept maps, and what people decided about them."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.workspace import proposals as kept
from sip_explorer.workspace.guideline_access import GuidelineAccess
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.masks import Mask
from sip_explorer.workspace.pictures import resize
from sip_explorer.workspace.proposals import NewProposal, ProposalEntry

_BYTES = 4 << 20  # in one transaction, so that a stroke does not wait for many maps


class ProposalAccess(GuidelineAccess):
    """The part of `Workspace` about proposed salience; may be used from any thread."""

    _proposed: dict[int, int]
    _decisions: dict[tuple[int, int], str]

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._proposed, self._decisions = {}, {}
        super().__init__(path, read_only=read_only)

    def add_proposals(self, proposals: Sequence[NewProposal]) -> list[int]:
        """Keep proposals and return their ids; waits for the disk, so call it from a job.

        Raises
        ------
        SipError
            If an image is unknown, a map is no uint8 (h, w), or the catalogue cannot be written.
        """
        self._index.rows([proposal.image for proposal in proposals])
        added: list[int] = []
        rows: list[kept.Row] = []
        size = 0
        for number, proposal in enumerate(proposals, 1):
            rows.append(kept.packed(proposal))
            size += len(rows[-1][-1])
            if size >= _BYTES or number == len(proposals):
                part = tuple(rows)
                new = self._write(lambda c, part=part: kept.insert_proposals(c, part))  # type: ignore[misc]
                with self._acting:
                    self._proposed |= dict(zip(new, (row[0] for row in part), strict=True))
                added += new
                rows, size = [], 0
        return added

    def proposals(self, ids: Ids) -> list[ProposalEntry]:
        """Return the proposals for the images ``ids``, oldest first."""
        return self._read(lambda c: kept.read_proposals(c, ids))

    def proposal_map(self, proposal: int) -> Mask:
        """Return the map as uint8 (H, W) at the size of its image (bilinear).

        Raises
        ------
        SipError
            If there is no such proposal, or its map is damaged.
        """
        values = self._read(lambda c: kept.read_map(c, proposal))
        height, width, _ = self.image_shape(self._image_of(proposal))
        return resize(values, (height, width))

    def decide(self, proposal: int, annotator: int | str, decision: str, threshold: float) -> Future[float]:
        """Record what ``annotator`` did with a proposal; of several decisions the last one counts.

        Parameters
        ----------
        decision
            "accepted", "corrected" (accepted, then changed), "refused" or "reopened".
        threshold
            Percent of the map's range above which it was shown, 0..100.

        Returns
        -------
        Future
            Gives the POSIX time at which that is on disk; until then it is kept in memory and
            tried again, as strokes are.

        Raises
        ------
        SipError
            If there is no such proposal, annotator or decision, the threshold is out of range, or
            the workspace is read-only.
        """
        if decision not in kept.DECISIONS:
            raise SipError(f"{decision!r} is no decision: choose one of {', '.join(kept.DECISIONS)}.")
        if not 0 <= threshold <= 100:
            raise SipError(f"A threshold of {threshold} % is none: give 0 to 100.")
        self._image_of(proposal)
        with self._acting:
            who = self.annotator(annotator).id
            saved = self._queue(
                (
                    "INSERT INTO decisions (proposal, annotator, decision, threshold, at) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (proposal, who, decision, float(threshold), time.time()),
                )
            )
            self._decisions[proposal, who] = decision
            return saved

    def decisions(self, ids: Ids, annotator: int | str) -> dict[int, str]:
        """Return proposal id -> what ``annotator`` decided last, for proposals of the images ``ids``."""
        who, images = self._find(annotator), {int(image) for image in ids}
        return {
            proposal: decision
            for (proposal, painter), decision in list(self._decisions.items())
            if painter == who and self._proposed.get(proposal) in images
        }

    def open_proposals(self, ids: Ids, annotator: int | str) -> dict[int, list[ProposalEntry]]:
        """Return image -> proposals that ``annotator`` has not decided about, in the order of ``ids``."""
        decided = self.decisions(ids, annotator)
        found: dict[int, list[ProposalEntry]] = {int(image): [] for image in ids}
        for entry in self.proposals(ids):
            if decided.get(entry.id, "reopened") == "reopened":
                found[entry.image].append(entry)
        return {image: entries for image, entries in found.items() if entries}

    def refresh(self) -> None:
        super().refresh()
        with self._acting:
            if not self.unsaved:
                self._decisions = self._read(kept.read_decisions)
            self._proposed = self._read(
                lambda c: dict(c.execute("SELECT id, image FROM proposals").fetchall())
            )

    def _image_of(self, proposal: int) -> int:
        image = self._proposed.get(proposal)
        if image is None:
            raise SipError(f"There is no proposal {proposal} in this workspace: ask for a new one.")
        return image
