"""``evaluate --regions`` and over seeds, on a packed data set with object masks."""

import csv

import numpy as np
import pytest
import torch

from sip_explorer.attacks import PGD
from sip_explorer.cli.main import main
from sip_explorer.data import PackedImages
from sip_explorer.data.fitting import fit_images
from sip_explorer.models import build_classifier, load_checkpoint, save_checkpoint
from sip_explorer.records.run_salience import salience_writer
from sip_explorer.records.sweeps import read_manifest, read_sweep
from sip_explorer.workspace import Workspace, import_images

CLASSES = ("left", "right")
SEEDS = ("at-seed1", "at-seed2", "at-seed3")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Twelve test images, the last two without an object; three seeds of one training, and a model alone."""
    folder = tmp_path_factory.mktemp("regions")
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    pixels = generator.integers(0, 120, (40, 12, 12, 1), np.uint8)
    masks = np.zeros((40, 12, 12), np.uint8)
    for picture, mask, label in zip(pixels, masks, labels, strict=True):
        picture[3:8, 6 * label : 6 * label + 6] += 40
        mask[3:8, 6 * label : 6 * label + 6] = 255
    masks[38:] = 0
    split = np.where(np.arange(40) >= 28, "test", "train")
    PackedImages.write(folder / "packed.h5", pixels, labels, CLASSES, split=split, segmentations=masks)
    for _ in import_images(folder / "packed.h5", folder / "workspace", name="sides"):
        pass
    for seed, name in enumerate((*SEEDS, "plain")):
        model = build_classifier(
            "small-cnn", classes=CLASSES, input_shape=(1, 12, 12), mean=[0.3], std=[0.2], seed=seed
        )
        optimiser = torch.optim.Adam(model.parameters(), 2e-3)
        for _ in range(12 + seed):
            optimiser.zero_grad()
            logits = model(fit_images(pixels, (1, 12, 12)))
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels)).backward()
            optimiser.step()
        save_checkpoint(folder / f"{name}.safetensors", model.eval())
        assert main(["models", "add", str(folder / f"{name}.safetensors"), str(folder / "workspace")]) == 0
    with Workspace.open(folder / "workspace") as opened:
        opened.add_annotator("Ada")
    return folder / "workspace"


def _evaluate(workspace, *words, models=("plain",)):
    chosen = [part for model in models for part in ("-m", model)]
    return main(["evaluate", "-w", str(workspace), *chosen, "--attacks", "pgd", *map(str, words)])


def test_regions_are_the_data_sets_object_masks(workspace, tmp_path, capsys):
    out = tmp_path / "figures"
    words = ["--regions", "everywhere,salient,background", "--epsilons", "12/255", "--micro-batch", "8"]
    assert _evaluate(workspace, *words, "--out", out, "--png", tmp_path / "png") == 0
    counts = {folder.name: len(list(folder.glob("*.png"))) for folder in (tmp_path / "png").iterdir()}
    assert sorted(counts.values()) == [10, 10, 12]

    shown = capsys.readouterr().out
    assert "Regions: object masks of the data set (12 of 12 images)" in shown
    assert "2 figures: 2 of 12 images are left out: their salience covers nothing or everything" in shown
    everywhere, salient, background = read_sweep(out)
    assert [len(cell.indices) for cell in (everywhere, salient, background)] == [12, 10, 10]
    model = load_checkpoint(workspace.parent / "plain.safetensors")
    packed = PackedImages.open(workspace.parent / "packed.h5")
    ids = np.arange(28, 38)
    images, labels = fit_images(packed.read(ids), (1, 12, 12)), torch.from_numpy(packed.labels[ids])
    budget = torch.from_numpy(packed.segmentations(ids)[:, None] > 0).float()
    attack = PGD(epsilon=12 / 255, steps=20, micro_batch=8)
    for cell, within in ((salient, budget), (background, 1 - budget)):
        alone = attack(model, images, labels, indices=ids.tolist(), budget=within)
        assert cell.success_per_image.tolist() == alone.success.tolist()
        stand = f"{100 * (1 - cell.success):.1f} %"
        where = {"salient": "salient region only", "background": "background only"}[cell.region]
        (row,) = (
            line
            for line in shown.splitlines()
            if line.startswith(f"plain, PGD, 20 steps, log-odds, {where}  ")
        )
        assert stand in row
    assert salient.success != background.success


def test_painted_salience_and_that_of_a_run(workspace, tmp_path, capsys):
    words = ["--regions", "salient", "--epsilons", "12/255", "--micro-batch", "8"]
    assert _evaluate(workspace, *words, "--salience", "painted") == 1
    assert "The workspace sides has no masks painted by Ada for these images" in capsys.readouterr().err
    with salience_writer(tmp_path / "salience.h5", (12, 12)) as writer:
        masks = np.zeros((2, 12, 12), np.uint8)
        masks[:, 2:5] = 255
        writer.add(np.array([29, 31]), ["painted: Ada"] * 2, np.zeros(2, np.int64), masks)
    assert _evaluate(workspace, *words, "--salience", tmp_path, "--out", tmp_path / "figures") == 0
    assert "(2 of 12 images)" in capsys.readouterr().out
    (cell,) = read_sweep(tmp_path / "figures")
    assert cell.indices.tolist() == [29, 31]


def test_seeds_are_put_together_and_out_may_be_a_table(workspace, tmp_path, capsys):
    table = tmp_path / "table.csv"
    words = ["--epsilons", "6/255,12/255", "--out", table]
    assert _evaluate(workspace, *words, models=(*SEEDS, "plain")) == 0

    lines = capsys.readouterr().out.splitlines()
    newest = sorted((workspace / "evaluations").iterdir())[-1]
    cells = {(cell.model, cell.epsilon): cell for cell in read_sweep(newest)}
    assert set(read_manifest(newest)["models"]) == {*SEEDS, "plain"}
    start = lines.index("Mean ± standard deviation over seeds:")
    head, row = lines[start + 1 : start + 3]
    assert head.split() == ["clean", "ε", "6/255", "ε", "12/255"]
    for epsilon in (6 / 255, 12 / 255):
        robust = [100 * cells[name, epsilon].robust_accuracy for name in SEEDS]
        assert f"{np.mean(robust):.1f} ± {np.std(robust, ddof=1):.1f} % (n = 3)" in row
    assert row.startswith("at, PGD, 20 steps")
    with open(tmp_path / "table-seeds.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(one["model"], one["seeds"]) for one in rows] == [("at", "3")] * 2 + [("plain", "1")] * 2
    with open(table, newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 8
    for name in ("table.csv", "table-paired.csv", "table-seeds.csv"):
        assert f"table: {tmp_path / name}" in lines


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--regions", "edge"],
            "The region 'edge' is unknown; choose one of everywhere, salient, background",
        ),
        (["--salience", "painted"], "--salience is for --regions: add --regions salient,background"),
        (["--regions", "salient", "--salience", "there"], "There is no salience there: give segmentation,"),
        (["--regions", "salient", "--salience", "painted:Bo"], "There is no annotator Bo in the workspace"),
        (["--regions", "salient", "--salience", "painted"], "sides has no masks painted by Ada"),
        (["--regions", "salient", "--attacks", "autoattack", "--norm", "l2"], "below ε 0.5 only: attack by"),
        (["--out", "a.csv", "--table", "b.csv"], "--out a.csv and --table both name a table"),
        (["--transfer", "--regions", "salient"], "so --regions means nothing: leave it out"),
    ],
    ids=["region", "alone", "nowhere", "nobody", "nothing", "l2", "twice", "transfer"],
)
def test_what_is_refused(workspace, capsys, words, sentence):
    assert _evaluate(workspace, *words) == 1
    assert sentence in capsys.readouterr().err
