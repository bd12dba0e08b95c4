"""The recipes that come with the program."""

import importlib.resources
from collections.abc import Iterable
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.training.recipe_fields import nearest


def presets() -> dict[str, Path]:
    """Return name -> file of every recipe that comes with the program, by name; empty where there is none.

    They lie in the installed package, else in the checkout.
    """
    package = Path(str(importlib.resources.files("sip_explorer")))
    for folder in (package / "resources" / "recipes", package.parent / "resources" / "recipes"):
        if found := sorted(folder.glob("*.toml")):
            return {path.stem: path for path in found}
    return {}


def recipe_file(named: Path | str) -> Path:
    """Return the recipe file that ``named`` is: a path, or the name of a preset where no such file is.

    Raises
    ------
    SipError
        Where a bare name is neither; the sentence tells what comes nearest.
    """
    path = Path(named)
    known = presets()
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path  # reading it says what is wrong with it
    if path.name in known:
        return known[path.name]
    raise SipError(f"There is no recipe file {path} and no preset of that name; {_offer(path.name, known)}")


def purpose(path: Path) -> str:
    """Return what a preset is for, in a line: the first of its file; empty where it says nothing."""
    first = path.read_text("utf-8").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def _offer(name: str, known: Iterable[str]) -> str:
    return nearest(name, known, f"the presets are {', '.join(known)}.")
