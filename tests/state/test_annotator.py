"""Who paints when a workspace opens: the name that is wanted, as a person of the workspace."""

from pathlib import Path

import numpy as np
import pytest

from sip_explorer.state.annotator import annotator_for, known_name
from sip_explorer.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGNAME", "login")
    pixels = np.zeros((2, 8, 8, 1), np.uint8)
    with Workspace.from_arrays(tmp_path / "w", "W", pixels, np.arange(2), ("a", "b")) as opened:
        yield opened


def test_a_new_name_is_added_and_known_ones_are_spelt_as_kept(workspace: Workspace) -> None:
    assert annotator_for(workspace, " Ada ") == "Ada"
    assert annotator_for(workspace, "ADA") == "Ada"
    assert annotator_for(workspace, "") == "login"
    assert [one.name for one in workspace.annotators()] == ["Ada", "login"]


@pytest.mark.parametrize("made", [False, True])
def test_opening_never_paints_as_the_agreed_masks(workspace: Workspace, made: bool) -> None:
    if made:
        workspace.adjudicated()
        workspace.answers()
    for wanted in ("Adjudicated", "adjudicated", "Known answers"):
        assert annotator_for(workspace, wanted) == "login"
    assert [one.name for one in workspace.annotators()] == ["login"]
    assert known_name(workspace, "adjudicated") == ("Adjudicated" if made else None)


def test_read_only_someone_who_painted_there(workspace: Workspace) -> None:
    workspace.adjudicated()
    workspace.add_annotator("Ada")
    with Workspace.open(workspace.path) as second:
        assert second.read_only
        assert annotator_for(second, "Grace") == "Ada"
