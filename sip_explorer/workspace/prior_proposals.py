"""Proposals of the object prior: no model, one image at a time."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Event, Notice, Progress, SipError
from sip_explorer.salience.object_prior import object_prior, shrunk
from sip_explorer.workspace.proposals import LONGEST_SIDE

if TYPE_CHECKING:
    from sip_explorer.workspace.workspace import Workspace


class PriorWay:
    """See `proposing.Way`."""

    model = model_hash = ""
    per_chunk = 32

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def details(self, images: list[int]) -> Generator[Event | None, None, dict[int, str]]:
        """There is but one way."""
        yield None
        return dict.fromkeys(images, "")

    def maps(self, images: list[int]) -> Generator[Event | None, None, dict[int, NDArray[np.uint8]]]:
        """Return image -> uint8 (h, w), at most as large as a kept map."""
        found = {}
        for number, image in enumerate(images, 1):
            try:
                prior = object_prior(shrunk(self._workspace.image(image), LONGEST_SIDE))
            except SipError as error:
                yield Notice(str(error))
                continue
            found[image] = np.rint(255 * prior).astype(np.uint8)
            yield Progress(number, len(images), "Proposals: object prior")
        return found
