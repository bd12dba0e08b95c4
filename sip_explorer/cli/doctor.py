"""``doctor``: what is installed, which device, what is missing; made to be copied into a report."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from sip_explorer import __version__
from sip_explorer.cli.progress import say

# Qt is tried in a process of its own: this layer does not import it, and a broken one may abort.
_TRY_QT = (
    "from PySide6.QtGui import QFontDatabase; from PySide6.QtWidgets import QApplication; "
    "a = QApplication([]); print(len(QFontDatabase.families()))"
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: sip-explorer doctor > report.txt")
    def doctor() -> int:
        """Say what is installed, which device computes and what is missing (then with exit code 1)."""
        problems: list[str] = []
        say(*_system(), *_packages(problems), *_device(problems), *_window(problems), *_folders(problems))
        say("", *(problems or ["Nothing is missing."]))
        return 1 if problems else 0


def _system() -> Iterator[str]:
    yield f"sip-explorer: {__version__}"
    yield f"python: {platform.python_version()} ({sys.executable})"
    yield f"system: {platform.platform()}"
    yield f"cores: {os.cpu_count()}"


def _packages(problems: list[str]) -> Iterator[str]:
    for line in importlib.metadata.requires("sip-explorer") or []:
        if "extra ==" in line:
            continue
        name = re.split(r"[^\w.-]", line)[0]
        try:
            yield f"{name}: {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name}: missing"
            problems.append(
                f"The package {name} is missing: run bash packaging/run.sh, or pip install {name}."
            )


def _device(problems: list[str]) -> Iterator[str]:
    try:
        import torch
    except ImportError as error:
        problems.append(f"torch cannot be imported ({error}): run bash packaging/run.sh.")
        return
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            yield f"device: cuda:{index} {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    else:
        yield f"device: cpu, {torch.get_num_threads()} threads (no CUDA device)"


def _window(problems: list[str]) -> Iterator[str]:
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if sys.platform == "linux":
        yield f"display: {display or 'none (the tour runs off screen)'}"
    environment = dict(os.environ)
    if sys.platform == "linux" and not display:
        environment["QT_QPA_PLATFORM"] = "offscreen"
    tried = subprocess.run(
        [sys.executable, "-c", _TRY_QT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if tried.returncode != 0:
        last = (tried.stderr.strip().splitlines() or ["no message"])[-1]
        yield "window: cannot be shown"
        problems.append(
            f"Qt cannot start ({last}): run bash packaging/run.sh, which installs its system libraries."
        )
    elif int(tried.stdout.split()[-1]) == 0:
        yield "window: can be shown, without any font"
        problems.append("No font is installed, so the window has no letters: install fonts-dejavu-core.")
    else:
        yield "window: can be shown"


def _folders(problems: list[str]) -> Iterator[str]:
    from sip_explorer.state.settings import settings_folder

    folder = settings_folder()
    yield f"settings: {folder}"
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    yield f"free on its disk: {shutil.disk_usage(place).free / 1e9:.0f} GB"
    if not os.access(place, os.W_OK):
        problems.append(
            f"{place} cannot be written: give yourself the right, or set SIP_EXPLORER_DATA to another folder."
        )
    demo = Path(__file__).parents[2] / "resources" / "demo"
    packed = Path(__file__).parents[1] / "resources" / "demo"
    if not demo.is_dir() and not packed.is_dir():
        problems.append("The demo workspace is not in this installation: install the program anew.")
