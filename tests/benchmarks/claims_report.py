"""Tables and plot of what `claims.py` has finished so far, in Markdown.

    python tests/benchmarks/claims_report.py [--results resources/results] [--plot claims.png]

Accuracies in %, mean ± standard deviation over seeds (n − 1); clean on all test images, the others on the
images that every seed was attacked on. "−AT": the mean over seeds of the difference to adversarial training
of the same seed on the same images.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from claims_settings import CLAIMS, Claim, Setting
from reporting import ROOT

from sip_explorer.records.comparison import mcnemar

Cell = dict[str, Any]
REFERENCE = "at"


@dataclass(frozen=True)
class Figure:
    """Accuracies in [0, 1], one a seed, on ``images`` images."""

    values: tuple[float, ...]
    images: int

    def __str__(self) -> str:
        mean = 100 * statistics.fmean(self.values)
        if len(self.values) == 1:
            return f"{mean:.1f}"
        return f"{mean:.1f} ± {100 * statistics.stdev(self.values):.1f}"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--results", type=Path, default=ROOT / "resources" / "results")
    options.add_argument("--plot", type=Path, help="also draw clean against robust accuracy into this PNG")
    chosen = options.parse_args()
    for claim in CLAIMS.values():
        for scale in scales(chosen.results, claim):
            print("\n".join(table(chosen.results, claim, scale)), end="\n\n")
    if chosen.plot:
        from claims_plot import draw

        draw(chosen.results, chosen.plot)


def scales(results: Path, claim: Claim) -> list[str]:
    """Return the scales that have cells of ``claim``."""
    return sorted({path.parent.name for path in (results / claim.name).glob("*/*.json")})


def cells_of(results: Path, claim: Claim, scale: str, setting: str) -> dict[int, Cell]:
    """Return seed -> cell of what is finished."""
    paths = sorted((results / claim.name / scale).glob(f"{setting}-s*.json"))
    cells = [json.loads(path.read_text("utf-8")) for path in paths]
    return {cell["seed"]: cell for cell in cells if cell["setting"] == setting}


def attacks_of(claim: Claim) -> list[str]:
    """Return the keys of a cell's figures, weakest attack first."""
    return [
        "clean",
        *(f"apgd-ce+t {epsilon}" for epsilon in claim.apgd),
        *(f"autoattack {epsilon}" for epsilon in claim.autoattack),
    ]


def figure(cells: Sequence[Cell], attack: str, images: int) -> Figure:
    """Return the accuracies of ``cells`` under ``attack`` on the first ``images`` images."""
    if attack == "clean":
        return Figure(tuple(cell["right"]["clean"] / cell["test_images"] for cell in cells), images)
    return Figure(tuple(float(standing(cell, attack)[:images].mean()) for cell in cells), images)


def standing(cell: Cell, attack: str) -> np.ndarray:
    """Return which of the judged images the model gets right under ``attack``."""
    count = judged(cell, attack)
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(cell["outcomes"][attack]), dtype=np.uint8))
    return bits[:count].astype(bool)


def judged(cell: Cell, attack: str) -> int:
    """Return on how many images ``attack`` was measured."""
    if attack == "clean":
        return int(cell["test_images"])
    return int(cell.get("few", cell["judged"]) if attack.startswith("apgd") else cell["judged"])


def table(results: Path, claim: Claim, scale: str) -> list[str]:
    """Return the lines of a claim's table."""
    rows = [(setting, cells_of(results, claim, scale, setting.name)) for setting in claim.settings]
    compared = CLAIMS["sip-at"] if claim.name == "better" else claim
    reference = cells_of(results, compared, scale, REFERENCE)
    attacks = attacks_of(claim)
    everything = [cell for cells in (*(cells for _, cells in rows), reference) for cell in cells.values()]
    images = {attack: min(judged(cell, attack) for cell in everything) for attack in attacks}
    heads = [f"{words_of(attack)} ({images[attack]:,})" for attack in attacks]
    lines = [f"**{claim.words}** — {scale}", "", "| setting | seeds | " + " | ".join(heads) + " |"]
    lines.append("|---|---|" + "---|" * len(heads))
    for setting, cells in rows:
        lines.append(_row(setting, cells, attacks, images, reference))
    if claim.name.startswith("sip-at"):
        lines += ["", *_paired(rows, reference, attacks)]
    if claim.name == "better":
        lines += ["", *_front(rows, reference, cells_of(results, CLAIMS["sip-at"], scale, "trades"), attacks)]
    return lines


