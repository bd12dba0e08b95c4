"""Recipes of every method: which class one is of stands in its field ``method``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sip_explorer.records import SipError
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.recipe_declaration import METHODS
from sip_explorer.training.recipe_toml import read_toml

AnyRecipe = Recipe | ProtoFlowRecipe

PROTOFLOW = "protoflow"
ALL_METHODS = (*METHODS, PROTOFLOW)


def recipe_class(method: object) -> type[Recipe] | type[ProtoFlowRecipe]:
    """Return the class of the recipes of ``method``; that of classifiers where it is none."""
    return ProtoFlowRecipe if method == PROTOFLOW else Recipe


def recipe_of(values: Mapping[str, Any]) -> AnyRecipe:
    """Return the recipe of ``values``; SipError names the field whose value cannot stand."""
    method = values.get("method", METHODS[0])
    if method not in ALL_METHODS:
        raise SipError(f"Recipe: method is {method!r}; choose one of {', '.join(ALL_METHODS)}.")
    return recipe_class(method).from_mapping(values)


def read_recipe(path: Path | str) -> AnyRecipe:
    """Return the recipe in the file ``path``, of any method; SipError, naming the file, where it is none."""
    values = read_toml(path)
    try:
        return recipe_of(values)
    except SipError as error:
        raise SipError(f"{path}: {error}") from None
