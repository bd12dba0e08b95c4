"""Ctrl-C once ends a ``prototypes`` command, with what it has where a part is of use."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.data import PackedImages
from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow, save_protoflow

DEMO = Path(__file__).parents[2] / "resources" / "demo"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A workspace of 120 small pictures of two classes."""
    folder = tmp_path_factory.mktemp("stopped")
    generator = np.random.default_rng(0)
    for name in ("left", "right"):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(60):
            pixels = generator.integers(0, 256, (8, 8), np.uint8)
            Image.fromarray(pixels).save(folder / "images" / name / f"{number}.png")
    assert main(["import", str(folder / "images"), str(folder / "workspace")]) == 0
    return str(folder / "workspace")


@pytest.fixture
def flow(tmp_path: Path) -> str:
    """A flow of these classes that is fast."""
    built = build_protoflow(FlowConfig((1, 8, 8), ("squeeze",), 2), ("left", "right"), seed=0)
    save_protoflow(tmp_path / "flow.safetensors", built)
    return str(tmp_path / "flow.safetensors")


@contextmanager
def interrupted(method: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Press Ctrl-C while a job uses the flow for the first time; the list counts how often it is used."""
    work: Callable[..., object] = getattr(ProtoFlow, method)
    calls: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def pressed(self: ProtoFlow, *arguments: object, **options: object) -> object:
        if signal.getsignal(signal.SIGINT) is not before:  # loading works with the flow too
            if not calls:
                os.kill(os.getpid(), signal.SIGINT)
            calls.append(1)
        return work(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(ProtoFlow, method, pressed)
        yield calls


def test_score_is_of_the_images_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with PackedImages.open(DEMO / "images.h5") as packed:
        built = build_protoflow(FlowConfig((1, 28, 28), ("squeeze",), 1), packed.classes, seed=0)
    save_protoflow(tmp_path / "demo.safetensors", built)
    flow = str(tmp_path / "demo.safetensors")
    words = ["prototypes", "score", flow, "--data", str(DEMO / "images.h5"), "-n", "250"]
    with interrupted("transform", monkeypatch):
        assert main(words) == 0
    said = capsys.readouterr().out
    assert "Stopped: the figures are of the first 100 of 250 test images." in said
    assert "100 test images, 1 draw" in said
    assert "bits/dim" in said


def test_detect_counts_as_many_of_each_side(
    flow: str,
    workspace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [
        "prototypes",
        "detect",
        flow,
        "--against",
        "noise",
        "-n",
        "80",
        "--split",
        "train",
        "--workspace",
        workspace,
    ]
    with interrupted("log_likelihood", monkeypatch):
        assert main([*words, "--table", str(tmp_path / "roc.csv")]) == 0
    said = capsys.readouterr().out
    assert "Stopped: of 80 own images, the first 32 count." in said
    assert "32 foreign against 32 own images" in said
    assert "Both sides are the same images" in said
    assert (tmp_path / "roc.csv").exists()


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("encode", ["prune", "-n", "80", "--out", "made.safetensors"]),
        ("log_likelihood", ["compare", "-n", "80", "--out", "made.png"]),
    ],
)
def test_what_half_of_is_of_no_use_is_cancelled(
    flow: str,
    workspace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    other = [flow] if words[0] == "compare" else []
    with interrupted(method, monkeypatch) as calls:
        assert main(["prototypes", words[0], flow, *other, *words[1:], "--workspace", workspace]) == 1
    assert len(calls) == 1
    assert "Cancelled" in capsys.readouterr().err
    assert not list(tmp_path.glob("made.*"))


def test_show_leaves_directions_out_and_writes_no_part_of_a_record(
    flow: str,
    workspace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["prototypes", "show", flow, "--of", "left:2", "--out", "one.png", "--record", "r.h5"]
    with interrupted("decode", monkeypatch) as calls:
        assert main([*words, "--workspace", workspace]) == 1
    shown = capsys.readouterr()
    assert calls
    assert "one.png: left:2, 50.0 % of its class. Stopped: without some of its directions." in shown.out
    assert "Cancelled; what was already written stays." in shown.err
    assert (tmp_path / "one.png").exists()
    assert not (tmp_path / "r.h5").exists()
