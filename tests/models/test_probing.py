"""A look into a foreign file in a child: the same answer, and an end to files made to harm."""

import time
import zipfile
from pathlib import Path

import pytest
import torch
from checkpoint_files import tiny, write_torch
from safetensors.torch import save_file

from sip_explorer.models import inspect_checkpoint, save_checkpoint
from sip_explorer.models.probing import probe_checkpoint
from sip_explorer.records import SipError
from sip_explorer.records.probe import probe


def files(folder: Path) -> list[Path]:
    state = tiny().network.state_dict()
    save_checkpoint(folder / "own.safetensors", tiny())
    save_file(state, folder / "plain.safetensors", {"format": "pt"})
    write_torch(folder / "both.pt", {"epoch": 3, "best": [state], "model_ema": state})
    write_torch(folder / "whole.pt", tiny().network)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    torch.export.save(torch.export.export(network, (torch.rand(2, 3, 4, 4),)), folder / "net.pt2")
    return sorted(folder.iterdir())


def test_the_answer_is_that_of_an_inspection(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    found = files(folder)
    assert len(found) == 5
    for path in found:
        assert probe_checkpoint(path) == inspect_checkpoint(path)
    assert probe_checkpoint(folder / "both.pt", "EMA").layout == "model_ema"


def test_a_refusal_comes_through_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_text("<!doctype html>")
    for work in (inspect_checkpoint, probe_checkpoint):
        with pytest.raises(SipError, match="is a web page"):
            work(tmp_path / "net.pt")


def pickled(path: Path, program: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", program)
    return path


def test_a_pickle_that_takes_all_memory_is_ended(tmp_path: Path) -> None:
    program = b"\x80\x02](" + b"".join(b"X\x00\x00\x10\x00" + bytes(2**20) for _ in range(50)) + b"e."
    path = pickled(tmp_path / "large.pt", program)
    with pytest.raises(SipError, match=r"large\.pt takes more than 60 MB of memory to look into"):
        probe_checkpoint(path, megabytes=60)


def test_a_pickle_that_takes_for_ever_is_ended(tmp_path: Path) -> None:
    path = pickled(tmp_path / "slow.pt", b"\x80\x02" + b"N" * 40_000_000 + b".")
    began = time.monotonic()
    with pytest.raises(SipError, match=r"slow\.pt takes more than 1 seconds to look into"):
        probe_checkpoint(path, seconds=1)
    assert time.monotonic() - began < 5


def test_a_small_pickle_with_millions_of_places_is_walked_through_at_once(tmp_path: Path) -> None:
    content: object = {"weight": torch.zeros(2)}
    for _ in range(6):
        content = {f"part {index}": content for index in range(300)}  # 300**6 ways through it
    path = write_torch(tmp_path / "wide.pt", content)
    began = time.monotonic()
    assert len(inspect_checkpoint(path).variants) <= 8
    endless: list[object] = []
    endless.append(endless)
    assert inspect_checkpoint(write_torch(tmp_path / "endless.pt", endless)).variants == ()
    assert time.monotonic() - began < 2


def test_only_what_is_listed_can_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="The probe is started by the program itself"):
        probe("os:system", str(tmp_path))
