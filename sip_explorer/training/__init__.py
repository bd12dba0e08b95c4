"""Training of classifiers: recipes and the loop.

Recipe and data are there at once; what needs torch is loaded on first use, so that a form can be
built from a recipe before torch is there.
"""

from typing import TYPE_CHECKING, Any

from sip_explorer.training.recipe import Recipe
from sip_explorer.training.recipe_fields import FieldRule
from sip_explorer.training.training_data import TrainingData

if TYPE_CHECKING:
    from sip_explorer.training.loop import train

__all__ = ["FieldRule", "Recipe", "TrainingData", "train"]

_TORCH_SIDE = {"train": "loop"}


def __getattr__(name: str) -> Any:
    if name in _TORCH_SIDE:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_TORCH_SIDE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
