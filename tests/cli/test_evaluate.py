"""``sip-explorer evaluate`` on small models and sixteen images of four classes."""

import csv
import re

import numpy as np
import pytest
import torch
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.data.fitting import fit_images
from sip_explorer.models import build_classifier, load_checkpoint, save_checkpoint
from sip_explorer.records.adversarial import AdversarialImages, write_adversarial
from sip_explorer.records.comparison import between_models
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import read_manifest, read_sweep
from sip_explorer.workspace import Workspace

CLASSES = ("top-left", "top-right", "bottom-left", "bottom-right")
BRIGHT = 60  # of 255, which is what an attack has to undo


def _pictures():
    """Return 80 grey images of 12 px, uint8 (N, 12, 12, 1), and their classes: the bright quarter."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 100, (80, 12, 12, 1), np.uint8)
    labels = np.arange(80) % 4
    for picture, label in zip(pixels, labels, strict=True):
        picture[6 * (label // 2) :][:6, 6 * (label % 2) :][:, :6] += BRIGHT
    return pixels, labels


def _save(path, seed, scale, shift):
    """Save a model with random features and the output layer that fits them best, scaled and shifted."""
    pixels, labels = _pictures()
    model = build_classifier(
        "small-cnn", classes=CLASSES, input_shape=(1, 12, 12), mean=[0.3], std=[0.2], seed=seed
    )
    head = model.network.classifier[-1]
    seen = []
    hook = head.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model(fit_images(pixels, (1, 12, 12)))
        hook.remove()
        features = torch.cat([seen[0], torch.ones(len(labels), 1)], 1).double()
        wanted = 10 * torch.nn.functional.one_hot(torch.from_numpy(labels), 4).double() - 2.5
        ridge = features.T @ features + 1e-2 * torch.eye(features.shape[1])
        fitted = scale * torch.linalg.solve(ridge, features.T @ wanted).float()
        head.weight.copy_(fitted[:-1].T)
        head.bias.copy_(fitted[-1] + shift)
    save_checkpoint(path, model)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Sixteen test images, and models of them."""
    folder = tmp_path_factory.mktemp("evaluate")
    pixels, labels = _pictures()
    Workspace.from_arrays(
        folder / "workspace", "quarters", pixels, labels, CLASSES, test=np.arange(80) >= 64
    ).close()
    for name, *drawn in (
        ("first", 0, 1, 0),
        ("second", 1, 1, 0),
        ("sure", 0, 1000, 0),
        ("soft", 0, 0.01, 0.25),  # its outputs are from 0 to 1, and 1 in total
    ):
        _save(folder / f"{name}.safetensors", *drawn)
    two = build_classifier(
        "small-cnn", classes=("a", "b"), input_shape=(1, 12, 12), mean=[0], std=[1], seed=0
    )
    save_checkpoint(folder / "two.safetensors", two)
    for path in sorted(folder.glob("*.safetensors")):
        assert main(["models", "add", str(path), str(folder / "workspace")]) == 0
    return folder / "workspace"


@pytest.fixture(scope="module")
def originals():
    pixels, labels = _pictures()
    return fit_images(pixels[64:], (1, 12, 12)), torch.from_numpy(labels[64:])


def _evaluate(workspace, *words):
    return main(["evaluate", "-w", str(workspace), "-m", "first", *map(str, words)])


