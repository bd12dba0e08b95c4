"""The recipe of a training run: everything that decides the result, checked, and kept as TOML."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sip_explorer.training.checked_recipe import CheckedRecipe
from sip_explorer.training.recipe_contradictions import contradictions
from sip_explorer.training.recipe_declaration import MAP_SOURCES, RecipeFields


@dataclass(frozen=True, kw_only=True)
class Recipe(CheckedRecipe, RecipeFields):
    """One training run, checked field by field when it is made.

    The fields are those of `RecipeFields`. The defaults are the demo's: a small network on 28 px grey
    images, epsilon 0.1. The authors' own values stand in ``Recipe.authors``.

    Raises
    ------
    SipError
        When a value cannot stand in its field, or two fields contradict each other; the sentence
        names the field.
    """

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> list[str]:
        return contradictions(RecipeFields(**values))

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

    @property
    def selection(self) -> Self:
        """The recipe that chooses the images and salience: itself."""
        return self

    @property
    def needs_salience(self) -> bool:
        """Whether the run uses salience at all."""
        return bool(self.salience_sources)

    @property
    def needs_reference(self) -> bool:
        """Whether maps of a reference classifier may be needed."""
        return any(source in MAP_SOURCES for source in self.salience_sources)
