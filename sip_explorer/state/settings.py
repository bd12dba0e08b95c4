"""What the program remembers between two runs. A bad value costs that key alone, never the rest."""

import json
import logging
import math
import os
from pathlib import Path
from typing import Any

from sip_explorer.records import write_text

log = logging.getLogger(__name__)

DEFAULTS: dict[str, Any] = {
    "last_workspace": "",
    "annotator": "",
    "theme": "system",
    "window_geometry": "",
    "overlay_opacity": 0.45,
    "room": "salience",
    "run_in": "window",
    "keys": {},
}


class Settings:
    """A small JSON file in the user's configuration folder.

    Parameters
    ----------
    path : Path, optional
        Where the file lies; by default ``settings.json`` in the user's configuration folder
        (``SIP_EXPLORER_DATA`` overrides it).

    Attributes
    ----------
    problem : str
        One sentence while the file cannot be written, else empty: changes then last until the program ends.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_folder() / "settings.json"
        self.problem = ""
        self._values = dict(DEFAULTS)
        for key, value in _read(self.path).items():
            if key in DEFAULTS and _fits(value, DEFAULTS[key]):
                self._values[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in DEFAULTS:
            raise KeyError(key)
        if self._values[key] != value:
            self._values[key] = value
            self._write()

    def _write(self) -> None:
        try:
            write_text(self.path, json.dumps(self._values, indent=1, sort_keys=True))
        except OSError as error:  # no reason to stop anybody's work
            self.problem = f"{self.path} cannot be written ({error.strerror}): make it writable."
            log.warning("%s", self.problem)
        else:
            self.problem = ""


def _fits(value: object, default: object) -> bool:
    return type(value) is type(default) and not (isinstance(value, float) and not math.isfinite(value))


def settings_folder() -> Path:
    """Return the folder of the settings file (made when first written)."""
    override = os.environ.get("SIP_EXPLORER_DATA")
    if override:
        return Path(override)
    from platformdirs import user_config_path

    return user_config_path("sip-explorer", appauthor=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        # Not there yet, or damaged: the defaults serve, and the next change writes a whole file.
        return {}
    return values if isinstance(values, dict) else {}
