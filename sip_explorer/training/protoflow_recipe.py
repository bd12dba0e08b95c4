"""The recipe of a ProtoFlow's training: everything that decides the result."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sip_explorer.training.checked_recipe import CheckedRecipe
from sip_explorer.training.protoflow_declaration import ProtoFlowFields
from sip_explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from sip_explorer.protoflow import FlowConfig


@dataclass(frozen=True, kw_only=True)
class ProtoFlowRecipe(CheckedRecipe, ProtoFlowFields):
    """One ProtoFlow run, checked field by field when it is made.

    The fields are those of `ProtoFlowFields`. The loss is the sum of five terms, each times its weight;
    the authors' is the plain sum of those enabled (weights 1 or 0).

    Raises
    ------
    SipError
        When a value cannot stand in its field, or two fields contradict each other; the sentence
        names the field.
    """

    hashed_always: ClassVar[tuple[str, ...]] = ("method",)

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> list[str]:
        return _contradictions(ProtoFlowFields(**values))

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
    def needs_salience(self) -> bool:
        """Whether the run uses salience: never."""
        return False

    @property
    def needs_reference(self) -> bool:
        """Whether maps of a reference classifier may be needed: never."""
        return False


def _contradictions(recipe: ProtoFlowFields) -> list[str]:
    found = []
    if not recipe.classification_weight and not recipe.density_weight:
        found.append("density_weight and classification_weight are both 0: nothing would be learnt.")
    stages = [entry.strip() for entry in recipe.layout.split(",") if entry.strip()]
    if all(stage.startswith(("squeeze", "factor")) for stage in stages):
        found.append("layout has neither steps nor dense couplings: nothing would be learnt.")
    if recipe.warmup > recipe.epochs and not recipe.minutes:
        found.append(f"warmup ({recipe.warmup:g}) is longer than the run ({recipe.epochs} epochs).")
    return found
