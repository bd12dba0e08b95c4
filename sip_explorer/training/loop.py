"""The training loop: clean, adversarial and SIP-AT (arXiv 2501.09086), one run folder a run."""

import os
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sip_explorer.models import Classifier
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Event,
    EventLog,
    Failed,
    Finished,
    SipError,
)
from sip_explorer.records.liveness import writer_state
from sip_explorer.records.runs import RunFolder
from sip_explorer.records.shown_batch import keep_shown
from sip_explorer.training.ranks import Ranks, ranks_of
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.run import TrainingRun
from sip_explorer.training.step import explained
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
    try:
        yield from _logged(work, run, recipe, token, resume=resume) if ranks.main else work.events()
    except SipError:
        raise
    except Exception as error:
        if (told := _told(error, run)) is not None:
            raise told from error
        raise


def _told(error: Exception, run: RunFolder) -> SipError | None:
    """Return the sentence for a person; None where the program is at fault."""
    if isinstance(error, SipError):
        return error
    if isinstance(error, OSError):
        return SipError(
            f"{run.path} cannot be written ({error.strerror or error}): make room there, or see to its "
            "rights; then resume the run, or start it again."
        )
    return explained(error)


def _logged(
    work: TrainingRun, run: RunFolder, recipe: Recipe, token: CancelToken, *, resume: bool
) -> Iterator[Event | None]:
    _claim(recipe, run, resume)
    with EventLog(run.events_path) as log:
        try:
            for event in keep_shown(work.events(), run.batch_path):
                if event is not None and not (isinstance(event, Artefact) and not event.path):
                    log.append(event)
                yield event
        except Cancelled:
            log.append(Finished("cancelled"))
            yield Finished("cancelled")
        except GeneratorExit:
            if token.cancelled:
                log.append(Finished("cancelled"))
            raise
        except Exception as error:
            if (told := _told(error, run)) is not None:
                failed = Failed(str(told))
            else:
                sentence = f"Training failed: {type(error).__name__}: {error}"
                failed = Failed(sentence, traceback.format_exc())
            with suppress(OSError):  # the disk may be what failed
                log.append(failed)
            raise


def _claim(recipe: Recipe, run: RunFolder, resume: bool) -> None:
    """Write the recipe into the run folder, or check that the run there has the same one."""
    if not run.recipe_path.exists():
        recipe.save(run.recipe_path)
        return
    if not resume:
        raise SipError(f"{run.path} already holds a run: resume it, or choose another folder.")
    _require_left(run)
    there = Recipe.from_toml(run.recipe_path)
    if there.hash != recipe.hash:
        old, new = asdict(there), asdict(recipe)
        changed = [name for name in new if name != "name" and old[name] != new[name]]
        raise SipError(
            f"{run.path} was started with another recipe (different: {', '.join(changed)}): "
            "resume it with its own recipe, or start a new run."
        )
    for target in (run.last_path, run.best_path, run.salience_path, run.snapshots_path / "*.pt"):
        for left in target.parent.glob(f".{target.name}.*.tmp"):  # what a killed process was writing
            left.unlink(missing_ok=True)


def _require_left(run: RunFolder) -> None:
    """Refuse a run that another process of this machine is still writing."""
    environment = run.environment()
    pid = environment.get("pid")
    if pid is None or pid == os.getpid() or run.summary().outcome != "unfinished":
        return
    at = run.environment_path.stat().st_mtime
    if writer_state(pid, environment.get("host"), at) == "works":
        raise SipError(f"{run.path} is still being trained by process {pid}: stop that one first.")
