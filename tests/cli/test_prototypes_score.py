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
