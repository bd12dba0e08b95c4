"""The workspace that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.records import SipError

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry, Workspace

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="The workspace folder; by default the demo.")
]


@contextmanager
def opened(path: Path | None) -> Iterator["Workspace"]:
    """Open a workspace (None: the demo) and close it at the end.

    Read-only: models, runs and sweeps are folders and files of their own, added beside an open window too.
    """
    from sip_explorer.workspace import Workspace, open_demo

    workspace = Workspace.open(open_demo() if path is None else path, read_only=True)
    try:
        yield workspace
    finally:
        workspace.close()


def classifier_entry(workspace: "Workspace", name: str) -> "ModelEntry":
    """Return the classifier of that name or identity.

    Raises
    ------
    SipError
        When there is none; the sentence names those there are.
    """
    entries = [entry for entry in workspace.models() if entry.kind == "classifier"]
    for entry in entries:
        if name in (entry.name, str(entry.id)):
            return entry
    known = ", ".join(entry.name for entry in entries) or "none yet (add one with sip-explorer models add)"
    raise SipError(f"The workspace {workspace.name} has no classifier {name}; it has: {known}.")
