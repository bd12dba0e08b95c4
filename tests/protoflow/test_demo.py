"""The shipped ProtoFlow on the shipped images: exact, and as good as resources/README.md says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.data import PackedImages, to_float
from sip_explorer.protoflow import ProtoFlow, load_protoflow

DEMO = Path(__file__).parents[2] / "resources" / "demo"


@pytest.fixture(scope="module")
def flow() -> ProtoFlow:
    return load_protoflow(DEMO / "models" / "fashion-protoflow.safetensors")


@pytest.fixture(scope="module")
def test_images() -> tuple[torch.Tensor, torch.Tensor]:
    with PackedImages.open(DEMO / "images.h5") as packed:
        rows = np.flatnonzero(packed.split == "test")[::10]
        return to_float(packed.read(rows)), torch.from_numpy(packed.labels[rows])


def test_every_image_comes_back_bit_for_bit(flow: ProtoFlow, test_images: tuple) -> None:
    images, _ = test_images
    assert flow.round_trip is not None
    assert flow.round_trip.exact
    for u in (None, torch.full((1, 1, 1, 1), 1e-6), torch.full((1, 1, 1, 1), 1 - 1e-6)):
        assert torch.equal(flow.decode(flow.encode(images, u=u)), images)


def test_figures(flow: ProtoFlow, test_images: tuple) -> None:
    images, labels = test_images
    found = flow.log_likelihood(images)
    assert float((found.per_class.argmax(1) == labels).double().mean()) > 0.86
    assert float(found.bits_per_dimension.mean()) < 3.4


def test_a_prototype_is_of_its_class(flow: ProtoFlow) -> None:
    """The decoded means, seen as images, are put into their own classes."""
    means = flow.decode_means()
    predicted = flow(means.flatten(0, 1)).argmax(1).reshape(means.shape[:2])
    own = torch.arange(len(flow.classes))[:, None].expand_as(predicted)
    assert float((predicted == own).double().mean()) > 0.7
