"""What stands in place of other people's work while blind mode is on."""

from __future__ import annotations

from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.state import Session


def blind_cover(session: Session) -> EmptyState:
    """Return one sentence, and a button that switches blind mode off."""
    return EmptyState(
        "Blind mode hides other people's masks, disputes and agreement.",
        "Switch blind mode off",
        lambda: session.attempt(lambda: session.reviewing.set_blind(False)),
    )
