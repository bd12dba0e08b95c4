"""``evaluate``: models under standard attacks."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.cli.attacked import Attacked, results_folder, words_of, write_tables
from sip_explorer.cli.evaluate_order import EvaluationOrder
from sip_explorer.cli.figures import Figures, percent
from sip_explorer.cli.progress import follow, say
from sip_explorer.records import Artefact, CancelToken, SipError

if TYPE_CHECKING:
    from sip_explorer.attacks import EvaluationSpec, PngExport
    from sip_explorer.records.sweeps import CellKey
    from sip_explorer.workspace import Workspace

DEFAULT, JUDGE, EVERYWHERE = "apgd-ce+t", "autoattack", "everywhere"


def evaluate_attacks(workspace: "Workspace", order: EvaluationOrder) -> None:
    """Attack, print the figures, and write what is asked for."""
    import torch

    from sip_explorer.attacks import EvaluationSpec, evaluate
    from sip_explorer.records.seeds import over_seeds
    from sip_explorer.records.sweeps import read_manifest, read_sweep
    from sip_explorer.workspace.region_salience import region_salience

    attacks = words_of(DEFAULT if order.attacks is None else order.attacks)
    regions = words_of(order.regions or EVERYWHERE)
    # Refuses what cannot be meant before anything is loaded.
    EvaluationSpec(order.ball.epsilons, attacks, order.ball.norm, regions=regions)
    if order.salience is not None and regions == (EVERYWHERE,):
        raise SipError("--salience is for --regions: add --regions salient,background, or leave it out.")
    if order.batch_size is not None and JUDGE not in attacks:
        raise SipError("--batch-size is AutoAttack's: add autoattack to --attacks, or leave it out.")
    if order.png is not None and max(order.ball.epsilons) == 0:
        raise SipError("At ε 0 no image changes: give an epsilon above 0 with --png.")
    subject = order.attacked(workspace, 500)
    micro_batch, batch_size = subject.pace(order.micro_batch, order.batch_size, order.out)
    ball = order.ball
    spec = EvaluationSpec(ball.epsilons, attacks, ball.norm, order.seed, micro_batch, batch_size, regions)
    found = None
    if regions != (EVERYWHERE,):
        found = region_salience(workspace, subject.ids, subject.shape[1:], order.salience or "")
        say(f"Regions: {found.words}")
    token = CancelToken()
    with results_folder(order.out, lambda: workspace.new_evaluation_folder("evaluation")) as folder:
        job = evaluate(
            subject.models,
            subject.images,
            subject.labels,
            spec,
            folder,
            indices=subject.ids.tolist(),
            salience=None if found is None else torch.from_numpy(found.masks[:, None]),
            salience_source="" if found is None else found.source,
            keep_images=order.keep_images or order.png is not None,
            token=token,
            device=subject.device,
        )
        finished = follow(job, token)
        cells, manifest = read_sweep(folder), read_manifest(folder) or {}
    if not cells:
        say(f"{finished.outcome} before the first figure was there")
        return
    figures = Figures(cells, spec.norm, _words)
    say(f"Robust accuracy (95 % interval), {order.words(subject)}:", *figures.accuracies(clean=True))
    seeds = over_seeds(cells, manifest.get("origins"))
    say(*figures.over_seeds(seeds), *_broken(figures), *figures.zero_gradients(), *figures.paired())
    say(*_notices(figures))
    say(f"{finished.outcome}: {folder}")
    if order.table is not None:
        write_tables(order.table, cells, manifest.get("settings", {}), seeds)
    if order.png is not None and finished.outcome == "completed":
        _export(subject, spec, folder, order.png, figures)


def _words(key: "CellKey") -> str:
    from sip_explorer.attacks import standard_attacks

    return standard_attacks()[key.attack].words


def _broken(figures: Figures) -> list[str]:
    """Return which run of a sequence of runs broke how many images."""
    lines = []
    for cell in figures.cells:
        counts: dict[str, int] = {}
        for place, run in enumerate(cell.breakers):
            kind = re.sub(r" \d+$", "", run)  # a run for each target class is one to a reader
            counts[kind] = counts.get(kind, 0) + int((cell.broken_by_per_image == place).sum())
        if counts:
            counts["wrong without attack"] = int((~cell.clean_correct).sum())
            counts["stand"] = int((~cell.success_per_image).sum())
            said = ", ".join(f"{words} {count}" for words, count in counts.items())
            lines.append(f"{figures.place(cell.key)}: {said}")
    return ["How many images each run broke:", *lines] if lines else []


def _notices(figures: Figures) -> list[str]:
    places: dict[str, list[str]] = {}
    for cell in figures.cells:
        for notice in cell.notices:
            places.setdefault(notice, []).append(figures.place(cell.key))
    return [
        f"{found[0] if len(found) == 1 else f'{len(found)} figures'}: {notice}"
        for notice, found in places.items()
    ]


def _export(subject: Attacked, spec: "EvaluationSpec", folder: Path, target: Path, figures: Figures) -> None:
    """Write the adversarial images of every figure as PNG, in a folder of its own where there are several."""
    import numpy as np

    from sip_explorer.attacks import export_png
    from sip_explorer.attacks.evaluation_plan import images_path
    from sip_explorer.records.adversarial import read_adversarial

    keys = [
        spec.key(name, attack, epsilon, region)
        for name in subject.models
        for attack in spec.attacks
        for region in spec.regions
        for epsilon in spec.epsilons
        if epsilon > 0
    ]
    token = CancelToken()
    attacked_ids = {cell.key: cell.indices for cell in figures.cells}
    for key in keys:
        ids = attacked_ids[key]  # fewer than were chosen, where a region is not in every image
        rows = np.flatnonzero(np.isin(subject.ids, ids))
        job = export_png(
            target if len(keys) == 1 else target / key.name,
            read_adversarial(images_path(folder, key), shape=subject.shape, indices=subject.ids[rows]),
            subject.images[rows],
            subject.labels[rows],
            model=subject.placed(key.model),
            norm=spec.norm,
            epsilon=key.epsilon,
            classes=subject.models[key.model].classes,
            micro_batch=spec.micro_batch,
            token=token,
        )
        found: list[Artefact] = []
        follow(job, token, found.append)
        export: PngExport = found[0].data
        say(
            f"{figures.place(key)}: as 8-bit PNG {percent(export.kept)} of the broken images still succeed "
            f"({export.still_broken} of {export.broken}), at most {export.largest_distance:.4g} away",
            f"png: {export.folder}",
        )
        if token.stopping:
            break
