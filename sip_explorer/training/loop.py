"""The training loop: clean, adversarial and SIP-AT (arXiv 2501.09086), one run folder a run."""

from collections.abc import Iterator
from pathlib import Path

from sip_explorer.models import Classifier
from sip_explorer.records import CancelToken, Event
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.ranks import Ranks, ranks_of
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.run import TrainingRun
from sip_explorer.training.run_keeping import keep_run
from sip_explorer.training.training_data import TrainingData


def train(
    recipe: Recipe,
    folder: Path | str,
    data: TrainingData,
    *,
    reference: Classifier | None = None,
    token: CancelToken | None = None,
    resume: bool = False,
    snapshot: Path | str | None = None,
    ranks: Ranks | None = None,
) -> Iterator[Event | None]:
    """Train a classifier by ``recipe`` and write the run folder; a job.

    Under ``accelerate launch`` every process runs this generator over its share of each batch; one of
    them writes, and the others' events are for themselves.

    Parameters
    ----------
    recipe
        What to do.
    folder
        The run folder; it must not hold a run yet, unless ``resume``.
    data
        The images, labels and painted salience.
    reference
        The classifier whose maps are salience where the recipe asks for them.
    token
        ``cancel`` ends the run at once: what is on disk stays, but the run has no checkpoint any
        more. ``stop`` ends it after the step under way, validates, and keeps the result.
    resume
        Go on from ``last.pt`` (from the start where there is none) with the salience and the thread count
        of the first start. On the same machine and software the result is bit for bit that of an
        uninterrupted run; on a GPU as far as the kernels of the network repeat themselves.
    snapshot
        A new run that goes on from this file, another run's ``snapshots/<epoch>.pt`` or ``last.pt`` over
        the same images; the recipe may differ, but for the network, seed and validation_fraction. A resumed
        run remembers it.
    ranks
        The processes of the run; None: those that the environment names, on the recipe's device.

    Yields
    ------
    Event or None
        Metrics ``train/loss``, ``train/accuracy`` (on the batches as trained on), ``train/epsilon``,
        ``train/learning_rate``, ``validation/clean``, ``validation/pgd``, ``validation/plateau``
        (epochs without a better value), ``time/epoch`` (seconds);
        ``Artefact("batch", data=...)`` with a few images, their adversarial versions and salience
        as float32 arrays, written to the run folder too; ``Artefact("checkpoint", path)`` when the
        best checkpoint was written; `Finished`. None is a breath.

    Raises
    ------
    SipError
        Where recipe, data and reference do not fit, the loss stops being finite, the folder cannot be
        written, the memory does not suffice, or another process still trains into the folder.
    """
    token = token or CancelToken()
    ranks = ranks or ranks_of(recipe.device)
    run = RunFolder(folder)
    work = TrainingRun(
        recipe, run, data, reference, token, resume=resume,
        snapshot=None if snapshot is None else Path(snapshot), ranks=ranks,
    )  # fmt: skip
    yield from keep_run(work, run, recipe, token, ranks, resume=resume)
