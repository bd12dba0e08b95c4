"""The recipe of a ProtoFlow's training: everything that decides the result."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sip_explorer.protoflow import FlowConfig
from sip_explorer.records import SipError, write_text
from sip_explorer.training.recipe_declaration import PRECISIONS
from sip_explorer.training.recipe_fields import FieldRule, choice, number, rule_of, switch, text, whole
from sip_explorer.training.recipe_toml import read_toml, to_toml


@dataclass(frozen=True, kw_only=True)
class ProtoFlowRecipe:
    """One ProtoFlow run, checked field by field when it is made.

    The loss is the sum of the four terms, each times its weight; the authors' is the plain sum of
    those enabled (weights 1 or 0).

    Raises
    ------
    SipError
        When a value cannot stand in its field; the sentence names the field.
    """

    name: str = text("", "what the run is called")
    method: str = choice("protoflow", ("protoflow",), "an invertible classifier with prototypes")
    layout: str = text(
        ", ".join(FlowConfig().layout),
        "stages: squeeze, steps COUNTxWIDTH, factor WIDTH, separated by commas",
    )
    components: int = whole(4, 1, "prototypes of each class", "prototypes", maximum=100)
    classification_weight: float = number(1.0, 0.0, 1e4, "weight of the cross-entropy (nats)")
    density_weight: float = number(1.0, 0.0, 1e4, "weight of the class-conditional bits/dim")
    diversity_weight: float = number(0.0, 0.0, 1e4, "weight of the diversity of a class's prototypes")
    cluster_weight: float = number(
        0.0, 0.0, 1e4, "weight of the distance from prototypes to their nearest images"
    )

    epochs: int = whole(30, 1, "passes over the training images", "epochs", maximum=100_000)
    minutes: float = number(
        0.0, 0.0, 1e6, "end after about this time, the learning rate falls along; 0: no limit"
    )
    batch_size: int = whole(64, 2, "images per optimiser step", "images", maximum=65_536)
    micro_batch: int = whole(16, 2, "images per pass; gradients of a batch are added up", "images")
    learning_rate: float = number(2e-3, 0.0, 1.0, "peak learning rate of the flow (AdamW)", open_minimum=True)
    mixture_learning_rate: float = number(5e-3, 0.0, 1.0, "peak learning rate of the prototypes")
    warmup: float = number(1.0, 0.0, 1e4, "the learning rate climbs over this time", "epochs")
    gradient_clip: float = number(100.0, 0.0, 1e9, "largest gradient norm of a step", open_minimum=True)
    average: float = number(0.999, 0.0, 1.0, "decay of the running average of the weights; 0: none")
    kmeans: bool = switch(True, "start the prototypes at class-wise k-means of the latents")
    shift: int = whole(0, 0, "move training images by up to so many pixels at random", "pixels", maximum=16)
    flip: bool = switch(False, "mirror training images at random, left to right")

    validation_fraction: float = number(0.05, 0.0, 0.5, "held out of training, by class", open_minimum=True)
    seed: int = whole(0, 0, "fixes weights, order, noise and split", maximum=2**31 - 1)
    device: str = text("auto", "auto, cpu, cuda or cuda:n")
    precision: str = choice("auto", PRECISIONS, "arithmetic of the coupling networks; densities are float32")

    def __post_init__(self) -> None:
        for name, rule in self.rules().items():
            try:
                object.__setattr__(self, name, rule.parse(name, getattr(self, name)))
            except ValueError as error:
                raise SipError(f"Recipe: {error}") from None
        if not self.average < 1:
            raise SipError("Recipe: average is 1.0; give a number below 1, such as 0.999.")

    def flow_config(self, input_shape: tuple[int, int, int]) -> FlowConfig:
        """Return the flow's plan for images of (C, H, W)."""
        layout = tuple(entry.strip() for entry in self.layout.split(",") if entry.strip())
        return FlowConfig(input_shape, layout, self.components)

    @classmethod
    def rules(cls) -> dict[str, FieldRule]:
        """Return field name -> rule, in the order of a form."""
        return {declared.name: rule_of(declared) for declared in dataclasses.fields(cls)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe of ``values``; a key that is no field is refused by name (SipError)."""
        for key in values:
            if key not in cls.rules():
                raise SipError(f"Recipe: there is no field {key!r}; the fields are {', '.join(cls.rules())}.")
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
        """Return the recipe as TOML, one field a line, its unit beside it; reads back the same."""
        return to_toml(dataclasses.asdict(self), self.rules())

    def save(self, path: Path | str) -> None:
        """Write the recipe to ``path`` as TOML, atomically."""
        write_text(path, self.to_toml())

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one."""
        return type(self).from_mapping({**dataclasses.asdict(self), **changes})
