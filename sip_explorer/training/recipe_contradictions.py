"""Which fields of a recipe cannot stand together."""

from sip_explorer.training.recipe_declaration import RecipeFields

# Neutral values of fields that only salience gives a meaning.
_OF_SALIENCE = {
    "budget": "hard",
    "salient_share": 0.0,
    "salient_share_epochs": 0.0,
    "unannotated": 0.0,
    "merge": "none",
}


def contradictions(recipe: RecipeFields) -> list[str]:
    """Return a sentence, beginning with a field's name, for every contradiction in ``recipe``.

    Refused is what asks for something that the run would not do. A field that a recipe always fills in
    (``loss`` under clean training, ``schedule_epochs`` without steps) may stand there unused.
    """
    return [*_of_salience(recipe), *_of_attack(recipe), *_of_trades(recipe), *_of_run(recipe)]


def _of_salience(recipe: RecipeFields) -> list[str]:
    found = []
    sources = recipe.salience_sources
    if not sources:
        found += [
            f"{name} only matters where method is 'sip-at' with salience: set it to {neutral!r}, "
            "or change the method."
            for name, neutral in _OF_SALIENCE.items()
            if getattr(recipe, name) != neutral
        ]
    elif recipe.merge != "none":
        if "painted" not in sources:
            found.append(
                f"merge is {recipe.merge!r} but salience is {recipe.salience!r}: merge needs 'painted'."
            )
        if recipe.annotator:
            found.append("merge takes every annotator: leave annotator empty, or set merge to 'none'.")
    if recipe.salience_layer and "grad-cam" not in sources:
        found.append(
            "salience_layer only matters for Grad-CAM: leave it empty, or choose salience 'grad-cam'."
        )
    if sources and recipe.salient_share == 1.0 and not recipe.salient_share_epochs:
        found.append(
            "salient_share is 1, which protects nothing: choose method 'adversarial', or a smaller share."
        )
    if sources and recipe.salient_share_epochs and not recipe.salient_share:
        found.append("salient_share_epochs needs a salient_share above 0 to grow to.")
    if recipe.salient_share_epochs > recipe.epochs:
        found.append(_longer("salient_share_epochs", recipe))
    return found


def _of_attack(recipe: RecipeFields) -> list[str]:
    found = []
    if recipe.epsilon_warmup > recipe.epochs:
        found.append(_longer("epsilon_warmup", recipe))
    if recipe.attack_batch_size and recipe.reduction == "sum":
        found.append(
            "attack_batch_size only matters with reduction 'mean': set it to 0 or change the reduction."
        )
    return found


def _of_trades(recipe: RecipeFields) -> list[str]:
    if recipe.method != "trades":
        if recipe.trades_beta != 1.0:
            return ["trades_beta only matters with method 'trades': set it to 1, or change the method."]
        return []
    found = []
    if recipe.loss != "ce":
        found.append(
            f"loss is {recipe.loss!r} but TRADES climbs its own divergence: leave loss at 'ce', "
            "or choose method 'adversarial'."
        )
    if recipe.reduction != "sum":
        found.append(
            f"reduction is {recipe.reduction!r} but TRADES adds up its divergence: set it to 'sum', "
            "or choose method 'adversarial'."
        )
    if not recipe.random_start:
        found.append(
            "random_start is off, but the divergence of TRADES has no gradient at the image itself: "
            "switch it on."
        )
    return found


def _of_run(recipe: RecipeFields) -> list[str]:
    found = []
    if recipe.accumulate > recipe.batch_size:
        found.append(
            f"accumulate ({recipe.accumulate}) is more than batch_size ({recipe.batch_size}): "
            "a part needs an image."
        )
    if recipe.best == "robust" and recipe.validation_images == 0:
        found.append("best is 'robust' but validation_images is 0: attack some images, or choose 'clean'.")
    if recipe.normalisation != "images" and recipe.start:
        found.append(
            f"normalisation is {recipe.normalisation!r} but the start checkpoint brings its own: "
            "set it to 'images', or leave start empty."
        )
    return found


def _longer(name: str, recipe: RecipeFields) -> str:
    return f"{name} ({getattr(recipe, name):g}) is longer than the run ({recipe.epochs} epochs)."
