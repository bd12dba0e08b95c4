"""The recipe of a ProtoFlow's training: everything that decides the result."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sip_explorer.records import SipError, write_text
from sip_explorer.training.protoflow_declaration import ProtoFlowFields
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.recipe_fields import FieldRule, nearest, rule_of
from sip_explorer.training.recipe_toml import read_toml, to_toml

if TYPE_CHECKING:
    from sip_explorer.protoflow import FlowConfig


@dataclass(frozen=True, kw_only=True)
class ProtoFlowRecipe(ProtoFlowFields):
    """One ProtoFlow run, checked field by field when it is made.

    The fields are those of `ProtoFlowFields`. The loss is the sum of five terms, each times its weight;
    the authors' is the plain sum of those enabled (weights 1 or 0).

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
        for sentence in _contradictions(self):
            raise SipError(f"Recipe: {sentence}")

    def flow_config(self, input_shape: tuple[int, int, int]) -> "FlowConfig":
        """Return the flow's plan for images of (C, H, W)."""
        from sip_explorer.protoflow import FlowConfig  # a form is built before torch is there
        from sip_explorer.protoflow.presets import SIZES, preset

        noise = None if self.dequantisation == "automatic" else self.dequantisation
        layout = tuple(entry.strip() for entry in self.layout.split(",") if entry.strip())
        if len(layout) == 1 and layout[0] in SIZES:
            size = preset(layout[0], input_shape, self.components, noise)
            return dataclasses.replace(size, blocks=self.blocks or size.blocks)
        return FlowConfig(
            input_shape, layout, self.components, blocks=self.blocks, dequantisation=noise or "uniform"
        )

    @property
    def selection(self) -> Recipe:
        """The recipe of a classifier that trains on the same images, without salience."""
        return Recipe(method="clean", collection=self.collection, limit=self.limit, seed=self.seed)

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with every field but the name."""
        told = {
            declared.name: value
            for declared in dataclasses.fields(self)
            if (value := getattr(self, declared.name)) != declared.default and declared.name != "name"
        }
        told["method"] = self.method
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def family(self) -> str:
        """Sixteen hexadecimal digits that recipes share which differ in nothing but name and seed."""
        return self.replace(seed=0).hash

    @property
    def needs_salience(self) -> bool:
        """Whether the run uses salience: never."""
        return False

    @property
    def needs_reference(self) -> bool:
        """Whether maps of a reference classifier may be needed: never."""
        return False

    @classmethod
    def rules(cls) -> dict[str, FieldRule]:
        """Return field name -> rule, in the order of a form."""
        return {declared.name: rule_of(declared) for declared in dataclasses.fields(cls)}

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Return field name -> sentence for every value that cannot stand, as `Recipe.problems` does."""
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
        for sentence in () if found else _contradictions(ProtoFlowFields(**parsed)):
            found.setdefault(sentence.split(" ", 1)[0], sentence)
        return found

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
        """Return the recipe as TOML, one field a line, its unit and source beside it; reads back the same."""
        return to_toml(dataclasses.asdict(self), self.rules())

    def save(self, path: Path | str) -> None:
        """Write the recipe to ``path`` as TOML, atomically."""
        write_text(path, self.to_toml())

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one."""
        return type(self).from_mapping({**dataclasses.asdict(self), **changes})


def _contradictions(recipe: ProtoFlowFields) -> list[str]:
    found = []
    if not recipe.classification_weight and not recipe.density_weight:
        found.append("density_weight and classification_weight are both 0: nothing would be learnt.")
    if recipe.warmup > recipe.epochs and not recipe.minutes:
        found.append(f"warmup ({recipe.warmup:g}) is longer than the run ({recipe.epochs} epochs).")
    return found


def _unknown(key: str, rules: Mapping[str, FieldRule]) -> str:
    every = f"the fields are {', '.join(rules)}."
    return f"there is no field {key!r}; {nearest(key, rules, every)}"
