"""``sip-explorer prototypes`` on a small flow, a workspace of two classes and real files."""

import csv
import itertools
import lzma
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.protoflow import FlowConfig, build_protoflow, load_protoflow, save_protoflow
from sip_explorer.records.adversarial import read_adversarial
from sip_explorer.records.prototypes import file_hash, read_prototypes
from sip_explorer.workspace import Workspace


def _pictures(folder, seed, level):
    """Twenty 8 px images of two classes: bright at the left or at the right."""
    generator = np.random.default_rng(seed)
    for name, side in (("left", slice(0, 4)), ("right", slice(4, 8))):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            pixels = generator.integers(level, level + 40, (8, 8), np.uint8)
            pixels[:, side] += 90
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A workspace, another one of brighter images, and a flow with prototypes at the first one's images."""
    folder = tmp_path_factory.mktemp("prototypes")
    for name, seed, level in (("workspace", 0, 60), ("other", 1, 120)):
        _pictures(folder / f"{name}-images", seed, level)
        assert main(["import", str(folder / f"{name}-images"), str(folder / name), "--name", name]) == 0
    images = torch.stack(
        [
            torch.from_numpy(np.array(Image.open(folder / "workspace-images" / name / f"{number}.png")))
            for name in ("left", "right")
            for number in range(20)
        ]
    )[:, None].float() / 255  # fmt: skip
    flow = build_protoflow(FlowConfig((1, 8, 8), ("squeeze", "steps 1x8"), 2), ("left", "right"), seed=0)
    flow.backbone.initialise(images)
    with torch.no_grad():
        z = flow.encode(images).z.flatten(1)
        for label in (0, 1):
            flow.mixture.mean[label, 0] = z[20 * label : 20 * label + 20].mean(0)
            flow.mixture.mean[label, 1] = flow.mixture.mean[label, 0] + 2
    save_protoflow(folder / "flow.safetensors", flow)
    return folder


