"""From the salience of a batch to what the inner attack may move there."""

import torch
from torch import Tensor

from sip_explorer.salience import hard_budget, soft_budget
from sip_explorer.training.recipe import Recipe


def budget_of(recipe: Recipe, salience: Tensor | None, epoch: float) -> Tensor | None:
    """Return the share of epsilon that each pixel may move at ``epoch`` (fractional epochs done).

    "hard" is SIP-AT's 1[1 - S >= 0.5] (arXiv 2501.09086); "soft" 1 - S (our extension); "inverted"
    the ablation 1[S >= 0.5], where an image without any salience stays ordinary adversarial training.
    With ``salient_share`` s every budget b becomes s + (1 - s) b, so that protected pixels may move
    by s epsilon; s grows linearly from 0 over ``salient_share_epochs``.

    Parameters
    ----------
    recipe
        Its ``budget``, ``salient_share`` and ``salient_share_epochs``.
    salience
        float32 (N, 1, H, W) in [0, 1]; None where the run carries none.

    Returns
    -------
    float32 (N, 1, H, W) in [0, 1]; None, which is 1 everywhere, where ``salience`` is None.
    """
    if salience is None:
        return None
    budget = soft_budget(salience) if recipe.budget == "soft" else hard_budget(salience)
    if recipe.budget == "inverted":
        annotated = salience.flatten(1).amax(1).ge(0.5)[:, None, None, None]
        budget = torch.where(annotated, 1 - budget, budget)
    share = salient_share(recipe, epoch)
    return budget if share == 0 else share + (1 - share) * budget


def salient_share(recipe: Recipe, epoch: float) -> float:
    """Return by how much of epsilon protected pixels may move at ``epoch``."""
    if not recipe.salient_share_epochs:
        return recipe.salient_share
    return recipe.salient_share * min(epoch / recipe.salient_share_epochs, 1.0)
