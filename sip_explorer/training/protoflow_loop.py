"""The training of a ProtoFlow (arXiv 2407.12200, losses and schedule), one run folder a run."""

from collections.abc import Iterator
from pathlib import Path

from sip_explorer.records import CancelToken, Event
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_run import ProtoFlowRun
from sip_explorer.training.ranks import Ranks, ranks_of
from sip_explorer.training.run_keeping import keep_run
from sip_explorer.training.training_data import TrainingData


def train_protoflow(
    recipe: ProtoFlowRecipe,
    folder: Path | str,
    data: TrainingData,
    *,
    token: CancelToken | None = None,
    resume: bool = False,
    snapshot: Path | str | None = None,
    ranks: Ranks | None = None,
) -> Iterator[Event | None]:
    """Train a ProtoFlow by ``recipe`` and write the run folder; a job.

    Under ``accelerate launch`` every process runs this generator over its share of each batch, as `train`.

    Parameters
    ----------
    recipe
        What to do.
    folder
        The run folder; it must not hold a run yet, unless ``resume``.
    data
        Images and labels; salience is not used.
    token
        ``cancel`` ends the run at once, ``stop`` after the step under way, validated and kept.
    resume
        Go on from ``last.pt`` (from the start where there is none). On the same machine and software the
        result is bit for bit that of an uninterrupted run, unless ``minutes`` sets the pace.
    snapshot
        A new run that goes on from this file, as in `train`.
    ranks
        The processes of the run; None: those that the environment names, on the recipe's device.

    Yields
    ------
    Event or None
        Metrics of the batches: ``train/loss``, ``train/accuracy``, ``train/cross-entropy`` (nats),
        ``train/bits-per-dim`` (class-conditional), of what has a weight ``train/consistency`` (bits/dim),
        ``train/diversity`` and ``train/cluster``, ``train/learning_rate`` (of the flow). On held-out images,
        by the averaged weights: ``validation/clean`` (accuracy), ``validation/bits-per-dim`` (of log p(x)),
        ``validation/class-bits-per-dim``, ``validation/calibration-error``, the terms ``part/half 1``,
        ``part/latent``, ``part/log-determinant`` that add up to ``validation/bits-per-dim``, and
        ``usage/<class>/<prototype>``, the share of the images that it is responsible for, with ``usage/in
        use``, the share of prototypes that have a tenth of their fair share; by the bare weights
        ``validation/clean-bare`` and ``validation/bits-per-dim-bare``. ``time/epoch`` (seconds).
        ``Artefact("samples", path)`` a picture of draws, always with the same noise;
        ``Artefact("checkpoint", path)`` when the best checkpoint was written (highest held-out accuracy
        minus bits/dim); `Finished`. None is a breath.

    Raises
    ------
    SipError
        Where recipe and data do not fit, the loss stops being finite, the folder cannot be written, the
        memory does not suffice, or another process still trains into the folder.
    """
    token = token or CancelToken()
    ranks = ranks or ranks_of(recipe.device)
    run = RunFolder(folder)
    work = ProtoFlowRun(
        recipe, run, data, token, resume=resume, snapshot=None if snapshot is None else Path(snapshot),
        ranks=ranks,
    )  # fmt: skip
    yield from keep_run(work, run, recipe, token, ranks, resume=resume)
