"""A checkpoint in the published format becomes a model of a workspace."""

import lzma
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sip_explorer.models import Choice
from sip_explorer.protoflow import load_protoflow, load_published, save_protoflow
from sip_explorer.records import Cancelled, CancelToken, SipError
from sip_explorer.state.model_look import look_into
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.flow_copying import flow_copied_in

DATA = Path(__file__).parents[1] / "data" / "protoflow_small"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "random-small"
    folder.mkdir()
    with lzma.open(DATA / "checkpoint.pt.xz") as packed, open(folder / "checkpoint.pt", "wb") as file:
        shutil.copyfileobj(packed, file)
    shutil.copy(DATA / "config.json", folder)
    return folder / "checkpoint.pt"


def test_the_copy_is_the_same_flow_under_its_folders_name(checkpoint: Path, workspace: Workspace) -> None:
    entry = workspace.add_model(checkpoint, choice=Choice(classes=("a", "b", "c")))
    again = workspace.add_model(checkpoint)
    assert (entry.name, entry.kind) == ("random-small", "protoflow")
    assert again.name == "random-small-2"
    assert entry.metadata["architecture"] == "denseflow"
    copy, original = load_protoflow(entry.path), load_published(checkpoint, measure=False)
    assert copy.classes == ("a", "b", "c")
    assert copy.round_trip is not None
    expected = torch.load(DATA / "expected.pt", weights_only=True)
    images = expected["x"].float() / 255
    found, wanted = copy.log_likelihood(images), original.log_likelihood(images)
    torch.testing.assert_close(found.per_class, wanted.per_class)
    direct = load_protoflow(checkpoint)
    torch.testing.assert_close(direct.log_likelihood(images).per_class, wanted.per_class)


def test_the_loading_dialogue_is_told_of_a_flow(checkpoint: Path) -> None:
    look = look_into(checkpoint)
    assert look.flow
    assert look.variants == ("model",)
    assert not look.refusal


def test_wrong_names_and_a_changed_plan_are_refused(
    checkpoint: Path, tmp_path: Path, workspace: Workspace
) -> None:
    before = workspace.models()
    with pytest.raises(SipError, match="has 3 classes, not 2"):
        workspace.add_model(checkpoint, choice=Choice(classes=("a", "b")))
    assert workspace.models() == before
    flow = load_published(checkpoint, measure=False)
    flow.backbone.architecture = "realnvp"
    save_protoflow(tmp_path / "other.safetensors", flow)
    with pytest.raises(SipError, match="family 'realnvp'"):
        load_protoflow(tmp_path / "other.safetensors")


def test_a_flow_without_all_of_itself_is_not_taken(
    checkpoint: Path, tmp_path: Path, workspace: Workspace
) -> None:
    path, before = tmp_path / "own.safetensors", workspace.models()
    save_protoflow(path, load_published(checkpoint, measure=False))
    with safe_open(path, "pt") as file:
        said = file.metadata()
    tensors = load_file(path)
    spoilt = {**tensors, "mixture.mean": tensors["mixture.mean"] * float("nan")}
    for part, words in (
        (dict(list(tensors.items())[1:]), "does not fit its own plan"),
        (spoilt, "not numbers"),
    ):
        save_file(part, path, said)
        with pytest.raises(SipError, match=words):
            workspace.add_model(path)
    assert workspace.models() == before
    save_file(tensors, path, said)
    assert workspace.add_model(path).kind == "protoflow"


def test_a_copy_that_is_given_up_leaves_no_file(checkpoint: Path, tmp_path: Path) -> None:
    token, folder = CancelToken(), tmp_path / "models"
    folder.mkdir()
    copying = flow_copied_in(checkpoint, folder, None, None, token)
    while not next(copying).text.startswith("wrote"):
        pass
    assert len(list(folder.iterdir())) == 1
    token.cancel()
    with pytest.raises(Cancelled):
        next(copying)
    assert not list(folder.iterdir())
