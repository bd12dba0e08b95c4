"""What every method's run does with its folder: claims it, logs its events, says why it failed."""

import os
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Protocol

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
from sip_explorer.training.any_recipe import AnyRecipe, read_recipe
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.step import explained


class Work(Protocol):
    """A run that can be done once."""

    def events(self) -> Iterator[Event | None]:
        """Do the run."""


def keep_run(
    work: Work, run: RunFolder, recipe: AnyRecipe, token: CancelToken, ranks: Ranks, *, resume: bool
) -> Iterator[Event | None]:
    """Do ``work`` and keep its recipe and its events in the run folder, in the process that writes.

    Raises
    ------
    SipError
        Where the folder holds another run, cannot be written, or the work cannot go on.
    """
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
    work: Work, run: RunFolder, recipe: AnyRecipe, token: CancelToken, *, resume: bool
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


def _claim(recipe: AnyRecipe, run: RunFolder, resume: bool) -> None:
    """Write the recipe into the run folder, or check that the run there has the same one."""
    if not run.recipe_path.exists():
        recipe.save(run.recipe_path)
        return
    if not resume:
        raise SipError(f"{run.path} already holds a run: resume it, or choose another folder.")
    _require_left(run)
    there = read_recipe(run.recipe_path)
    if there.hash != recipe.hash:
        old, new = asdict(there), asdict(recipe)
        changed = [name for name in new if name != "name" and old.get(name) != new[name]]
        raise SipError(
            f"{run.path} was started with another recipe (different: {', '.join(changed)}): "
            "resume it with its own recipe, or start a new run."
        )
    written = (run.last_path, run.best_path, run.salience_path, run.snapshots_path / "*.pt")
    for target in (*written, run.path / "samples" / "*.png"):
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
