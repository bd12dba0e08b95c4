"""How the learning rate and the attack's epsilon move over a run; both are functions of time alone.

Because neither has a state, a resumed run takes exactly the steps of an uninterrupted one.
"""

import math

from sip_explorer.training.recipe import Recipe

_WARM_SHARE = 0.2
_START_SHARE = 0.05
_END_SHARE = 0.001
_FLOW_END_SHARE = 0.002


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """Return the learning rate at ``epoch`` (fractional epochs done, from 0 to ``recipe.epochs``).

    "one-cycle" climbs linearly over the first fifth and falls along a cosine; "cosine" only falls;
    "step" multiplies by ``schedule_factor`` every ``schedule_epochs`` (the SIP-AT authors' StepLR).
    """
    peak = recipe.learning_rate
    share = min(epoch / recipe.epochs, 1.0)
    if recipe.schedule == "constant":
        return peak
    if recipe.schedule == "step":
        return float(peak * recipe.schedule_factor ** (int(epoch) // recipe.schedule_epochs))
    if recipe.schedule == "one-cycle":
        if share < _WARM_SHARE:
            return peak * (_START_SHARE + (1 - _START_SHARE) * share / _WARM_SHARE)
        share = (share - _WARM_SHARE) / (1 - _WARM_SHARE)
    return peak * max(0.5 * (1 + math.cos(math.pi * share)), _END_SHARE)


def attack_epsilon(recipe: Recipe, epoch: float) -> float:
    """Return the inner attack's epsilon at ``epoch``: it grows linearly over ``epsilon_warmup`` epochs."""
    if recipe.epsilon_warmup <= 0:
        return recipe.epsilon
    return recipe.epsilon * min(epoch / recipe.epsilon_warmup, 1.0)


def flow_factor(warmup: float, epoch: float, share: float) -> float:
    """Return the share of a ProtoFlow's peak learning rates: a climb over ``warmup`` epochs, a cosine.

    ``epoch`` is fractional epochs done after the step, ``share`` what is done of the run, by steps or by
    time.
    """
    climb = min(epoch / warmup, 1.0) if warmup else 1.0
    return climb * max(0.5 * (1 + math.cos(math.pi * min(share, 1.0))), _FLOW_END_SHARE)
