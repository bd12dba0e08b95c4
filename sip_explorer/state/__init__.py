"""Qt-free state of the open program; touched in the main thread only."""

from sip_explorer.state.jobs import JobList
from sip_explorer.state.keymap import Keymap
from sip_explorer.state.models import ModelShelf
from sip_explorer.state.painting import Painting
from sip_explorer.state.selection import Selection
from sip_explorer.state.session import Session
from sip_explorer.state.settings import Settings

__all__ = ["JobList", "Keymap", "ModelShelf", "Painting", "Selection", "Session", "Settings"]
