"""``workspace.toml``: format version, name, where the images come from, models by reference."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sip_explorer.records import SipError, write_text

NAME = "workspace.toml"
FORMAT = 1


@dataclass(frozen=True)
class Reference:
    """A model that lies in an installed Python package and is not copied."""

    name: str
    package: str
    file: str


@dataclass(frozen=True)
class Manifest:
    """The first file that is read of a workspace.

    Attributes
    ----------
    name : str
        For people.
    source : str
        ``packed`` (``images.h5``) or ``linked`` (files, wherever they lie).
    references : tuple of Reference
        Models of installed packages on offer.
    """

    name: str
    source: str
    references: tuple[Reference, ...] = ()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``workspace.toml`` atomically."""
    import tomli_w

    document: dict[str, Any] = {
        "format": FORMAT,
        "name": manifest.name,
        "images": {"source": manifest.source},
        "references": [
            {"name": entry.name, "package": entry.package, "file": entry.file}
            for entry in manifest.references
        ],
    }
    write_text(folder / NAME, tomli_w.dumps(document))


def read_manifest(folder: Path) -> Manifest:
    """Read ``workspace.toml``.

    Raises
    ------
    SipError
        If the folder is no workspace, the file is damaged or of a newer format.
    """
    path = folder / NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise SipError(
            f"{folder} is not a workspace (it holds no {NAME}): choose a workspace folder, "
            "or make one from a folder of pictures with File → New workspace."
        ) from None
    except (OSError, ValueError) as error:
        raise SipError(f"{path} cannot be read ({error}): restore it from a backup.") from None
    version = document.get("format")
    if not isinstance(version, int):
        raise SipError(f"{path} names no format version: restore it from a backup.")
    refuse_newer(folder, version, FORMAT)
    try:
        return _parse(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise SipError(f"{path} is damaged (at {error}): restore it from a backup.") from None


def refuse_newer(folder: Path, version: int, known: int) -> None:
    """Raise `SipError` if ``version`` was written by a newer program."""
    if version > known:
        raise SipError(
            f"The workspace {folder} has format version {version}, this program knows up to {known}: "
            "open it with a newer SIP Explorer."
        )


def _parse(document: Mapping[str, Any]) -> Manifest:
    references = tuple(
        Reference(str(entry["name"]), str(entry["package"]), str(entry["file"]))
        for entry in document.get("references", ())
    )
    return Manifest(str(document["name"]), str(document["images"]["source"]), references)
