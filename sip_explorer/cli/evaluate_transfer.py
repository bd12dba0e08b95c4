"""``evaluate --transfer``: the adversarial images of each model, tried on each other."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.cli.attacked import results_folder, table_file, words_of
from sip_explorer.cli.evaluate_order import EvaluationOrder
from sip_explorer.cli.figures import epsilon_words, percent
from sip_explorer.cli.progress import follow, say, table
from sip_explorer.records import Artefact, CancelToken, SipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.records.transfers import TransferMatrix
    from sip_explorer.workspace import Workspace


def evaluate_transfer(workspace: "Workspace", order: EvaluationOrder) -> None:
    """Make the examples, print who is fooled by whose, and write the table."""
    from sip_explorer.attacks import AutoAttack, EvaluationSpec, standard_attacks, transfer

    names = words_of(order.attacks or "pgd")
    epsilon = order.ball.radius
    spec = EvaluationSpec((epsilon,), names, order.ball.norm, order.seed)
    attack = spec.attack(names[0], epsilon)
    if len(names) > 1 or isinstance(attack, AutoAttack):
        raise SipError("--transfer takes one attack, pgd, apgd or apgd-ce+t: give one of them.")
    subject = order.attacked(workspace, 500)
    attack = replace(attack, micro_batch=subject.pace(order.micro_batch, out=order.out).micro_batch)
    token = CancelToken()
    made: list[Artefact] = []
    with results_folder(order.out, lambda: workspace.new_transfer_folder("transfer")) as folder:
        job = transfer(
            subject.models,
            subject.images,
            subject.labels,
            attack,
            folder,
            indices=subject.ids.tolist(),
            token=token,
            device=subject.device,
        )
        finished = follow(job, token, made.append)
    say(f"{finished.outcome}: {folder}")
    if made[-1:] and made[-1].kind == "transfer":
        _show(made[-1].data, f"{standard_attacks()[names[0]].words}, {order.words(subject)}", order.table)


def _show(matrix: "TransferMatrix", words: str, path: Path | None) -> None:
    from sip_explorer.records.transfers import write_transfer_table

    say(
        f"Misclassified, of all images ({words}, ε {epsilon_words(matrix.epsilon, matrix.norm)}); "
        "made on (rows), tried on (columns):",
        *_lines(matrix, matrix.success),
        "Misclassified, of the images that both models get right:",
        *_lines(matrix, matrix.success_where_both_right),
    )
    if path is not None:
        with table_file(path):
            write_transfer_table(path, matrix)


def _lines(matrix: "TransferMatrix", shares: "NDArray[np.float64]") -> list[str]:
    rows = [
        [source, *(percent(float(share)) for share in row)]
        for source, row in zip(matrix.models, shares, strict=True)
    ]
    return table(["", *matrix.models], rows)
