"""``open`` and ``tour``: the two commands that show the window."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sip_explorer.records import SipError

if TYPE_CHECKING:
    import typer


_DISPLAYS = ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM")


def open_window(path: str | None) -> int:
    """Open the program on a workspace (None: the last one, at first the demo); return its exit code.

    Raises
    ------
    SipError
        Where there is no display: Qt would abort the process.
    """
    if sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        raise SipError("There is no display here: see the whole job with sip-explorer tour --out tour.")
    from sip_explorer.qt import app

    return app.run(path)


def register(app: "typer.Typer") -> None:
    """Add the commands. typer is imported here: the way to the window passes this file without it."""
    import typer

    @app.command("open", epilog="Example: sip-explorer open my-workspace")
    def open_(workspace: Annotated[Path, typer.Argument(help="The workspace folder.")]) -> int:
        """Open a workspace in the window."""
        return open_window(str(workspace))

    @app.command(epilog="Example: sip-explorer tour --out tour")
    def tour(
        out: Annotated[Path, typer.Option(help="Folder for the pictures and report.html.")],
    ) -> int:
        """Do the whole job unattended in the real window, off screen: pictures, report.html, exit code."""
        from sip_explorer.qt.tour import run

        return run(out)
