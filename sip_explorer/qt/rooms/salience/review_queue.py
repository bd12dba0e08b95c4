"""Goes to the next image of a queue; measures first who differs where that is not known."""

from __future__ import annotations

from functools import partial

from sip_explorer.state import Session

_DONE = {
    "unpainted": "Every image of this selection has been looked at.",
    "unchecked": "Every mask of this selection has been checked.",
    "disputed": "People differ on no image of this selection that is not settled.",
}


class ReviewQueue:
    """The acts behind "Next": one for every place that has such a button."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reviewing = session.reviewing
        self._waiting = False
        self._reviewing.agreeing.measured.connect(self._measured)

    def go(self, kind: str) -> None:
        """Go to the next image that is "unpainted", "unchecked" or (the most) "disputed"."""
        agreeing = self._reviewing.agreeing
        if kind == "disputed" and not self._reviewing.blind and not agreeing.known:
            self._waiting = self._session.attempt(agreeing.measure)
        else:
            self._session.attempt(partial(self._go, kind))

    def _measured(self) -> None:
        if self._waiting:
            self._waiting = False
            if self._reviewing.agreeing.known:
                self._session.attempt(partial(self._go, "disputed"))

    def _go(self, kind: str) -> None:
        image = self._reviewing.next_image(kind)
        if image is None:
            self._session.notice.emit(_DONE[kind])
        else:
            self._session.selection.current_image = image
