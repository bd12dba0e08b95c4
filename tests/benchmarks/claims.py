"""The papers' claims, tested: trains every setting over seeds, attacks every model, writes a file per cell.

A cell is one setting, network and seed. What is there already is not computed again, so the script goes
on whenever there is time; several may run at once (each cell is claimed by a lock file). Data: garments
on photos, whose masks are exact: no person painted them, so this tests the mechanism and not human
salience; or any packed images, with Grad-CAM. `claims_report.py` prints the tables and draws the plot.

    python packaging/make_garments.py --fashion FOLDER --contrast 1 --scale 1 --out garments.h5
    python tests/benchmarks/claims.py --data garments.h5 --claims sip-at better mini-batch
    python packaging/pack_images.py --train cifar/train --test cifar/test --out cifar-jpeg.h5
    python tests/benchmarks/claims.py --data cifar-jpeg.h5 --claims sip-at-grad-cam --network resnet18-cifar
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from claims_settings import CLAIMS, Claim, Setting
from reporting import ROOT, machine
from torch import Tensor

from sip_explorer.attacks import APGD, AutoAttack
from sip_explorer.attacks.result import result_of
from sip_explorer.data import PackedImages, to_float
from sip_explorer.models import Classifier, load_checkpoint
from sip_explorer.records import Artefact, Notice
from sip_explorer.records.atomic import write_text
from sip_explorer.training import Recipe, TrainingData, train
from sip_explorer.training.environment import describe_environment

Masks = npt.NDArray[np.uint8]
BLUR = 2.0  # px, standard deviation


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    with PackedImages.open(options.data) as packed:
        for seed, claim, setting in _cells(options):
            path = options.out / claim.name / f"{_folder(options)}" / f"{setting.name}-s{seed}.json"
            if path.exists() or not _claimed(path):
                continue
            try:
                cell = _cell(packed, claim, setting, seed, options)
                write_text(path, json.dumps(cell, indent=1, ensure_ascii=False) + "\n")
            finally:
                _lock(path).unlink()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="packed images with segmentations")
    parser.add_argument("--claims", nargs="+", choices=CLAIMS, default=["sip-at", "better", "mini-batch"])
    parser.add_argument("--settings", nargs="+", help="only these settings")
    parser.add_argument("--network", default="tiny-cnn")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--images", type=int, default=20_000, help="training images")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--judged", type=int, default=500, help="test images under AutoAttack")
    parser.add_argument("--few", type=int, default=200, help="the first of them, under APGD")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "results")
    return parser.parse_args()


def _folder(options: argparse.Namespace) -> str:
    """Return the name of a scale: figures of different scales never meet in one table."""
    return f"{options.data.stem}-{options.network}-{options.images}x{options.epochs}-{options.judged}"


def _cells(options: argparse.Namespace) -> Iterator[tuple[int, Claim, Setting]]:
    """Yield the seeds outermost, so that whatever is finished compares all settings."""
    for seed in options.seeds:
        for name in options.claims:
            for setting in CLAIMS[name].settings:
                if not options.settings or setting.name in options.settings:
                    yield seed, CLAIMS[name], setting


def _lock(path: Path) -> Path:
    return path.with_suffix(".running")


def _claimed(path: Path) -> bool:
    """Return whether this process may compute the cell; one that a dead process left is taken over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock(path)
    try:
        with lock.open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        owner = lock.read_text().strip()
        if not owner.isdecimal() or Path(f"/proc/{owner}").exists():
            return False
        lock.write_text(str(os.getpid()))
    return True