def _row(
    setting: Setting, cells: dict[int, Cell], attacks: list[str], images: dict[str, int],
    reference: dict[int, Cell],
) -> str:  # fmt: skip
    if not cells:
        return f"| {setting.words} | – |" + " – |" * len(attacks)
    shared = sorted(set(cells) & set(reference)) if setting.name != REFERENCE else []
    entries = []
    for attack in attacks:
        entry = str(figure(list(cells.values()), attack, images[attack]))
        if shared:
            own = figure([cells[seed] for seed in shared], attack, images[attack]).values
            other = figure([reference[seed] for seed in shared], attack, images[attack]).values
            difference = 100 * statistics.fmean(a - b for a, b in zip(own, other, strict=True))
            entry += f" ({difference:+.1f})"
        entries.append(entry)
    seeds = ", ".join(str(seed) for seed in sorted(cells))
    return f"| {setting.words} | {seeds} | " + " | ".join(entries) + " |"


def _paired(
    rows: list[tuple[Setting, dict[int, Cell]]], reference: dict[int, Cell], attacks: list[str]
) -> list[str]:
    """Say for each seed on how many images SIP-AT alone is right, and adversarial training alone."""
    lines = []
    for setting, cells in rows:
        if setting.name not in ("sip-at", "sip-at-half"):
            continue
        for seed in sorted(set(cells) & set(reference)):
            words = []
            for attack in attacks[1:]:
                few = min(judged(cells[seed], attack), judged(reference[seed], attack))
                own, other = (standing(cell[seed], attack)[:few] for cell in (cells, reference))
                only, lost = int((own & ~other).sum()), int((other & ~own).sum())
                words.append(f"{words_of(attack)} {only} : {lost} of {few}, p = {mcnemar(lost, only):.2g}")
            lines.append(f"- {setting.words}, seed {seed}, right alone : AT right alone: {'; '.join(words)}.")
    return lines


def _front(
    rows: list[tuple[Setting, dict[int, Cell]]],
    at: dict[int, Cell],
    trades: dict[int, Cell],
    attacks: list[str],
) -> list[str]:
    """Say of every setting where it lies against AT and TRADES, seeds that all have."""
    lines = []
    for setting, cells in rows:
        for name, baseline in (("AT", at), ("TRADES", trades)):
            seeds = sorted(set(cells) & set(baseline))
            if not seeds:
                continue
            words = []
            for attack in attacks[1:]:
                few = min(judged(cell, attack) for each in (cells, baseline) for cell in each.values())
                gains = [
                    statistics.fmean(
                        figure([cells[seed]], kind, few).values[0]
                        - figure([baseline[seed]], kind, few).values[0]
                        for seed in seeds
                    )
                    for kind in ("clean", attack)
                ]
                verdict = "above" if min(gains) > 0 else "below" if max(gains) < 0 else "beside"
                words.append(f"{words_of(attack)} {verdict} ({100 * gains[0]:+.1f}, {100 * gains[1]:+.1f})")
            lines.append(
                f"- {setting.words} against {name} (clean, robust), seeds {seeds}: {'; '.join(words)}."
            )
    return lines


def words_of(attack: str) -> str:
    """Return an attack in words."""
    if attack == "clean":
        return "clean"
    kind, epsilon = attack.split()
    return f"{'AutoAttack' if kind == 'autoattack' else 'APGD-CE + T'} {epsilon}/255"


if __name__ == "__main__":
    main()
