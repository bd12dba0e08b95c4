"""``prototypes score`` prints what `score_protoflow` finds, from a packed file or a workspace."""

from pathlib import Path

import pytest

from sip_explorer.cli.main import main
from sip_explorer.data import PackedImages
from sip_explorer.protoflow import FlowConfig, build_protoflow, save_protoflow

DEMO = Path(__file__).parents[2] / "resources" / "demo"
FLOW = str(DEMO / "models" / "fashion-protoflow.safetensors")


def test_figures_of_a_packed_file(capsys: pytest.CaptureFixture[str]) -> None:
    data = str(DEMO / "images.h5")
    assert main(["prototypes", "score", FLOW, "--data", data, "-n", "60", "--draws", "2"]) == 0
    said = capsys.readouterr().out
    assert "60 test images, 2 draws" in said
    accuracy = float(said.split("accuracy ")[1].split(" %")[0])
    bits = float(said.split("bits/dim ")[1].split(" ")[0])
    best = float(said.split("(largest class: ")[1].split(")")[0])
    weighted = float(said.split("importance-weighted ")[1].split(" ")[0])
    assert accuracy > 70
    assert 2.5 < best <= bits < 3.7
    assert weighted <= bits
    assert "(15 bins)" in said


def test_views_change_the_calibration_and_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PackedImages.open(DEMO / "images.h5") as packed:
        flow = build_protoflow(FlowConfig((1, 28, 28), ("squeeze",), 1), packed.classes, seed=0)
    save_protoflow(tmp_path / "flow.safetensors", flow)
    words = ["prototypes", "score", str(tmp_path / "flow.safetensors"), "--data", str(DEMO / "images.h5")]
    words = [*words, "-n", "30", "--draws", "2"]
    assert main(words) == 0
    alone = capsys.readouterr().out
    assert main([*words, "--views", "3", "--shift", "6", "--flip"]) == 0
    moved = capsys.readouterr().out
    assert "2 draws of the dequantisation noise each, 3 views for accuracy and calibration" in moved
    assert "averaged over the draws and views" in moved
    assert "views" not in alone
    calibration = [said.split("calibration error ")[1] for said in (alone, moved)]
    assert calibration[0] != calibration[1]
    density = [said.split("bits/dim ")[1].split("made of")[0] for said in (alone, moved)]
    assert density[0] == density[1]
    assert main([*words, "--views", "2", "--shift", "0"]) == 1
    assert "name a --shift above 0" in capsys.readouterr().err


def test_a_flow_of_other_classes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = build_protoflow(FlowConfig((1, 28, 28), ("squeeze",), 1), ("a", "b"), seed=0)
    save_protoflow(tmp_path / "other.safetensors", flow)
    arguments = ["prototypes", "score", str(tmp_path / "other.safetensors"), "--data"]
    assert main([*arguments, str(DEMO / "images.h5"), "-n", "4"]) != 0
    said = capsys.readouterr().err
    assert "other.safetensors" in said


def test_packed_images_are_fitted_to_the_flow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with PackedImages.open(DEMO / "images.h5") as packed:
        classes = packed.classes
    flow = build_protoflow(FlowConfig((3, 16, 16), ("squeeze",), 2), classes, seed=0)
    flow.mixture.active[0, 1] = False
    save_protoflow(tmp_path / "small.safetensors", flow)
    words = ["prototypes", "score", str(tmp_path / "small.safetensors"), "--data", str(DEMO / "images.h5")]
    assert main([*words, "-n", "4"]) == 0
    said = capsys.readouterr().out
    assert "4 test images" in said
    assert " of 19" in said  # prototypes that are left
