"""Recipes as TOML files: one flat list of fields, each with its unit and source as a comment."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sip_explorer.records import SipError
from sip_explorer.training.recipe_fields import FieldRule, Value


def read_toml(path: Path | str) -> dict[str, Any]:
    """Return what the file ``path`` holds, unchecked.

    Raises
    ------
    SipError
        Naming the file, where it cannot be read, is no TOML, or has sections.
    """
    try:
        values = tomllib.loads(Path(path).read_text("utf-8-sig"))  # some editors write a mark of order first
    except OSError as error:
        raise SipError(f"The recipe {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise SipError(f"{path} is not a TOML file: it is no text in UTF-8; save it as that.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SipError(f"{path} is not a TOML file: {error}.") from None
    for key, value in values.items():
        if isinstance(value, dict):
            raise SipError(
                f"{path}: Recipe: {key} is a section: take the line [{key}] out, a recipe has none."
            )
    return values


def to_toml(values: Mapping[str, Value], rules: Mapping[str, FieldRule]) -> str:
    """Return ``values`` as TOML, one field a line in the order of ``rules``; what is None is left out."""
    lines = []
    for name, rule in rules.items():
        if values[name] is not None:
            comment = f"  # {rule.comment}" if rule.comment else ""
            lines.append(f"{name} = {_written(values[name])}{comment}\n")
    return "".join(lines)


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
