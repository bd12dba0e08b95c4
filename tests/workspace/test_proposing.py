"""Proposals for many images: what is kept, made once, left out, and that nothing painted changes."""

import numpy as np
import pytest
import torch
from PIL import Image
from toy_workspaces import paint, read_only_disk

from sip_explorer.data.fitting import fit_images
from sip_explorer.models import build_classifier
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Finished,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.salience import grad_cam
from sip_explorer.salience.occlusion import occlusion
from sip_explorer.workspace import NewImage, Workspace
from sip_explorer.workspace.proposing import METHODS, Source, propose


def network(classes=("ball", "cube", "ring"), side=16, channels=1):
    return build_classifier(
        "tiny-cnn",
        classes=classes,
        input_shape=(channels, side, side),
        mean=[0.3] * channels,
        std=[0.3] * channels,
        seed=3,
    ).eval()


def run(workspace, ids, method, model=None, **settings):
    """Return (data, summary, notices, events) of a whole job."""
    events = list(propose(workspace, ids, method, model, token=CancelToken(), **settings))
    told = [event for event in events if event is not None]
    assert isinstance(told[0], Started)
    assert isinstance(told[-1], Finished)
    (data,) = [event.data for event in told if isinstance(event, Artefact)]
    return data, told[-1].summary, [event.message for event in told if isinstance(event, Notice)], told


def painted(workspace, image, box=(4, 4, 12, 12), annotator="Ada"):
    mask = workspace.mask(image, annotator)
    workspace.commit_stroke(image, annotator, paint(mask, box, 255), "brush").result(10)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_proposes_and_nothing_painted_changes(workspace, method):
    painted(workspace, 0)
    before = workspace.mask(0, "Ada")
    ids, summary, notices, told = run(
        workspace, [3, 0, 6], method, network() if method != "object-prior" else None, model_name="tiny"
    )
    entries = workspace.proposals([0, 3, 6])
    kept = {entry.id: entry for entry in entries}
    made = summary["proposals"]
    assert made >= 2
    assert made + summary["without a region"] + summary["left out"] == 3
    assert [kept[one].image for one in ids] == [
        image for image in (3, 0, 6) if image in {e.image for e in entries}
    ]
    assert {entry.method for entry in entries} == {method}
    assert all(entry.model == ("" if method == "object-prior" else "tiny") for entry in entries)
    assert workspace.proposal_map(ids[0]).shape == (16, 16)
    assert workspace.proposal_map(ids[0]).max() > 200
    assert np.array_equal(workspace.mask(0, "Ada"), before)
    assert workspace.states([3, 6], "Ada") == ["unpainted"] * 2
    assert set(workspace.open_proposals([0, 3, 6], "Ada")) == {entry.image for entry in entries}
    progress = [(event.done, event.total) for event in told if isinstance(event, Progress)]
    assert progress[-1] == (3, 3)
    assert progress == sorted(progress)
    if method == "propagation":
        assert len(notices) == 1  # the painted image itself has no other to take from
    else:
        assert notices == []


def test_a_model_is_asked_about_the_class_of_the_image_where_it_knows_it(workspace):
    model = network(("Ring", "plate", "cube"))
    ids, *_ = run(workspace, [0, 1, 2], "grad-cam", model, model_name="tiny")
    details = {entry.image: entry.detail for entry in workspace.proposals([0, 1, 2])}
    assert details[1].endswith("class cube")  # its third class
    assert details[2].endswith("class Ring")
    assert details[0].endswith("predicted class")
    images = fit_images(workspace.images([0, 1, 2]), model.input_shape)
    targets = torch.tensor([int(model(images[:1]).argmax()), 2, 0])
    expected = (255 * grad_cam(model, images, targets)[:, 0]).round().to(torch.uint8).numpy()
    for one, own in zip(ids, expected, strict=True):
        assert np.abs(workspace.proposal_map(one).astype(int) - own).max() <= 1


def test_occlusion_is_that_of_the_model(workspace):
    model = network()
    (new,), *_ = run(workspace, [4], "occlusion", model, keep=False)
    images = fit_images(workspace.images([4]), model.input_shape)
    expected = (255 * occlusion(model, images, torch.tensor([1]))[0, 0]).round().to(torch.uint8).numpy()
    assert np.abs(new.map.astype(int) - expected).max() <= 1
    assert new.detail == "grey square of 3 by 1, class cube"
    assert workspace.proposals([4]) == []


def test_what_is_there_is_not_made_again(workspace):
    model = network()
    first, *_ = run(workspace, [0, 1], "grad-cam", model)
    again, summary, *_ = run(workspace, [2, 1, 0, 1], "grad-cam", model)
    assert (summary["proposals"], summary["already there"]) == (1, 2)
    assert again[1:] == first[::-1]
    with torch.no_grad():
        next(model.parameters()).add_(0.1)
    assert run(workspace, [0, 1], "grad-cam", model)[1]["proposals"] == 2  # other weights, other maps