def _percent(count, images):
    low, high = wilson(count, images)
    return f"{100 * count / images:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def test_accuracies_are_printed_with_intervals_and_who_broke_what(workspace, tmp_path, capsys):
    words = ["-m", "second", "--attacks", "pgd,apgd-ce+t", "--epsilons", "6/255,9/255"]
    words += ["--micro-batch", "16", "--out", tmp_path / "figures", "--table", tmp_path / "table.csv"]
    assert _evaluate(workspace, *words) == 0

    lines = capsys.readouterr().out.splitlines()
    cells = read_sweep(tmp_path / "figures")
    assert len(cells) == 2 * 2 * 2
    assert "Robust accuracy (95 % interval), 16 test images, L∞:" in lines
    spoken = {"pgd": "PGD, 20 steps, log-odds", "apgd-ce+t": "APGD on CE and targeted DLR"}
    for cell in cells:
        (row,) = (line for line in lines if line.startswith(f"{cell.model}, {spoken[cell.attack]}  "))
        assert _percent(int(cell.clean_correct.sum()), 16) in row
        assert _percent(16 - int(cell.success_per_image.sum()), 16) in row
        if cell.attack == "apgd-ce+t":
            place = f"{cell.model}, {spoken[cell.attack]}, ε {cell.epsilon * 255:.0f}/255: "
            (said,) = (line for line in lines if line.startswith(f"{place}ce "))
            counts = [int(number) for number in re.findall(r" (\d+)(?:,|$)", said.removeprefix(place))]
            assert len(counts) == 4  # ce, targeted-dlr, wrong without attack, stand
            assert sum(counts) == 16
            assert counts[3] == int((~cell.success_per_image).sum())
    assert 0 < sum(cell.success_per_image.sum() for cell in cells) < 8 * 16
    compared = between_models(cells)
    assert len(compared) == 4
    for test, _ in compared:
        place = f"first − second, {spoken[test.first.attack]}, ε {test.first.epsilon * 255:.0f}/255 "
        assert sum(line.startswith(place) for line in lines) == 1
    assert f"completed: {tmp_path / 'figures'}" in lines
    for name, rows in (("table.csv", 8), ("table-paired.csv", 4)):
        assert f"table: {tmp_path / name}" in lines
        with open(tmp_path / name, newline="", encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == rows


def test_a_folder_goes_on_with_its_own_batch_sizes(workspace, tmp_path, capsys):
    words = ["--norm", "l2", "--attacks", "pgd", "--images", "6", "--split", "train", "--seed", "3"]
    out = ["--out", tmp_path]
    assert _evaluate(workspace, *words, *out, "--micro-batch", "4") == 0
    assert "6 train images, L2:" in capsys.readouterr().out

    assert _evaluate(workspace, *words, *out, "--epsilons", "0.5,1") == 0

    shown = capsys.readouterr().out
    assert "1 of 2 figures were there already and are kept." in shown
    assert re.search(r"clean +ε 0.5 +ε 1\n", shown)
    assert read_manifest(tmp_path)["settings"] == {
        "job": "evaluation", "norm": "l2", "seed": 3, "micro_batch": 4, "batch_size": 250,
    }  # fmt: skip


def test_figures_go_to_a_new_folder_of_the_workspace(workspace, capsys):
    assert _evaluate(workspace, "--attacks", "apgd", "--images", "2", "--threat-model", "linf-0.1") == 0

    (folder,) = (workspace / "evaluations").iterdir()
    assert f"completed: {folder}" in capsys.readouterr().out
    (cell,) = read_sweep(folder)
    assert (cell.attack, cell.epsilon, cell.micro_batch) == ("apgd", 0.1, 64)


def test_autoattack_says_what_it_noticed_and_which_of_its_attacks_broke_what(workspace, tmp_path, capsys):
    words = ["-m", "soft", "--attacks", "autoattack", "--epsilons", "40/255", "--batch-size", "7"]
    assert _evaluate(workspace, *words, "--out", tmp_path) == 0

    lines = capsys.readouterr().out.splitlines()
    first, soft = read_sweep(tmp_path)
    assert first.micro_batch == soft.micro_batch == 7
    assert first.notices == ()
    place = "soft, AutoAttack, standard, ε 40/255: "
    (notice,) = soft.notices
    assert "it seems that the output is a probability distribution" in notice
    assert f"{place}{notice}" in lines
    broke = [int((soft.broken_by_per_image == run).sum()) for run in range(4)]
    assert sum(broke) == 16
    said = "apgd-ce {}, apgd-t {}, fab-t {}, square {}, wrong without attack 0, stand 0".format(*broke)
    assert f"{place}{said}" in lines


def test_images_are_exported_as_png_with_the_share_that_still_succeeds(
    workspace, originals, tmp_path, capsys
):
    words = [
        "--attacks",
        "pgd",
        "--epsilons",
        "0,6.5/255",
        "--out",
        tmp_path / "out",
        "--png",
        tmp_path / "png",
    ]
    assert _evaluate(workspace, *words) == 0

    images, labels = originals
    files = sorted((tmp_path / "png").iterdir())
    assert [path.name for path in files[:2]] == ["000064_top-left.png", "000065_top-right.png"]
    assert len(files) == 16
    pixels = torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in files])[:, None]
    assert pixels.dtype == torch.uint8
    assert int((pixels.int() - (255 * images).round().int()).abs().max()) == 6
    with torch.no_grad():
        answers = load_checkpoint(workspace.parent / "first.safetensors")(pixels / 255).argmax(1)
    (cell,) = (cell for cell in read_sweep(tmp_path / "out") if cell.epsilon > 0)
    broken = torch.from_numpy(cell.success_per_image & cell.clean_correct)
    still = int((broken & (answers != labels)).sum())
    assert 0 < int(broken.sum()) < 16
    assert (
        f"first, PGD, 20 steps, log-odds, ε 6.5/255: as 8-bit PNG {100 * still / int(broken.sum()):.1f} % of "
        f"the broken images still succeed ({still} of {int(broken.sum())}), at most 0.02353 away"
    ) in capsys.readouterr().out


