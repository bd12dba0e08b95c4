"""Who paints: the name from the settings or the login, as the workspace spells it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace


def annotator_for(workspace: Workspace, wanted: str) -> str:
    """Return who paints in ``workspace``: ``wanted``, else the login name, added where it is new.

    Always a person: agreed masks and known answers are painted by choice, never by opening a
    workspace. In a workspace that is open to read only, someone who painted there.

    Raises
    ------
    SipError
        If the name cannot be added.
    """
    from sip_explorer.workspace.annotators import NAMES

    people = [annotator.name for annotator in workspace.annotators()]
    others = {annotator.name for annotator in workspace.annotators(None)}.difference(people)
    wanted = wanted.strip()
    if not wanted or _spelt(wanted, [*others, *NAMES.values()]) is not None:
        wanted = _login_name()
    known = _spelt(wanted, people)
    if known is not None:
        return known
    if not workspace.read_only:
        return workspace.add_annotator(wanted).name
    return people[0] if people else wanted


def known_name(workspace: Workspace, name: str) -> str | None:
    """Return the annotator of that name, in whatever case it was typed, as the catalogue spells it."""
    return _spelt(name, [annotator.name for annotator in workspace.annotators(None)])


def _spelt(name: str, names: Sequence[str]) -> str | None:
    if name in names:
        return name
    return next((known for known in names if known.casefold() == name.casefold()), None)


def _login_name() -> str:
    try:
        return getpass.getuser() or "annotator"
    except (OSError, KeyError, ImportError):  # no login name in some containers, no pwd on Windows
        return "annotator"