def test_propagation_takes_the_mask_of_an_image_alike_of_the_same_class(workspace):
    for image in (0, 3, 1):
        painted(workspace, image)
    _, _, notices, _ = run(workspace, [6, 4, 2], "propagation")
    sources = {entry.image: Source.of(entry.detail) for entry in workspace.proposals([6, 4, 2])}
    ada = workspace.annotators()[0].id
    assert sources[4] == Source(1, ada, 1)
    assert sources[6].image in (0, 3)
    assert 2 not in sources
    assert notices == ["No other image of ring is painted: paint one, then propagate again."]
    painted(workspace, 1, (0, 0, 4, 4))
    assert run(workspace, [4], "propagation")[1]["proposals"] == 1  # the source was painted on
    assert run(workspace, [4], "propagation")[1]["already there"] == 1


def test_one_annotator_is_not_shown_what_another_painted(workspace):
    painted(workspace, 0)
    workspace.add_annotator("Ben")
    _, summary, notices, _ = run(workspace, [3], "propagation", annotator="Ben")
    assert summary["left out"] == 1
    assert "paint one" in notices[0]
    assert Source.of("class ball") is None


def test_a_bad_picture_is_named_and_the_rest_goes_on(tmp_path):
    images = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        pixels = np.random.default_rng(number).integers(
            0, 255, (20 + number, 30, 3)[: 2 + number % 2], np.uint8
        )
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        images.append(NewImage(0, False, (20 + number, 30, 1 + 2 * (number % 2)), path=str(path)))
    with Workspace.create(tmp_path / "photos", "photos", ["cat"], images) as workspace:
        (tmp_path / "1.png").unlink()
        (tmp_path / "2.png").write_bytes(b"no picture")
        model = network(("cat", "dog"))
        for method in ("grad-cam", "integrated-gradients", "occlusion", "object-prior"):
            _, summary, notices, _ = run(workspace, [0, 1, 2, 3], method, model)
            assert (summary["proposals"], summary["left out"]) == (2, 2)
            assert ["1.png" in notices[0], "2.png" in notices[1], len(notices)] == [True, True, 2]
        ids = [entry.id for entry in workspace.proposals([3])]
        assert {workspace.proposal_map(one).shape for one in ids} == {(23, 30)}


def test_a_stop_keeps_what_is_there_and_a_cancel_ends_at_once(workspace):
    token = CancelToken()
    job = propose(workspace, range(12), "object-prior", token=token)
    told = [next(job), next(job)]
    token.stop()
    told += list(job)
    assert told[-1] == Finished("stopped", told[-1].summary)
    token = CancelToken()
    job = propose(workspace, range(12), "grad-cam", network(), token=token)
    next(job)
    token.cancel()
    with pytest.raises(Cancelled):
        list(job)
    assert all(entry.method == "object-prior" for entry in workspace.proposals(range(12)))


def test_a_model_that_looks_nowhere_proposes_nothing(workspace):
    model = network()
    torch.nn.init.zeros_(list(model.parameters())[-2])
    ids, summary, *_ = run(workspace, [0, 1], "grad-cam", model)
    assert ids == []
    assert summary["without a region"] == 2


@pytest.mark.parametrize(
    ("method", "settings", "sentence"),
    [
        ("grad-cam", {}, "choose a model"),
        ("grad_cam", {}, "no way of proposing named 'grad_cam'"),
        ("propagation", {}, "Nobody has painted"),
        ("propagation", {"annotator": "Eve"}, "no annotator Eve in Toys; it has: Ada"),
    ],
    ids=["no model", "no method", "no mask", "no such person"],
)
def test_what_cannot_be_done_is_said(workspace, method, settings, sentence):
    with pytest.raises(SipError, match=sentence):
        list(propose(workspace, [0], method, token=CancelToken(), **settings))


def test_an_unknown_image_and_a_read_only_workspace_are_refused(workspace):
    with pytest.raises(SipError, match="no image 99"):
        list(propose(workspace, [0, 99], "object-prior", token=CancelToken()))
    with Workspace.open(workspace.path, read_only=True) as other:
        with pytest.raises(SipError, match="read only"):
            list(propose(other, [0], "object-prior", token=CancelToken()))
        assert len(run(other, [0], "object-prior", keep=False)[0]) == 1


def test_a_disk_that_cannot_keep_the_maps_of_training_keeps_the_proposals(workspace):
    folder = workspace.path / "salience_maps"
    folder.mkdir()
    with read_only_disk(folder):
        new, _, notices, _ = run(workspace, [0, 1], "grad-cam", network(), keep=False)
    assert len(new) == 2
    assert "cannot be kept" in notices[0]


@pytest.mark.parametrize("method", METHODS[:2])
def test_one_image_and_many_are_asked_alike_and_share_their_maps_with_training(workspace, method):
    model = network()
    many, *_ = run(workspace, [0, 1, 2], method, model, keep=False)
    assert len(list((workspace.path / "salience_maps").rglob("*.h5"))) == 1
    for one in many:
        (alone,), *_ = run(workspace, [one.image], method, model, keep=False)
        assert alone.detail == one.detail
        assert np.abs(alone.map.astype(int) - one.map).max() <= 1
    assert len(list((workspace.path / "salience_maps").rglob("*.h5"))) == 1
