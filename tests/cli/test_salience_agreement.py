"""``salience agreement`` as a person meets it."""

import csv

import numpy as np
import pytest
import typer
from PIL import Image

from sip_explorer.cli import salience_agreement
from sip_explorer.cli.main import main
from sip_explorer.models import build_classifier, save_checkpoint
from sip_explorer.records import SipError
from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace

CLASSES = ("ball", "cube")
BOXES = {"Ada": (2, 2, 12, 12), "Bo": (3, 3, 13, 13), "Cy": (2, 6, 12, 15)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Six images of 16 px; four shared by Ada and Bo, the first two by Cy too; image 5 is Ada's alone."""
    folder = tmp_path_factory.mktemp("agreement")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), np.uint8)
    with Workspace.from_arrays(
        folder / "toys",
        "Toys",
        pixels,
        np.arange(6) % 2,
        CLASSES,
        collections={"overlap": [1, 0], "rest": [4]},
    ) as opened:
        for name, images in (("Ada", (0, 1, 2, 3, 5)), ("Bo", (0, 1, 2, 3)), ("Cy", (0, 1))):
            opened.add_annotator(name)
            y0, x0, y1, x1 = BOXES[name]
            shape = (y1 - y0, x1 - x0)
            for image in images:
                patch = Patch(BOXES[name], np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8))
                opened.commit_stroke(image, name, patch, "brush").result()
        model = build_classifier(
            "small-cnn", classes=CLASSES, input_shape=(1, 16, 16), mean=[0.5], std=[0.25], seed=0
        )
        save_checkpoint(folder / "net.safetensors", model.eval())
        opened.add_model(folder / "net.safetensors")
    return folder / "toys"


def run(*words):
    app = typer.Typer()
    app.callback()(lambda: None)
    salience_agreement.register(app)
    typer.main.get_command(app).main(args=["agreement", *map(str, words)], standalone_mode=False)


def test_lines_say_how_far_and_of_what(workspace, capsys):
    run(workspace)
    shown = capsys.readouterr().out
    of = "3 people, 4 images"
    assert f"IoU 0.61, Dice 0.76 (mean over pairs of people; {of})" in shown
    assert f"(protected or not; {of}, 1,024 pixels)" in shown
    assert "human–human alignment 0." in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["class", "images", "IoU", "Dice", "Spearman"] in lines
    assert [words[:2] for words in lines if words[:1] in (["ball"], ["cube"])] == [
        ["ball", "2"],
        ["cube", "2"],
    ]
    assert [words[:2] for words in lines if words[:1] in (["Ada"], ["Bo"], ["Cy"])][:3] == [
        ["Ada", "4"],
        ["Bo", "4"],
        ["Cy", "2"],
    ]
    assert "most disputed: image 0 (IoU 0." in shown
    assert "model" not in shown


def test_a_collection_two_people_and_tables(workspace, tmp_path, capsys):
    run(workspace, "--images", "overlap", "-a", "Cy", "-a", "Ada", "--out", tmp_path / "tables")
    shown = capsys.readouterr().out
    assert "2 people, 2 images" in shown
    assert "Bo" not in shown
    images = tmp_path / "tables" / "agreement-images.csv"
    assert f"table: {images}" in shown
    with images.open(encoding="utf-8") as file:
        assert [row["image"] for row in csv.DictReader(file)] == ["1", "0"]


def test_a_model_beside_people(workspace, capsys):
    run(workspace, "--model", "net")
    shown = capsys.readouterr().out
    assert "Spearman of net and people" in shown
    assert "IoU  Dice  Spearman  with net" in shown
    assert "(3 people, 5 images)" in shown
    assert "human–model alignment of net" in shown
    assert "(as a share of human–human alignment; 3 people, 4 images)" in shown
    assert (workspace / "salience_maps").is_dir()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--images", "rest"], "No image of the collection rest was painted by two of these people"),
        (["-a", "Cy"], r"No image of the workspace Toys was painted by two of these people \(Cy\)"),
        (["-a", "Eve"], "no annotator Eve in the workspace Toys; it has: Ada, Bo, Cy"),
        (["--images", "none"], "no collection named none"),
        (["--model", "other"], "no classifier other"),
    ],
    ids=["nobody", "one person", "unknown person", "unknown collection", "unknown model"],
)
def test_what_cannot_be_measured_is_said(workspace, words, sentence):
    with pytest.raises(SipError, match=sentence):
        run(workspace, *words)


def test_files_of_the_same_name_are_told_apart(tmp_path, capsys):
    for number, name in enumerate(("ball/0.png", "cube/0.png", "cube/1.png")):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 50 * number).save(tmp_path / "photos" / name)
    assert main(["import", str(tmp_path / "photos"), str(tmp_path / "work")]) == 0
    with Workspace.open(tmp_path / "work") as opened:
        for name in ("Ada", "Cy"):
            opened.add_annotator(name)
            y0, x0, y1, x1 = BOXES[name]
            for image in opened.image_ids():
                nothing = np.zeros((y1 - y0, x1 - x0), np.uint8)
                opened.commit_stroke(
                    image, name, Patch(BOXES[name], nothing, nothing + 255), "brush"
                ).result()
    run(tmp_path / "work")
    assert "most disputed: ball/0.png (IoU 0.46), cube/0.png (IoU 0.46), 1.png (IoU 0.46)" in (
        capsys.readouterr().out
    )
