"""The recipe of a training run: everything that decides the result, checked, and kept as TOML."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sip_explorer.records import SipError, write_text
from sip_explorer.training.recipe_contradictions import contradictions
from sip_explorer.training.recipe_declaration import MAP_SOURCES, RecipeFields
from sip_explorer.training.recipe_fields import FieldRule, nearest, rule_of
from sip_explorer.training.recipe_toml import read_toml, to_toml


@dataclass(frozen=True, kw_only=True)
class Recipe(RecipeFields):
    """One training run, checked field by field when it is made.

    The fields are those of `RecipeFields`. The defaults are the demo's: a small network on 28 px grey
    images, epsilon 0.1. The authors' own values stand in ``Recipe.authors``.

    Raises
    ------
    SipError
        When a value cannot stand in its field, or two fields contradict each other; the sentence
        names the field.
    """

    def __post_init__(self) -> None:
        for name, rule in self.rules().items():
            try:
                object.__setattr__(self, name, rule.parse(name, getattr(self, name)))
            except ValueError as error:
                raise SipError(f"Recipe: {error}") from None
        for sentence in contradictions(self):
            raise SipError(f"Recipe: {sentence}")

    @classmethod
    def authors(cls, **changes: Any) -> Self:
        """Return the SIP-AT authors' recipe for CUB-200-2011 (arXiv 2501.09086: paper and code).

        DenseNet-121, epsilon 8/255, 32 steps of 1/255, SGD 0.1 with StepLR(10, 0.75), 50 epochs, batch
        32, float32, no augmentation, ImageNet's normalisation. Images of 224 px are the import's matter.
        """
        values: dict[str, Any] = {
            "method": "sip-at", "salience": "segmentation", "budget": "hard",
            "architecture": "densenet121", "normalisation": "imagenet",
            "epsilon": 8 / 255, "steps": 32, "step_size": 1 / 255, "random_start": True,
            "loss": "ce", "reduction": "sum", "epochs": 50, "batch_size": 32,
            "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-6, "schedule": "step",
            "schedule_epochs": 10, "schedule_factor": 0.75, "validation_fraction": 0.1,
            "best": "clean", "precision": "float32", "attack_precision": "float32",
        }  # fmt: skip
        return cls(**{**values, **changes})

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
    def selection(self) -> Self:
        """The recipe that chooses the images and salience: itself."""
        return self

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with every field but the name."""
        # Without fields at their defaults: one that a later version adds changes no hash.
        told = {
            declared.name: value
            for declared in dataclasses.fields(self)
            if (value := getattr(self, declared.name)) != declared.default and declared.name != "name"
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def family(self) -> str:
        """Sixteen hexadecimal digits that recipes share which differ in nothing but name and seed."""
        return self.replace(seed=0).hash

    @property
    def needs_salience(self) -> bool:
        """Whether the run uses salience at all."""
        return bool(self.salience_sources)

    @property
    def needs_reference(self) -> bool:
        """Whether maps of a reference classifier may be needed."""
        return any(source in MAP_SOURCES for source in self.salience_sources)

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
        for sentence in () if found else contradictions(RecipeFields(**parsed)):
            found.setdefault(sentence.split(" ", 1)[0], sentence)
        return found


def _unknown(key: str, rules: Mapping[str, FieldRule]) -> str:
    every = f"the fields are {', '.join(rules)}."
    return f"there is no field {key!r}; {nearest(key, rules, every)}"