@pytest.fixture
def run(there, tmp_path, monkeypatch, capsys):
    """Run a command on the flow; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def command(name, *words, flow=there / "flow.safetensors", workspace=there / "workspace"):
        capsys.readouterr()
        code = main(["prototypes", name, str(flow), *words, "--workspace", str(workspace)])
        shown = capsys.readouterr()
        return code, shown.out if code == 0 else shown.err

    return command


def _rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _size(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def test_sample_truncated_and_by_number(run, tmp_path, there):
    code, shown = run("sample", "--class", "left", "--prototype", "2", "-n", "3", "--truncated", "0.5")
    assert code == 0
    assert "3 samples each of left 2, temperature 0.7, truncated at 0.5, seed 0." in shown
    assert _size(tmp_path / "samples.png") == (24, 8)
    prototype = load_protoflow(there / "flow.safetensors").prototypes[0][1]
    from sip_explorer.protoflow.looking import sample_images

    expected = sample_images(prototype, 3, 0.7, truncated=0.5)
    with Image.open(tmp_path / "samples.png") as picture:
        found = np.asarray(picture).reshape(8, 3, 8).transpose(1, 0, 2)
    np.testing.assert_array_equal(found, (expected[:, 0] * 255).round().numpy())


def test_show_the_grid_the_table_and_the_file(run, tmp_path, there):
    words = ["--table", "t.csv", "--record", "p.h5", "--samples", "2", "--images", "16", "--seed", "3"]
    code, shown = run("show", *words)
    assert code == 0
    assert "prototypes.png: 2 classes of 2 prototypes." in shown
    assert _size(tmp_path / "prototypes.png")[0] > 160
    rows = _rows(tmp_path / "t.csv")
    assert [(row["class"], row["prototype"]) for row in rows] == [
        ("left", "1"), ("left", "2"), ("right", "1"), ("right", "2"),
    ]  # fmt: skip
    assert sum(int(row["images"]) for row in rows) == 16
    assert float(rows[0]["weight"]) == pytest.approx(0.5)
    kept = read_prototypes(tmp_path / "p.h5")
    flow = load_protoflow(there / "flow.safetensors")
    assert kept.checkpoint_hash == file_hash(there / "flow.safetensors")
    expected = flow.prototypes[1][0].sample(2, 0.7, seed=3)
    np.testing.assert_array_equal(kept.samples[1, 0, ..., 0], (expected[:, 0] * 255).round().numpy())
    assert kept.usage is not None
    assert kept.usage.ravel().tolist() == [int(row["images"]) for row in rows]


def test_show_one_prototype_from_every_side(run, tmp_path):
    code, shown = run("show", "--of", "right:1", "--images", "16", "--out", "one.png")
    assert code == 0
    assert "one.png: right:1, 50.0 % of its class." in shown
    alone = run("show", "--of", "right:1", "--out", "alone.png")
    assert alone[0] == 0
    assert _size(tmp_path / "one.png")[1] > _size(tmp_path / "alone.png")[1]  # with its images below


def test_explain_says_which_prototype_and_how_far(run, tmp_path, there):
    picture = there / "workspace-images" / "right" / "3.png"
    code, shown = run("explain", "0", str(picture), "--table", "shares.csv", "--reference", "16")
    assert code == 0
    lines = shown.splitlines()
    pattern = (
        r"image 0 \(left\): [\d.]+ nats nearer to left 1 than to the next class, right \(its prototype 1\)"
    )
    assert any(re.match(pattern, line) for line in lines)
    (file_line,) = (line for line in lines if line.startswith("3.png: "))
    assert "nearer to right 1 than to the next class, left" in file_line
    assert re.search(r"log p\(x\) -?\d+ nats \([\d.]+ bits/dim\), typicality \d+ % among 16 ", file_line)
    rows = _rows(tmp_path / "shares.csv")
    assert len(rows) == 2 * 4
    assert sum(float(row["responsibility"]) for row in rows) == pytest.approx(2, abs=1e-4)
    assert _size(tmp_path / "explained.png")[0] > 7 * 80


def test_walk_from_an_image_and_from_a_prototype(run, tmp_path):
    code, shown = run("walk", "0", "--steps", "5", "--gif", "w.gif")
    assert code == 0
    assert "walk.png: 0 to left 1 in 5 images." in shown
    with Image.open(tmp_path / "w.gif") as animation:
        assert animation.n_frames == 8
    code, shown = run("walk", "left:1", "--to", "right:2", "--steps", "3", "--out", "two.png")
    assert code == 0
    assert "two.png: left:1 to right 2 in 3 images." in shown
    assert _size(tmp_path / "two.png")[0] > 3 * 80


def test_attack_prints_what_became_of_the_images(run, tmp_path):
    words = ["--epsilons", "4/255,80/255", "--steps", "2", "-n", "8", "--split", "train"]
    code, shown = run("attack", *words, "--table", "d.csv", "--adversarial", "a.h5")
    assert code == 0
    assert "8 train images, PGD-2, L∞, as 8-bit pictures:" in shown
    rows = _rows(tmp_path / "d.csv")
    assert len(rows) == 8 * 3
    for epsilon, row in (("0", "0/255"), ("0.0156863", "4/255"), ("0.313725", "80/255")):
        wrong = [int(entry["success"]) for entry in rows if entry["epsilon"] == epsilon]
        assert len(wrong) == 8
        line = next(line for line in shown.splitlines() if line.startswith(f"{row} "))
        assert f"{100 - 100 * sum(wrong) / 8:.1f} %" in line
    assert any(int(row["success"]) for row in rows)
    made = read_adversarial(tmp_path / "a.h5")
    assert made.images.shape == (8, 1, 8, 8)
    assert made.indices is not None
    assert made.indices.tolist() == [int(row["image"]) for row in rows[::3]]
    assert _size(tmp_path / "drift.png")[0] > 3 * 80
    code, shown = run(
        "attack", "--norm", "l2", "--epsilons", "0.5", "--steps", "1", "-n", "4", "--draws", "2"
    )
    assert code == 0
    assert "PGD-1, L2" in shown


@pytest.mark.parametrize("against", ["attack", "noise", "other"])
def test_detect_writes_the_curve(run, tmp_path, there, against):
    folder = str(there / "other") if against == "other" else against
    words = ["--split", "train", "-n", "16", "--steps", "2", "--epsilon", "30/255", "--table", "roc.csv"]
    code, shown = run("detect", "--against", folder, *words)
    assert code == 0
    rows = [{key: float(value) for key, value in row.items()} for row in _rows(tmp_path / "roc.csv")]
    assert (rows[0]["false_alarms"], rows[0]["detected"]) == (0, 0)
    assert (rows[-1]["false_alarms"], rows[-1]["detected"]) == (1, 1)
    area = sum(
        (b["false_alarms"] - a["false_alarms"]) * (a["detected"] + b["detected"]) / 2
        for a, b in itertools.pairwise(rows)
    )
    assert ("as strong a noise" in shown) == (against == "attack")
    printed = re.search(r"AUROC ([\d.]+) \(95 %", shown)
    assert printed is not None
    assert float(printed[1]) == pytest.approx(area, abs=5e-4)
    assert ("Nalisnick" in shown) == (against == "other")


def test_compare_a_flow_with_another(run, tmp_path, there):
    flow = load_protoflow(there / "flow.safetensors")
    with torch.no_grad():
        flow.mixture.mean.copy_(flow.mixture.mean.flip(0))  # takes each class for the other
    other = tmp_path / "other.safetensors"
    save_protoflow(other, flow)
    code, shown = run("compare", str(other), "-n", "8", "--split", "train", "--table", "c.csv")
    assert code == 0
    assert "Both right 0, only A 8, only B 0, both wrong 0." in shown
    rows = _rows(tmp_path / "c.csv")
    assert all(row["class_a"] == row["label"] != row["class_b"] for row in rows)
    assert _size(tmp_path / "compared.png")[0] > 2 * 80


def test_prune_counts_what_it_costs_and_writes_the_flow(run, tmp_path, there):
    code, shown = run("prune", "--off", "left:2", "--below", "0.2", "-n", "8", "--out", "less.safetensors")
    assert code == 0
    assert "switched off: left 2" in shown
    assert "dropped: right 2" in shown  # nothing lies there
    assert re.search(r"Accuracy 100\.0 % → 100\.0 % on \d+ test images; 0 predictions change, 2 proto", shown)
    kept = load_protoflow(tmp_path / "less.safetensors")
    assert kept.mixture.active.tolist() == [[True, False], [True, False]]
    code, error = run("prune", "--off", "left:2", "--off", "left:1", "-n", "8")
    assert code == 1
    assert "A class would be left without any prototype" in error


def test_a_flow_of_the_workspace_is_known_by_name(run, there):
    (there / "workspace" / "models").mkdir(exist_ok=True)
    named = there / "workspace" / "models" / "mine.safetensors"
    named.write_bytes((there / "flow.safetensors").read_bytes())
    assert run("walk", "left:1", "--to", "right:1", flow="mine")[0] == 0
    assert run("sample", "-n", "1", flow="mine")[0] == 0
    code, error = run("sample", flow="yours")
    assert code == 1
    assert "has no ProtoFlow yours; it has: mine" in error


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "--class", "up"], "no class up; it has: left, right"),
        (["sample", "--prototype", "3"], "no prototype 3; its classes have 1 to 2"),
        (["sample", "--truncated", "-1"], "bound of the draws is -1.0"),
        (["show", "--of", "left"], "“left” names no prototype: write CLASS:NUMBER"),
        (["show", "--of", "left:0"], "no prototype 0"),
        (["explain", "9999"], "no image 9999"),
        (["explain", "gone.png"], "gone.png"),
        (["walk", "left:1"], "needs an end: name one with --to"),
        (["walk", "0", "--to", "up:1"], "no class up"),
        (["attack", "--epsilons", "-1/255"], "-1/255"),
        (["attack", "--epsilons", "0", "--adversarial", "a.h5", "-n", "2"], "No epsilon above 0"),
        (["attack", "--path", "pixels"], "choose latent or image"),
        (["detect", "--against", "nobody"], "no nobody to tell apart"),
        (["prune", "--by", "colour", "-n", "2"], "not by 'colour'"),
        (["detect", "--epsilon", "1/255,2/255"], "One epsilon is needed"),
        (["attack", "--epsilons", "0"], "No epsilon above 0 is named"),
        (["detect", "--epsilon", "0"], "No epsilon above 0 is named"),
        (["detect", "--against", "noise", "--norm", "l2", "--epsilon", "0"], "No epsilon above 0 is named"),
        (["show", "--device", "abacus"], "abacus"),
        (["explain", "0", "--device", "abacus"], "abacus"),
        (["sample", "--device", "abacus"], "abacus"),
        (["walk", "0", "--device", "abacus"], "abacus"),
    ],
)
def test_faults_are_one_sentence(run, words, sentence):
    code, error = run(words[0], *words[1:])
    assert code == 1
    assert error.count("\n") == 1
    assert sentence in error
    assert "fault of the program" not in error


def test_flows_of_other_classes_are_not_compared(run, tmp_path):
    flow = build_protoflow(FlowConfig((1, 8, 8), ("squeeze",), 1), ("up", "down"), seed=0)
    save_protoflow(tmp_path / "updown.safetensors", flow)
    code, error = run("compare", str(tmp_path / "updown.safetensors"))
    assert code == 1
    assert "know other classes; compare flows of one data set" in error
    code, error = run("attack", "-n", "2", flow=tmp_path / "updown.safetensors")
    assert code == 1
    assert "does not know the class “left”" in error


def test_a_damaged_flow_is_named(run, tmp_path):
    (tmp_path / "torn.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{half")
    code, error = run("show", flow=tmp_path / "torn.safetensors")
    assert code == 1
    assert "torn.safetensors is damaged" in error
    with h5py.File(tmp_path / "x.h5", "w"):
        pass
    code, error = run("show", flow=tmp_path / "x.h5")
    assert code == 1
    assert "x.h5" in error


def test_a_walk_in_a_flow_of_one_class_needs_no_decision(run, tmp_path):
    flow = build_protoflow(FlowConfig((1, 8, 8), ("squeeze", "steps 1x8"), 2), ("images",), seed=0)
    save_protoflow(tmp_path / "one.safetensors", flow)
    code, shown = run("walk", "0", flow=tmp_path / "one.safetensors")
    assert code == 0, shown
    assert "walk.png: 0 to images " in shown


def test_numbers_that_are_no_numbers(run):
    code, shown = run("show", "--of", "left:²")
    assert code == 1
    assert "names no prototype" in shown
    code, shown = run("explain", "²")
    assert code == 1
    assert "² cannot be read" in shown


def test_a_wrong_ending_is_refused_before_the_attack(run, tmp_path):
    code, shown = run("attack", "-n", "4", "--steps", "1", "--adversarial", "images.txt")
    assert code == 1
    assert "ends in .h5 or .npy" in shown
    assert not (tmp_path / "drift.png").exists()


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("sample",), "--out"), (("show",), "--table"), (("show",), "--record"), (("walk", "0"), "--gif"),
        (("explain", "0"), "--out"), (("compare", "x"), "--table"), (("prune",), "--out"),
        (("attack",), "--adversarial"), (("detect",), "--table"),
    ],
)  # fmt: skip
def test_a_folder_is_refused_as_a_file_before_the_work(run, tmp_path, command, option):
    code, shown = run(*command, option, str(tmp_path))
    assert code == 2
    assert f"'{option}'" in shown
    assert "is a directory" in shown
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        (("sample", "--out", "s.jpg"), ".png"), (("show", "--out", "s.gif"), ".png"),
        (("show", "--table", "x.png"), ".csv"), (("show", "--record", "x.png"), ".h5"),
        (("walk", "0", "--out", "w"), ".png"), (("walk", "0", "--gif", "x.png"), ".gif"),
        (("explain", "0", "--out", "e.csv"), ".png"), (("explain", "0", "--table", "x.png"), ".csv"),
        (("compare", "x", "--out", "c.tif"), ".png"), (("compare", "x", "--table", "x.png"), ".csv"),
        (("prune", "--out", "x.png"), ".safetensors"), (("detect", "--table", "x.png"), ".csv"),
        (("attack", "--out", "d.pdf"), ".png"), (("attack", "--table", "x.png"), ".csv"),
    ],
)  # fmt: skip
def test_another_ending_is_refused_before_the_work(run, tmp_path, words, ending):
    code, shown = run(*words, flow="nowhere", workspace=tmp_path / "nothing")
    assert code == 2
    assert f"'{words[-2]}': {words[-1]} has another ending: choose a name that ends in {ending}." in shown
    assert not (tmp_path / words[-1]).exists()


def test_an_ending_in_capitals_is_the_same(run, tmp_path):
    assert run("sample", "-n", "1", "--out", "S.PNG")[0] == 0
    assert _size(tmp_path / "S.PNG")[0] == 8


def test_a_way_to_prune_is_refused_before_anything_is_opened(run, tmp_path):
    code, shown = run("prune", "--by", "foo", flow="nowhere", workspace=tmp_path / "nothing")
    assert code == 1
    assert "not by 'foo'" in shown


def test_score_takes_all_test_images_of_a_workspace(run, there):
    with Workspace.open(there / "workspace") as workspace:
        count = len(workspace.image_ids(split="test"))
    code, shown = run("score")
    assert code == 0, shown
    assert f"workspace: {count} test images, 1 draw" in shown


def test_names_with_a_dot_and_folders_are_flows_too(run, there, tmp_path):
    with Workspace.open(there / "workspace") as workspace:
        entry = workspace.add_model(there / "flow.safetensors", name="run-1.5")
    assert (entry.name, entry.kind) == ("run-1.5", "protoflow")
    code, shown = run("sample", "-n", "1", flow="run-1.5")
    assert code == 0, shown
    (tmp_path / "published").mkdir()
    data = Path(__file__).parents[1] / "data" / "protoflow_small"
    (tmp_path / "published" / "checkpoint.pt").write_bytes(
        lzma.decompress((data / "checkpoint.pt.xz").read_bytes())
    )
    shutil.copy(data / "config.json", tmp_path / "published")
    code, shown = run("show", "--record", "kept.h5", "--samples", "0", flow=tmp_path / "published")
    assert code == 0, shown
    assert read_prototypes(tmp_path / "kept.h5").checkpoint_hash == file_hash(
        tmp_path / "published" / "checkpoint.pt"
    )


def test_a_flow_that_lost_a_class_can_still_be_pruned(run, there, tmp_path):
    flow = load_protoflow(there / "flow.safetensors")
    flow.mixture.active[1] = False
    save_protoflow(tmp_path / "half.safetensors", flow)
    code, shown = run(
        "prune",
        "-n",
        "8",
        "--off",
        "left:2",
        "--out",
        "pruned.safetensors",
        flow=tmp_path / "half.safetensors",
    )
    assert code == 0, shown
    assert "1 prototypes are left" in shown
