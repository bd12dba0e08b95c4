"""Train the demo's classifiers for real and measure them on the test images.

    python packaging/train_demo_classifiers.py --out resources/demo/models

Reads resources/demo/images.h5 and resources/recipes/fashion-*.toml; writes one safetensors file a
recipe and figures.json. What stands finished under --runs is not trained again; a run that was
broken off is resumed. To use several processes, train the standard classifier first, then the others
side by side, then run the whole command, which finds them done and measures:

    python packaging/train_demo_classifiers.py --only fashion-standard --threads 1
"""

import argparse
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads sleep instead of spinning

import numpy as np
import torch

from sip_explorer.attacks import EvaluationSpec, evaluate
from sip_explorer.data import PackedImages, to_float
from sip_explorer.models import Classifier, load_checkpoint, save_checkpoint
from sip_explorer.records import Artefact, Failed, Finished, Metric, Notice, write_text
from sip_explorer.records.intervals import wilson
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import Recipe, TrainingData, train

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("fashion-standard", "fashion-adversarial", "fashion-sip-at")
EPSILONS = (0.03, 0.1, 0.2)
TEST_STEPS = 20


def main() -> None:
    """Train what is missing; unless told to train only one, measure all and write."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    with PackedImages.open(ROOT / "resources/demo/images.h5") as packed:
        data, test_images, test_labels = _load(packed)
    runs = {name: RunFolder(arguments.runs / name) for name in NAMES}
    for name in [arguments.only] if arguments.only else NAMES:
        _train(
            Recipe.from_toml(ROOT / "resources/recipes" / f"{name}.toml"), runs[name], data, runs[NAMES[0]]
        )
    if not arguments.only:
        _measure_all(runs, arguments.out, test_images, test_labels)


def _measure_all(runs: dict[str, RunFolder], out: Path, images: np.ndarray, labels: np.ndarray) -> None:
    figures = {}
    for name, run in runs.items():
        path = out / f"{name}.safetensors"
        model = _halved(run.best_path)
        save_checkpoint(path, model)
        rows = _measure(load_checkpoint(path), images, labels)  # what is in the file, not what was trained
        summary, environment = run.summary(), run.environment()
        figures[name] = {
            "recipe": environment["recipe_hash"],
            "origin": model.origin,
            "torch": environment["torch"],
            "seconds_of_training": round((summary.ended or 0.0) - (summary.started or 0.0)),
            "test": rows,
        }
        written = {f"test_{_label(row)}": f"{row['accuracy']:.4f} of {row['images']} images" for row in rows}
        save_checkpoint(path, model, origin={**model.origin, **written})
        write_text(out / "figures.json", json.dumps(figures, indent=2) + "\n")
        print(json.dumps({name: {_label(row): row["accuracy"] for row in rows}}), flush=True)


def _halved(path: Path) -> Classifier:
    """Return the classifier with its weights in float16, which halves the file."""
    model = load_checkpoint(path)
    model.network.half()
    model.origin["weights"] = "stored as float16"
    return model


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "resources/demo/models",
        help="folder of the checkpoints and figures",
    )
    parser.add_argument("--only", choices=NAMES, help="train this one, measure nothing")
    parser.add_argument(
        "--runs", type=Path, default=ROOT / "build/demo-runs", help="folder of the run folders"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads")
    return parser.parse_args()


def _load(packed: PackedImages) -> tuple[TrainingData, np.ndarray, np.ndarray]:
    rows = np.flatnonzero(packed.split == "train")
    test = np.flatnonzero(packed.split == "test")
    data = TrainingData(packed.read(rows), packed.labels[rows], rows, packed.classes, name=packed.name)
    return data, packed.read(test), packed.labels[test]


def _train(recipe: Recipe, run: RunFolder, data: TrainingData, standard: RunFolder) -> None:
    if run.summary().outcome == "completed":
        return
    print(f"{recipe.name}: {recipe.epochs} epochs", flush=True)
    reference = load_checkpoint(standard.best_path) if recipe.needs_reference else None
    for event in train(recipe, run.path, data, reference=reference, resume=True):
        _print(event)


def _print(event: object) -> None:
    if isinstance(event, Notice | Failed):
        print(f"  {event.message}", flush=True)
    elif isinstance(event, Finished):
        print(f"  {event.outcome}: {dict(event.summary)}", flush=True)
    elif isinstance(event, Metric) and event.name.startswith(("validation/", "time/")):
        print(f"  epoch {event.epoch:g}: {event.name} {event.value:.4f}", flush=True)


def _measure(model: Classifier, images: np.ndarray, labels: np.ndarray) -> list[dict[str, object]]:
    spec = EvaluationSpec(EPSILONS, ("pgd",), micro_batch=128)
    pixels, answers = to_float(images), torch.from_numpy(labels)
    with TemporaryDirectory() as folder:
        events = evaluate({"demo": model}, pixels, answers, spec, folder)
        cells = [event.data for event in events if isinstance(event, Artefact)]
    right = [(0.0, cells[0].clean_correct), *((cell.epsilon, ~cell.success_per_image) for cell in cells)]
    return [_row(epsilon, int(stands.sum()), len(stands)) for epsilon, stands in right]


def _row(epsilon: float, correct: int, images: int) -> dict[str, object]:
    low, high = wilson(correct, images)
    accuracy = correct / images
    row = {"region": "everywhere", "epsilon": epsilon, "correct": correct, "images": images}
    return row | {"accuracy": accuracy, "low": low, "high": high}


def _label(row: dict[str, object]) -> str:
    return "clean" if row["epsilon"] == 0 else f"pgd{TEST_STEPS}_{row['epsilon']:g}"


if __name__ == "__main__":
    main()