def test_several_sets_of_images_get_a_folder_each(workspace, tmp_path, capsys):
    words = ["-m", "second", "--attacks", "pgd", "--images", "3", "--epsilons", "8/255"]
    assert _evaluate(workspace, *words, "--out", tmp_path / "out", "--png", tmp_path / "png") == 0

    kept = sorted(path.stem for path in (tmp_path / "out" / "adversarial").iterdir())
    assert sorted(path.name for path in (tmp_path / "png").iterdir()) == kept
    assert capsys.readouterr().out.count(f"png: {tmp_path / 'png'}") == len(kept) == 2


def test_transfer_prints_and_writes_who_is_fooled_by_whose_examples(workspace, tmp_path, capsys):
    words = ["--transfer", "-m", "second", "--epsilons", "25/255", "--table", tmp_path / "table.csv"]
    assert _evaluate(workspace, *words) == 0

    (folder,) = (workspace / "transfers").iterdir()
    lines = capsys.readouterr().out.splitlines()
    assert f"completed: {folder}" in lines
    assert f"table: {tmp_path / 'table.csv'}" in lines
    assert (tmp_path / "table.csv").read_bytes() == (folder / "transfer.csv").read_bytes()
    assert read_manifest(folder)["settings"]["attack"] == "PGD"
    with open(folder / "transfer.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column, heading in (
        ("success", "of all images"),
        ("success_where_both_right", "both models get right"),
    ):
        (start,) = (number for number, line in enumerate(lines) if heading in line)
        shares = {(row["source"], row["target"]): f"{100 * float(row[column]):.1f}" for row in rows}
        assert lines[start + 1].split() == ["first", "second"]
        for line in lines[start + 2 : start + 4]:
            source, to_first, _, to_second, _ = line.split()
            assert (to_first, to_second) == (shares[source, "first"], shares[source, "second"])


def test_health_prints_a_line_per_finding_and_one_in_total(workspace, capsys):
    words = ["-m", "sure", "--health", "--epsilons", "20/255", "--images", "8", "--micro-batch", "8"]
    assert _evaluate(workspace, *words) == 0

    lines = capsys.readouterr().out.splitlines()
    findings = [line for line in lines if line.startswith(("passed  ", "look at this  "))]
    assert len(findings) == 2 * 9
    assert "look at this  gradients under cross-entropy (8 of 8 images without): " in findings[14]
    assert findings[0].startswith("passed        finite outputs (0 of 8 images without): The model")
    assert "first: all 9 checks on 8 images passed, so attacks on it can be believed." in lines
    assert "sure: 1 of 9 checks on 8 images want a look: gradients under cross-entropy." in lines


def test_images_made_elsewhere_are_judged(workspace, originals, tmp_path, capsys):
    images, labels = originals
    given = images.clone()
    given[:3] = images[1:4]  # other classes, far outside the ball
    np.save(tmp_path / "mine.npy", given.numpy())
    assert _evaluate(workspace, "--judge", tmp_path / "mine.npy", "--epsilons", "8/255") == 0

    said = capsys.readouterr().out
    with torch.no_grad():
        wrong = int(
            (load_checkpoint(workspace.parent / "first.safetensors")(images).argmax(1) != labels).sum()
        )
    assert f"first: {wrong} of 16 images succeed ({wrong / 16:.1%})" in said
    assert (
        f"first: robust accuracy {_percent(16 - wrong, 16)}; outside the ball 3, outside [0, 1] 0; " in said
    )
    largest = float((given - images).abs().max())
    assert f"distances 0 to {largest:.4g}, median 0\n" in said


def test_a_file_with_ids_is_judged_on_its_own_images(workspace, originals, tmp_path, capsys):
    path = tmp_path / "mine.h5"
    ids = np.array([79, 64, 70])
    write_adversarial(path, AdversarialImages(originals[0][ids - 64].numpy(), None, ids))

    assert _evaluate(workspace, "-m", "second", "--judge", path) == 0
    said = capsys.readouterr().out
    assert "first: robust accuracy 100.0 %" in said
    assert "second: robust accuracy 100.0 %" in said
    assert said.count("distances 0 to 0, median 0") == 2

    assert _evaluate(workspace, "--judge", path, "--images", "16") == 1
    assert "holds nothing for image 65" in capsys.readouterr().err

    write_adversarial(path, AdversarialImages(originals[0][:2].numpy(), None, np.array([64, 99])))
    assert _evaluate(workspace, "--judge", path) == 1
    assert "was made from image 99, which the workspace quarters does not have" in capsys.readouterr().err
