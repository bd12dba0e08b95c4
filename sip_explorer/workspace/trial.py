"""Which settings suit a checkpoint: measured on the labelled images of a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.models.choice import Choice
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, Started
from sip_explorer.workspace.trial_images import trial_images
from sip_explorer.workspace.trial_result import LoadedModel, TrialResult, TrialRow, TrialSetting

if TYPE_CHECKING:
    from sip_explorer.workspace.workspace import Workspace

__all__ = ["LoadedModel", "TrialResult", "TrialRow", "TrialSetting", "try_settings"]


def try_settings(
    workspace: Workspace,
    path: Path | str,
    base: Choice,
    *,
    images: int = 200,
    device: str = "cpu",
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Measure a checkpoint's accuracy under the settings that ``base`` leaves open, and propose one.

    Tried are the usual normalisations at the size that the network was made for, under every order of
    classes that the names allow; with the two best of them the file's other weights and the other
    architectures that its keys fit, then other sizes. A setting that is far behind after a quarter of the
    images is left there. See `judged` for how one is chosen.

    Parameters
    ----------
    base : Choice
        What it names is not varied.
    images : int
        At most so many labelled images, stratified over the classes, those of the test split first.

    Yields
    ------
    Started; Artefact("loaded", data=LoadedModel); Progress (in settings), each followed by
    Artefact("trial so far", data=tuple of TrialRow), the best first; Notice; Artefact("trial",
    data=TrialResult), Finished. A stop proposes the best so far.

    Raises
    ------
    SipError
        The file cannot be loaded as ``base`` says.
    """
    from sip_explorer.models import load_checkpoint
    from sip_explorer.workspace.trial_bench import Bench
    from sip_explorer.workspace.trial_judging import fared, judged
    from sip_explorer.workspace.trial_plan import Plan
    from sip_explorer.workspace.trial_race import Race

    path, token = Path(path), token or CancelToken()
    yield Started(f"try {path.name}")
    yield None
    classifier = load_checkpoint(path, **base.arguments(), device=device)
    yield Artefact("loaded", data=LoadedModel.of(classifier, workspace.classes))
    plan = Plan.of(path, base, classifier, workspace)
    bench = Bench(workspace, path, base, classifier, token)
    chosen = yield from bench.readable(trial_images(workspace, plan.known, images))
    if not len(chosen.ids):
        yield Artefact("trial", data=plan.untried(workspace.name))
        yield Finished("completed", {"settings": 0, "images": 0})
        return
    race = Race(bench, plan, chosen, token)
    for event in race.run():
        yield event
        if isinstance(event, Progress):
            yield Artefact("trial so far", data=fared(plan, race.answers, chosen))
    result = judged(plan, race.answers, chosen)
    yield Artefact("trial", data=result)
    yield Finished(
        "stopped" if token.stopping else "completed",
        {"settings": len(result.rows), "images": len(chosen.ids)},
    )
