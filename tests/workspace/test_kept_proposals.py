"""Proposals in the catalogue: their maps, and what each person decided."""

import numpy as np
import pytest
from toy_workspaces import make_workspace

from sip_explorer.records import SipError
from sip_explorer.workspace import NewProposal, Workspace


def proposal(image: int, method: str = "grad-cam", side: int = 16, seed: int = 0) -> NewProposal:
    values = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    return NewProposal(image, method, "resnet", "abc", "layer4", values)


def test_maps_come_back_and_decisions_are_a_log(workspace: Workspace) -> None:
    new = [proposal(0), proposal(3, "occlusion", seed=1), proposal(0, "object-prior", seed=2)]
    ids = workspace.add_proposals(new)
    entries = workspace.proposals([3, 0])
    assert [(one.id, one.image, one.method) for one in entries] == [
        (number, one.image, one.method) for number, one in zip(ids, new, strict=True)
    ]
    assert (entries[0].model, entries[0].model_hash, entries[0].detail) == ("resnet", "abc", "layer4")
    np.testing.assert_array_equal(workspace.proposal_map(ids[1]), new[1].map)
    workspace.add_annotator("Grace")
    workspace.decide(ids[0], "Ada", "accepted", 50)
    workspace.decide(ids[0], "Ada", "corrected", 50)
    workspace.decide(ids[1], "Ada", "refused", 12.5)
    workspace.decide(ids[2], "Ada", "accepted", 0)
    workspace.decide(ids[2], "Ada", "reopened", 0)
    assert workspace.flush()
    for opened in (workspace, Workspace.open(workspace.path)):
        with opened:
            assert opened.decisions([0, 3], "Ada") == dict(
                zip(ids, ["corrected", "refused", "reopened"], strict=True)
            )
            assert opened.decisions([3], "Ada") == {ids[1]: "refused"}
            assert opened.decisions([0, 3], "Grace") == {}
            assert opened.open_proposals([3, 0], "Ada") == {0: [entries[2]]}
            assert opened.open_proposals([3, 0], "Grace") == {3: [entries[1]], 0: [entries[0], entries[2]]}
            assert opened.states([0, 3], "Ada") == ["unpainted"] * 2, "a proposal paints nothing"


def test_maps_of_another_size_fit_the_image_and_large_ones_are_reduced(tmp_path) -> None:
    with make_workspace(tmp_path / "large", count=5, side=1600) as workspace:
        y = np.linspace(0, 250, 1600)
        ramp = np.broadcast_to(y[:, None], (1600, 1600)).astype(np.uint8)
        small, large = workspace.add_proposals(
            [
                NewProposal(0, "grad-cam", "", "", "", np.full((7, 7), 99, np.uint8)),
                NewProposal(1, "object-prior", "", "", "", ramp),
            ]
        )
        assert (workspace.proposal_map(small) == 99).all()
        assert workspace.proposal_map(small).shape == (1600, 1600)
        assert np.abs(workspace.proposal_map(large).astype(int) - ramp).max() <= 2


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda w: w.add_proposals([proposal(99)]), "99"),
        (lambda w: w.add_proposals([NewProposal(0, "x", "", "", "", np.zeros((4, 4)))]), "uint8"),  # type: ignore[arg-type]
        (lambda w: w.proposal_map(5), "proposal 5"),
        (lambda w: w.decide(5, "Ada", "accepted", 50), "proposal 5"),
        (lambda w: w.decide(w.add_proposals([proposal(0)])[0], "Ada", "liked", 50), "liked"),
        (lambda w: w.decide(w.add_proposals([proposal(0)])[0], "Ada", "accepted", 101), "101"),
        (lambda w: w.decide(w.add_proposals([proposal(0)])[0], "Eve", "accepted", 1), "Eve"),
    ],
)
def test_a_wrong_request_gets_one_sentence(workspace: Workspace, ask: object, named: str) -> None:
    with pytest.raises(SipError, match=named):
        ask(workspace)  # type: ignore[operator]
    assert workspace.flush()
