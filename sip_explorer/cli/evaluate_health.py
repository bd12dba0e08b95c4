"""``evaluate --health``: whether attacks on a model can be believed."""

from functools import partial
from typing import TYPE_CHECKING

from sip_explorer.cli.evaluate_order import EvaluationOrder
from sip_explorer.cli.progress import follow, say
from sip_explorer.records import Artefact, CancelToken

if TYPE_CHECKING:
    from sip_explorer.attacks.health import HealthReport
    from sip_explorer.workspace import Workspace

PASSED, OPEN = "passed", "look at this"


def evaluate_health(workspace: "Workspace", order: EvaluationOrder) -> None:
    """Examine every model and print a line per finding."""
    from sip_explorer.attacks.health import health_report

    epsilon = order.ball.radius
    subject = order.attacked(workspace, 50)
    micro_batch = subject.pace(order.micro_batch).micro_batch
    token = CancelToken()
    for name in subject.models:
        if token.stopping:
            break
        job = health_report(
            subject.placed(name),
            subject.images,
            subject.labels,
            norm=order.ball.norm,
            epsilon=epsilon,
            seed=order.seed,
            micro_batch=micro_batch,
            token=token,
        )
        follow(job, token, partial(_show, name))


def _show(name: str, artefact: Artefact) -> None:
    report: HealthReport = artefact.data
    for finding in report.findings:
        word = PASSED if finding.passed else OPEN
        say(f"{word:<{len(OPEN)}}  {finding.name} ({finding.figure}): {finding.sentence}")
    opened = [finding.name for finding in report.findings if not finding.passed]
    of = f"{len(report.findings)} checks on {report.images} images"
    if opened:
        say(f"{name}: {len(opened)} of {of} want a look: {', '.join(opened)}.")
    else:
        say(f"{name}: all {of} passed, so attacks on it can be believed.")
