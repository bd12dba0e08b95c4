"""``sip-explorer sweep`` on two small models and eight images."""

import csv

import numpy as np
import pytest
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.records.comparison import between_models
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import read_manifest, read_sweep


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Two classes, bright at the left or at the right, and two models: one looks, one guesses."""
    from sip_explorer.models import build_classifier, save_checkpoint

    folder = tmp_path_factory.mktemp("sweep")
    generator = np.random.default_rng(0)
    for name, side in (("left", slice(0, 14)), ("right", slice(14, 28))):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(20):
            pixels = generator.integers(0, 80, (28, 28), np.uint8)
            pixels[:, side] += 150
            Image.fromarray(pixels).save(folder / "images" / name / f"{number}.png")
    assert main(["import", str(folder / "images"), str(folder / "workspace"), "--name", "sides"]) == 0
    for name, seed in (("first", 0), ("second", 1)):
        model = build_classifier(
            "small-cnn", classes=("left", "right"), input_shape=(1, 16, 16), mean=[0], std=[1], seed=seed
        )
        save_checkpoint(folder / f"{name}.safetensors", model)
        assert main(["models", "add", str(folder / f"{name}.safetensors"), str(folder / "workspace")]) == 0
    return folder / "workspace"


def _sweep(workspace, *words):
    return main(["sweep", "-m", "first", "-w", str(workspace), "--steps", "1", "--images", "8", *words])


def test_robust_accuracies_are_printed_with_their_intervals_and_models_compared(workspace, tmp_path, capsys):
    words = ["--epsilons", "0,8/255", "--batch-sizes", "1,4", "--out", str(tmp_path / "sweep")]
    assert _sweep(workspace, "-m", "second", *words, "--table", str(tmp_path / "out" / "table.csv")) == 0

    lines = capsys.readouterr().out.splitlines()
    cells = read_sweep(tmp_path / "sweep")
    assert len(cells) == 2 * 2 * 2
    assert "Robust accuracy (95 % interval), 8 test images, PGD-1, L∞:" in lines
    for cell in cells:
        low, high = wilson(8 - int(cell.success_per_image.sum()), 8)
        row = f"{cell.model}, log-odds, sum, float32, batch {cell.batch_size} "
        figure = f"{100 * cell.robust_accuracy:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        assert any(line.startswith(row) and figure in line for line in lines)
    (clean, _), (attacked, adjusted) = between_models(cells)
    assert clean.first.epsilon == 0
    row = "first − second, log-odds, sum, float32, batch 1, ε 8/255 "
    (line,) = (line for line in lines if line.startswith(row))
    assert f"{100 * attacked.difference:+.1f} % ({100 * attacked.low:+.1f} to " in line
    assert line.split()[-2:] == [f"{attacked.p_value:.2g}", f"{adjusted:.2g}"]
    assert any(line.startswith("first − second, without attack") for line in lines)
    for name, rows in (("table.csv", 8), ("table-paired.csv", 2)):
        assert f"table: {tmp_path / 'out' / name}" in lines
        with open(tmp_path / "out" / name, newline="", encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == rows


def test_every_setting_reaches_the_sweep(workspace, tmp_path, capsys):
    words = ["--norm", "l2", "--epsilons", "0.5", "--batch-sizes", "2,4", "--losses", "ce margin"]
    words += ["--reductions", "mean", "--step-rules", "raw,normalised:floor:1e-6", "--restarts", "1,2"]
    words += ["--micro-batch", "16", "--execution", "literal", "--seed", "5", "--precisions", "bfloat16"]
    assert _sweep(workspace, *words, "--out", str(tmp_path)) == 0

    shown = capsys.readouterr().out
    assert "8 test images, PGD-1, L2:" in shown
    assert "first, margin, mean, bfloat16, normalised:floor:1e-06, 2 restarts, batch 4" in shown
    assert "difference" not in shown  # one model has nobody to be compared with
    manifest = read_manifest(tmp_path)
    assert manifest["settings"] == {
        "steps": 1, "step_size": None, "raw_step_size": 1.0, "norm": "l2", "zero_gradient": "stay", "seed": 5,
        "micro_batch": 16, "execution": "literal",
    }  # fmt: skip
    assert {(cell.loss, cell.step, cell.restarts, cell.micro_batch) for cell in read_sweep(tmp_path)} == {
        (loss, step, restarts, size)
        for loss in ("ce", "margin")
        for step in ("raw", "normalised:floor:1e-06")
        for restarts in (1, 2)
        for size in (2, 4)
    }


@pytest.mark.parametrize(
    ("words", "norm", "epsilons", "place"),
    [
        (["--threat-model", "l2-0.5"], "l2", [0.5], ("log-odds", "sum", "normalised")),
        (["--norm", "l2"], "l2", [0, 0.1, 0.25, 0.5], ("log-odds", "sum", "normalised")),
        (["--threat-model", "linf-0.1"], "linf", [0.1], ("log-odds", "sum", "sign")),
        (["--preset", "degraded", "--epsilons", "8/255"], "linf", [8 / 255], ("ce", "mean", "sign")),
        (
            ["--preset", "degraded", "--threat-model", "l2-0.5", "--losses", "dlr"],
            "l2",
            [0.5],
            ("dlr", "mean", "normalised:add:1e-10"),
        ),
    ],
    ids=["l2", "l2-usual", "fashion", "degraded", "degraded-l2"],
)
def test_usual_balls_and_the_degraded_attack_have_names(
    workspace, tmp_path, capsys, words, norm, epsilons, place
):
    refused = "dlr" in place  # needs more than two classes, and says so

    assert _sweep(workspace, *words, "--out", str(tmp_path)) == int(refused)

    manifest = read_manifest(tmp_path)
    assert manifest["settings"]["norm"] == norm
    assert manifest["settings"]["micro_batch"] == 64  # a light model: as many as there are on a CPU
    axes = manifest["axes"]
    assert axes["epsilons"] == epsilons
    assert (axes["losses"], axes["reductions"], axes["step_rules"]) == tuple([word] for word in place)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--epsilons", "much"], "Epsilon “much” is not a number"),
        (["--batch-sizes", "1,x"], "“1,x” is no list of batch sizes: write for example 1,16,256."),
        (["--restarts", "0"], "“0” is no list of restarts: write for example 1,5."),
        (["--step-rules", "sign,adaptive"], "The step rule “adaptive” is unknown: write sign, normalised"),
        (["--norm", "l1"], "norm is 'l1'; choose one of linf, l2."),
        (["--losses", "kl"], "loss is 'kl'; choose one of"),
        (["--execution", "quick"], "execution is 'quick'; choose one of vectorised, literal."),
        (
            ["--threat-model", "linf-1"],
            "The threat model linf-1 is unknown; choose one of linf-8/255, l2-0.5",
        ),
        (["--threat-model", "l2-0.5", "--norm", "l2"], "--threat-model says norm and epsilon: leave out"),
        (["--preset", "strong"], "The preset strong is unknown; the only one is degraded."),
        (["--execution", "literal", "--batch-sizes", "64"], "8 images make none of 64: select more images"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_gets_one_sentence(workspace, tmp_path, capsys, words, sentence):
    assert _sweep(workspace, *words, "--out", str(tmp_path / "sweep")) == 1

    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "sweep").exists()


def test_a_table_that_cannot_be_written_says_so_and_keeps_the_sweep(workspace, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    words = ["--epsilons", "8/255", "--out", str(tmp_path / "sweep")]

    assert _sweep(workspace, *words, "--table", str(tmp_path / "file" / "table.csv")) == 1

    assert "cannot be written (" in capsys.readouterr().err
    assert len(read_sweep(tmp_path / "sweep")) == 1