def _cell(
    packed: PackedImages, claim: Claim, setting: Setting, seed: int, options: argparse.Namespace
) -> dict[str, Any]:
    recipe = _recipe(claim, setting, seed, options)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="claims-") as folder:
        data = _data(packed, setting, seed, recipe.limit)
        reference = None
        if setting.salience == "grad-cam":  # trained anew: a cell stands for itself
            clean = _recipe(claim, claim.settings[0], seed, options)
            reference, _ = _trained(clean, data, Path(folder) / "reference")
        model, told = _trained(recipe, data, Path(folder) / "run", reference)
    trained = time.monotonic()
    rows = np.flatnonzero(packed.split == "test")
    images = to_float(packed.read(rows)).to(options.device)
    labels = torch.from_numpy(packed.labels[rows]).to(options.device)
    clean = _right(model, images, labels)
    figures = {"clean": int(clean.sum())}
    outcomes = {"clean": _bits(clean[: options.judged])}
    judged, answers = images[: options.few], labels[: options.few]
    for epsilon in claim.apgd:
        attack = APGD.ce_and_targeted(epsilon=epsilon / 255, seed=seed, micro_batch=128)
        success = result_of(attack.iterate(model, judged, answers)).success
        figures[f"apgd-ce+t {epsilon}"] = int((~success).sum())
        outcomes[f"apgd-ce+t {epsilon}"] = _bits(~success)
        _say(setting, seed, f"APGD-CE + T {epsilon}/255", figures[f"apgd-ce+t {epsilon}"], options.few)
    judged, answers = images[: options.judged], labels[: options.judged]
    for epsilon in claim.autoattack:
        ensemble = AutoAttack(epsilon=epsilon / 255, seed=seed, batch_size=options.judged)
        success = result_of(ensemble.iterate(model, judged, answers)).success
        figures[f"autoattack {epsilon}"] = int((~success).sum())
        outcomes[f"autoattack {epsilon}"] = _bits(~success)
        _say(setting, seed, f"AutoAttack {epsilon}/255", figures[f"autoattack {epsilon}"], options.judged)
    return {
        "claim": claim.name, "setting": setting.name, "words": setting.words, "salience": setting.salience,
        "network": options.network, "seed": seed, "data": packed.name, "told": told,
        "recipe": {name: value for name, value in asdict(recipe).items() if value is not None},
        "test_images": len(rows), "judged": options.judged, "few": options.few, "threads": options.threads,
        "right": figures, "outcomes": outcomes,
        "seconds": {"training": round(trained - began), "judging": round(time.monotonic() - trained)},
        "environment": describe_environment(torch.device(options.device)), "machine": machine(options.device),
    }  # fmt: skip


def _recipe(claim: Claim, setting: Setting, seed: int, options: argparse.Namespace) -> Recipe:
    epochs = max(round(claim.epochs * options.epochs), 1)
    fields = {
        **claim.shared, "architecture": options.network, "epochs": epochs, "seed": seed,
        "limit": round(claim.images * options.images), "device": options.device, **setting.changes,
        "name": f"{setting.name}-s{seed}",
    }  # fmt: skip
    for name in ("epsilon_warmup", "salient_share_epochs"):
        fields[name] = epochs * fields.get(name, 0.0)
    return Recipe(**fields)


def _data(packed: PackedImages, setting: Setting, seed: int, limit: int) -> TrainingData:
    rows = np.flatnonzero(packed.split == "train")
    data = TrainingData(
        images=packed.read(rows),
        labels=packed.labels[rows],
        ids=rows,
        classes=packed.classes,
        name=packed.name,
    ).limited(limit, seed)
    if setting.salience not in ("exact", "blurred"):
        return data
    masks = packed.segmentations(data.ids)
    if masks is None:
        raise SystemExit(f"{packed.path} holds no segmentations: make it with packaging/make_garments.py.")
    if setting.salience == "blurred":
        masks = _blurred(masks)
    return replace(data, segmentations=dict(zip(data.ids.tolist(), masks, strict=True)))


def _blurred(masks: Masks) -> Masks:
    from scipy.ndimage import gaussian_filter

    soft = gaussian_filter(masks.astype(np.float32), (0, BLUR, BLUR), mode="nearest")
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8)


def _trained(
    recipe: Recipe, data: TrainingData, folder: Path, reference: Classifier | None = None
) -> tuple[Classifier, list[str]]:
    told, best = [], None
    for event in train(recipe, folder, data, reference=reference):
        if isinstance(event, Notice):
            told.append(event.message)
        elif isinstance(event, Artefact) and event.kind == "checkpoint":
            best = event.path
    if best is None:
        raise SystemExit(f"{recipe.name} wrote no checkpoint.")
    return load_checkpoint(best).to(recipe.device).eval(), told


def _right(model: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        answers = torch.cat([model(part).argmax(1) for part in images.split(500)])
    return answers == labels


def _bits(standing: Tensor) -> str:
    """Return which images are right, as hexadecimal digits of packed bits, the first image first."""
    return np.packbits(standing.cpu().numpy()).tobytes().hex()


def _say(setting: Setting, seed: int, attack: str, right: int, images: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {setting.name} seed {seed}: {attack} {right} of {images}", flush=True)


if __name__ == "__main__":
    main()
