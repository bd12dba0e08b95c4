"""What the recipes of all methods have in common: checked when made, hashed, read and written as TOML."""

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from sip_explorer.records import SipError, write_text
from sip_explorer.training.recipe_fields import FieldRule, nearest, rule_of
from sip_explorer.training.recipe_toml import read_toml, to_toml


class CheckedRecipe(ABC):
    """A recipe's fields come from a declaration that it inherits beside this class.

    Raises
    ------
    SipError
        When a value cannot stand in its field, or two fields contradict each other; the sentence
        names the field.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    hashed_always: ClassVar[tuple[str, ...]] = ()  # fields that are hashed at their defaults too

    def __post_init__(self) -> None:
        for name, rule in self.rules().items():
            try:
                object.__setattr__(self, name, rule.parse(name, getattr(self, name)))
            except ValueError as error:
                raise SipError(f"Recipe: {error}") from None
        for sentence in self.contradictions(dataclasses.asdict(self)):
            raise SipError(f"Recipe: {sentence}")

    @classmethod
    @abstractmethod
    def contradictions(cls, values: Mapping[str, Any]) -> list[str]:
        """Return a sentence for every two of the parsed ``values`` that cannot stand together.

        Each begins with the name of a field.
        """

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe of ``values``; a key that is no field is refused by name (SipError)."""
        for key in values:
            if key not in cls.rules():
                raise SipError(f"Recipe: {_unknown(key, cls.rules())}")
        return cls(**values)

    @classmethod
    def from_toml(cls, path: Path | str) -> Self:
        """Return the recipe in the file ``path``; SipError, naming the file, where it is none."""
        values = read_toml(path)
        try:
            return cls.from_mapping(values)
        except SipError as error:
            raise SipError(f"{path}: {error}") from None

    def to_toml(self) -> str:
        """Return the recipe as TOML, one field a line, unit and source beside it; reads back the same."""
        return to_toml(dataclasses.asdict(self), self.rules())

    def save(self, path: Path | str) -> None:
        """Write the recipe to ``path`` as TOML, atomically."""
        write_text(path, self.to_toml())

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one."""
        return type(self).from_mapping({**dataclasses.asdict(self), **changes})

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with every field but the name."""
        # Without fields at their defaults: one that a later version adds changes no hash.
        told = {
            declared.name: value
            for declared in dataclasses.fields(self)
            if (value := getattr(self, declared.name)) != declared.default and declared.name != "name"
        }
        told |= {name: getattr(self, name) for name in self.hashed_always}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def family(self) -> str:
        """Sixteen hexadecimal digits that recipes share which differ in nothing but name and seed."""
        return self.replace(seed=0).hash

    @classmethod
    def rules(cls) -> dict[str, FieldRule]:
        """Return field name -> rule, in the order of a form."""
        return {declared.name: rule_of(declared) for declared in dataclasses.fields(cls)}

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Return field name -> sentence for every value that cannot stand; empty where all can.

        A form calls this at each change; contradictions between fields are reported under the
        first field that they name.
        """
        rules = cls.rules()
        found: dict[str, str] = {}
        parsed: dict[str, Any] = {}
        for key, value in values.items():
            try:
                if key not in rules:
                    raise ValueError(_unknown(key, rules))
                parsed[key] = rules[key].parse(key, value)
            except ValueError as error:
                found[key] = str(error)
        for sentence in () if found else cls.contradictions(parsed):
            found.setdefault(sentence.split(" ", 1)[0], sentence)
        return found


def _unknown(key: str, rules: Mapping[str, FieldRule]) -> str:
    every = f"the fields are {', '.join(rules)}."
    return f"there is no field {key!r}; {nearest(key, rules, every)}"
