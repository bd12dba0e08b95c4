"""``evaluate --judge``: adversarial images that were made elsewhere."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.cli.attacked import attacked, choose_images, load_models
from sip_explorer.cli.evaluate_order import EvaluationOrder
from sip_explorer.cli.figures import with_interval
from sip_explorer.cli.progress import follow, say
from sip_explorer.records import Artefact, CancelToken, SipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.attacks import ForeignVerdict
    from sip_explorer.workspace import Workspace


def evaluate_judge(workspace: "Workspace", order: EvaluationOrder, file: Path) -> None:
    """Judge the images in ``file`` by every model."""
    from sip_explorer.attacks import judge_file

    epsilon = order.ball.radius
    models = load_models(workspace, order.models)
    shape = next(iter(models.values())).input_shape
    subject = attacked(workspace, models, _originals(workspace, order, file, shape), order.device)
    micro_batch = subject.pace(order.micro_batch).micro_batch
    token = CancelToken()
    for name in models:
        if token.stopping:
            break
        job = judge_file(
            subject.placed(name),
            file,
            subject.images,
            subject.labels,
            norm=order.ball.norm,
            epsilon=epsilon,
            indices=subject.ids.tolist(),
            micro_batch=micro_batch,
            token=token,
        )
        follow(job, token, partial(_show, name))


def _originals(
    workspace: "Workspace", order: EvaluationOrder, file: Path, shape: tuple[int, int, int]
) -> "NDArray[np.int64]":
    """Return which images the file was made from: those chosen, else by its own ids, else by its number."""
    import numpy as np

    from sip_explorer.records.adversarial import read_adversarial

    if order.images is not None:
        return choose_images(workspace, order.split or "test", order.images)
    found = read_adversarial(file, shape=shape)
    if found.indices is None or order.split is not None:
        return choose_images(workspace, order.split or "test", len(found.images))
    strange = np.setdiff1d(found.indices, workspace.image_ids())
    if len(strange):
        raise SipError(
            f"{file} was made from image {strange[0]}, which the workspace {workspace.name} does not have: "
            "choose its workspace, or say with --images which images it was made from."
        )
    return found.indices


def _show(name: str, artefact: Artefact) -> None:
    verdict: ForeignVerdict = artefact.data
    count, distance = len(verdict.success), verdict.distance
    stand = with_interval(count - int(verdict.success.sum()), count)
    say(
        f"{name}: {verdict.sentence}",
        f"{name}: robust accuracy {stand}; outside the ball {int(verdict.outside_ball.sum())}, "
        f"outside [0, 1] {int(verdict.outside_range.sum())}; distances {float(distance.min()):.4g} to "
        f"{float(distance.max()):.4g}, median {float(distance.median()):.4g}",
    )
