"""What a trained checkpoint says of itself."""

from collections.abc import Mapping
from pathlib import PureWindowsPath

import sip_explorer
from sip_explorer.training.recipe import Recipe


def checkpoint_origin(
    recipe: Recipe, name: str, data: str, figures: Mapping[str, float], held_out: int
) -> dict[str, str]:
    """Return the origin to store: how the weights were made, and their measured validation figures.

    Parameters
    ----------
    recipe, name, data
        The recipe, what the model is called, what the data are called.
    figures
        ``epoch`` (epochs done), ``clean`` and perhaps ``pgd`` accuracy in [0, 1].
    held_out
        Number of held-out images that ``clean`` was measured on.
    """
    origin = {
        "name": name,
        "method": recipe.method,
        "recipe": recipe.hash,
        "family": recipe.family,
        "data": data,
        "epsilon": f"{recipe.epsilon:g}",
        "seed": str(recipe.seed),
        "epoch": f"{figures['epoch']:g} of {recipe.epochs}",
        "validation_clean": f"{figures['clean']:.4f} of {held_out} images",
        "program": f"sip-explorer {sip_explorer.__version__}",
    }
    if recipe.method == "sip-at":
        origin["salience"] = recipe.salience
        origin["budget"] = recipe.budget
        if recipe.salient_share:
            origin["salient_share"] = f"{recipe.salient_share:g}"
        if recipe.unannotated:
            origin["unannotated"] = f"{recipe.unannotated:g}"
    if recipe.method == "trades":
        origin["trades_beta"] = f"{recipe.trades_beta:g}"
    if recipe.ema:
        origin["ema"] = f"{recipe.ema:g}"
    if recipe.method != "clean" and recipe.epsilon_warmup:
        origin["epsilon_warmup"] = f"{recipe.epsilon_warmup:g} epochs"
    if recipe.start:
        origin["start"] = PureWindowsPath(recipe.start).name  # takes both kinds of slashes
    if "pgd" in figures:
        count = min(recipe.validation_images, held_out)
        attack = f"PGD-{recipe.validation_steps} at {recipe.epsilon:g}"
        origin["validation_pgd"] = f"{figures['pgd']:.4f} of {count} images, {attack}"
    return origin
