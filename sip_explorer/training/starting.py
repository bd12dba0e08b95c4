"""The job of a recipe, whatever its method."""

from collections.abc import Iterator
from pathlib import Path

from sip_explorer.models import Classifier
from sip_explorer.records import CancelToken, Event, SipError
from sip_explorer.training.any_recipe import AnyRecipe
from sip_explorer.training.loop import train
from sip_explorer.training.protoflow_loop import train_protoflow
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.training_data import TrainingData


def start_training(
    recipe: AnyRecipe,
    folder: Path | str,
    data: TrainingData,
    *,
    reference: Classifier | None = None,
    token: CancelToken | None = None,
    resume: bool = False,
    snapshot: Path | str | None = None,
    ranks: Ranks | None = None,
) -> Iterator[Event | None]:
    """Return `train` or `train_protoflow`, as the recipe's method says; arguments as there.

    Raises
    ------
    SipError
        Where a ``reference`` is given to a method that takes no salience; else as the jobs do.
    """
    if isinstance(recipe, ProtoFlowRecipe):
        if reference is not None:
            raise SipError("A ProtoFlow takes no salience: leave --reference out.")
        return train_protoflow(
            recipe, folder, data, token=token, resume=resume, snapshot=snapshot, ranks=ranks
        )
    return train(
        recipe, folder, data,
        reference=reference, token=token, resume=resume, snapshot=snapshot, ranks=ranks,
    )  # fmt: skip
