"""What is installed and on which device the program works, as text to copy."""

from importlib.metadata import PackageNotFoundError, version

from sip_explorer.state import Session

PACKAGES = ("sip-explorer", "torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "numpy", "h5py")


def installation_text(session: Session) -> str:
    """Return one line per package, and where the program works."""
    lines = [f"{name} {_version(name)}" for name in PACKAGES]
    lines.append(f"device: {session.jobs.device or 'not started yet'}")
    if session.workspace is not None:
        lines.append(f"workspace: {session.workspace.path}")
    lines.append(f"settings: {session.settings.problem or session.settings.path}")
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed as a package"
