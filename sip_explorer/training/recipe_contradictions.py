"""Which fields of a recipe cannot stand together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.training.recipe import Recipe


def contradictions(recipe: "Recipe") -> list[str]:
    """Return a sentence, beginning with a field's name, for every contradiction in ``recipe``."""
    return [*_of_salience(recipe), *_of_attack(recipe), *_of_optimiser(recipe), *_of_validation(recipe)]


def _of_salience(recipe: "Recipe") -> list[str]:
    found = []
    salient = recipe.method == "sip-at" and recipe.salience != "none"
    if recipe.method == "sip-at":
        if recipe.salient_share == 1.0 and not recipe.salient_share_epochs:
            found.append(
                "salient_share is 1, which protects nothing: choose method 'adversarial', or a smaller share."
            )
        if recipe.salient_share_epochs and not recipe.salient_share:
            found.append("salient_share_epochs needs a salient_share above 0 to grow to.")
    for name, neutral in (
        ("budget", "hard"),
        ("salient_share", 0.0),
        ("unannotated", 0.0),
        ("merge", "none"),
    ):
        if not salient and getattr(recipe, name) != neutral:
            found.append(
                f"{name} only matters where method is 'sip-at' with salience: set it to {neutral!r}, "
                "or change the method."
            )
    if salient and recipe.merge != "none":
        if "painted" not in recipe.salience_sources:
            found.append(
                f"merge is {recipe.merge!r} but salience is {recipe.salience!r}: merge needs 'painted'."
            )
        if recipe.annotator:
            found.append("merge takes every annotator: leave annotator empty, or set merge to 'none'.")
    if recipe.salience_layer and "grad-cam" not in recipe.salience_sources:
        found.append(
            "salience_layer only matters for Grad-CAM: leave it empty, or choose salience 'grad-cam'."
        )
    return found


def _of_attack(recipe: "Recipe") -> list[str]:
    found = []
    if recipe.epsilon_warmup > recipe.epochs:
        found.append(
            f"epsilon_warmup ({recipe.epsilon_warmup:g}) is longer than the run ({recipe.epochs} epochs)."
        )
    if recipe.attack_batch_size and recipe.reduction == "sum":
        found.append(
            "attack_batch_size only matters with reduction 'mean': set it to 0 or change the reduction."
        )
    if recipe.method == "trades":
        if recipe.loss != "ce":
            found.append(
                f"loss is {recipe.loss!r} but TRADES climbs its own divergence: leave loss at 'ce', "
                "or choose method 'adversarial'."
            )
        if not recipe.random_start:
            found.append(
                "random_start is off, but the divergence of TRADES has no gradient at the image itself: "
                "switch it on."
            )
    return found


def _of_optimiser(recipe: "Recipe") -> list[str]:
    found = []
    if recipe.momentum == 1.0:
        found.append("momentum is 1.0; give a number below 1.")
    if recipe.ema == 1.0:
        found.append("ema is 1.0, which would never take up a weight; give a number below 1.")
    if recipe.accumulate > recipe.batch_size:
        found.append(
            f"accumulate ({recipe.accumulate}) is more than batch_size ({recipe.batch_size}): "
            "a part needs an image."
        )
    return found


def _of_validation(recipe: "Recipe") -> list[str]:
    if recipe.best == "robust" and recipe.validation_images == 0:
        return ["best is 'robust' but validation_images is 0: attack some images, or choose 'clean'."]
    return []
