"""The index of latents: what is nearest, what a prototype answers for, how usual an image is."""

import numpy as np
import pytest
import torch

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.protoflow.looking import LatentIndex, index_images, log_density, responsibilities
from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Progress, SipError, Started

IDS = [40, 7, 13, 2, 91, 5, 66, 67, 68, 69, 70, 1]


def _run(flow: ProtoFlow, images: torch.Tensor, token: CancelToken | None = None) -> list:
    return list(index_images(flow, IDS, lambda ids: images[[IDS.index(i) for i in ids]], token))


@pytest.fixture(scope="module")
def index(flow: ProtoFlow, images: torch.Tensor) -> LatentIndex:
    (made,) = [event.data for event in _run(flow, images) if isinstance(event, Artefact)]
    return made


def test_the_job_tells_what_it_does_and_keeps_what_the_flow_says(
    flow: ProtoFlow, images: torch.Tensor, index: LatentIndex
) -> None:
    events = _run(flow, images)
    assert events[0] == Started("Encoding 12 images", 12)
    assert events[1] == Progress(12, 12)
    assert events[-1] == Finished("completed", {"images": 12})
    code = flow.encode(images)
    found = flow.log_likelihood_of(code)
    np.testing.assert_array_equal(index.ids, IDS)
    np.testing.assert_allclose(index.latents, code.z.numpy(), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(index.log_likelihoods, found.total.detach().numpy(), rtol=1e-5)
    np.testing.assert_array_equal(index.predicted, found.per_class.argmax(1).numpy())
    shares = responsibilities(flow, code.z)
    for row in range(12):
        own = shares[row, index.predicted[row]]
        assert index.component[row] == int(own.argmax())
        assert index.responsibility[row] == pytest.approx(float(own.max()), rel=1e-5)
    assert index.usage(3, 3).sum() == 12


def test_nearest_are_those_of_the_highest_density(
    flow: ProtoFlow, images: torch.Tensor, index: LatentIndex
) -> None:
    prototype = flow.prototypes[1][1]
    order = log_density(prototype, flow.encode(images).z).argsort(descending=True)
    assert index.nearest(prototype, 3).tolist() == [IDS[i] for i in order[:3]]
    assert len(index.nearest(prototype, 100)) == 12


def test_context_images_are_its_own_from_the_core_to_the_rim(flow: ProtoFlow, index: LatentIndex) -> None:
    label, component = np.unravel_index(index.usage(3, 3).argmax(), (3, 3))
    prototype = flow.prototypes[label][component]
    own = {
        int(i)
        for i, c, k in zip(index.ids, index.predicted, index.component, strict=True)
        if (c, k) == (label, component)
    }
    assert len(own) > 2
    found = index.context(prototype, len(own)).tolist()
    assert set(found) == own
    density = dict(zip(index.ids.tolist(), index.log_densities(prototype).tolist(), strict=True))
    assert found == sorted(found, key=lambda i: -density[i])
    assert index.context(prototype, 2).tolist() == [found[0], found[-1]]
    unused = np.argwhere(index.usage(3, 3) == 0)
    assert len(unused)
    assert len(index.context(flow.prototypes[unused[0][0]][unused[0][1]])) == 0


def test_typicality_is_a_percentile_from_both_sides() -> None:
    values = np.arange(1, 101, dtype=np.float32)
    nothing = np.zeros(100, np.int64)
    index = LatentIndex(nothing, np.zeros((100, 1, 1, 1), np.float16), values, nothing, nothing, values)
    assert index.typicality(50.5) == pytest.approx(1.0)
    assert index.typicality(0.0) == pytest.approx(0.0)
    assert index.typicality(1000.0) == pytest.approx(0.0)
    assert index.typicality(1.5) == pytest.approx(0.02)  # one of a hundred lies farther out
    assert index.typicality(99.5) == pytest.approx(0.02)
    assert index.typicality(10.0) == pytest.approx(1 - (90 - 9) / 100)


def test_stopping_keeps_and_cancelling_throws_away(
    flow: ProtoFlow, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip_explorer.protoflow.looking.gallery.BATCH", 5)
    token = CancelToken()
    kept: list = []
    for event in index_images(flow, IDS, lambda ids: images[: len(ids)], token):
        kept.append(event)
        if event == Progress(5, 12):
            token.stop()
    assert len(kept[-2].data) == 5
    assert kept[-1].outcome == "stopped"
    token.cancel()
    with pytest.raises(Cancelled):
        _run(flow, images, token)


def test_faults_are_one_sentence(flow: ProtoFlow, images: torch.Tensor) -> None:
    with pytest.raises(SipError, match="no images to index"):
        list(index_images(flow, [], lambda ids: images))
    none = np.zeros(0, np.int64)
    empty = LatentIndex(
        none, np.zeros((0, *flow.latent_shape), np.float16), np.zeros(0, np.float32), none, none,
        np.zeros(0, np.float32),
    )  # fmt: skip
    assert len(empty.nearest(flow.prototypes[0][0])) == 0
    with pytest.raises(SipError, match="No image has been indexed"):
        empty.typicality(0.0)
