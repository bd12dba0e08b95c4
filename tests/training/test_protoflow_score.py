"""A ProtoFlow's score: draws of the noise, both conventions of bits/dim, its parts, views, processes."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.records import CancelToken
from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.protoflow_score import ProtoFlowScore, score_protoflow
from sip_explorer.training.ranks import Ranks

CONFIG = FlowConfig((1, 8, 8), ("squeeze", "steps 1x8", "factor 8", "squeeze", "factor 8", "steps 1x8"), 2)


@pytest.fixture
def flow() -> ProtoFlow:
    built = build_protoflow(CONFIG, ("a", "b", "c"), seed=1)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return built.train()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (11, 8, 8, 1), dtype=np.uint8)


LABELS = np.arange(11) % 3


def scored(
    flow: ProtoFlow, images: np.ndarray, labels: np.ndarray = LABELS, **options: object
) -> ProtoFlowScore:
    scoring = score_protoflow(flow, images, labels, micro_batch=4, **options)  # type: ignore[arg-type]
    while True:
        try:
            assert next(scoring) is None
        except StopIteration as end:
            return end.value


def test_draws_are_averaged_and_importance_weighted(flow: ProtoFlow, images: np.ndarray) -> None:
    score = scored(flow, images, draws=3, seed=4)
    assert flow.training
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2)).float() / 255
    per_class = torch.stack([flow.log_likelihood(pixels, 4 + draw).per_class for draw in range(3)]).double()
    bits = -1 / (64 * math.log(2))
    total = per_class.logsumexp(2) - math.log(3)
    assert score.draws == 3
    assert score.images == 11
    assert score.bits_per_dimension == pytest.approx(bits * float(total.mean()), abs=1e-5)
    assert score.bits_per_dimension_best_class == pytest.approx(
        bits * float(per_class.amax(2).mean()), abs=1e-5
    )
    assert float(per_class.min()) > -700  # so that a float64 holds the density itself
    weighted = per_class.exp().mean(0).log()
    assert score.importance_bits_per_dimension == pytest.approx(
        bits * float((weighted.logsumexp(1) - math.log(3)).mean()), abs=1e-5
    )
    assert score.importance_bits_per_dimension < score.bits_per_dimension
    truth = torch.from_numpy(LABELS)
    assert score.accuracy == pytest.approx(float((per_class.mean(0).argmax(1) == truth).double().mean()))
    own = per_class.mean(0)[torch.arange(11), truth]
    assert score.class_bits_per_dimension == pytest.approx(bits * float(own.mean()), abs=1e-5)
    confidence, predicted = per_class.mean(0).softmax(1).max(1)
    right = (predicted == truth).double()
    bins = (confidence * 15).long().clamp(max=14)
    gaps = sum(abs(float((confidence - right)[bins == b].sum())) for b in range(15)) / 11
    assert score.calibration_error == pytest.approx(gaps, abs=1e-6)


def test_one_draw_is_its_own_mean(flow: ProtoFlow, images: np.ndarray) -> None:
    score = scored(flow, images)
    assert score.importance_bits_per_dimension == pytest.approx(score.bits_per_dimension, abs=1e-9)
    assert score.importance_accuracy == score.accuracy


def test_parts_add_up_and_every_image_has_its_prototype(flow: ProtoFlow, images: np.ndarray) -> None:
    score = scored(flow, images, draws=2)
    assert list(score.parts) == ["half 1", "half 2", "latent", "log-determinant"]
    assert sum(score.parts.values()) == pytest.approx(score.bits_per_dimension, abs=1e-6)
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2)).float() / 255
    code = flow.encode(pixels)
    joint = flow.component_log_likelihood(code.z).flatten(1).argmax(1)
    assert (np.array(score.usage) * 11).round().astype(int).flatten().tolist() == torch.bincount(
        joint, minlength=6
    ).tolist()
    assert code.halves is not None
    half = code.halves[1]
    nats = 0.5 * (half.square() + math.log(2 * math.pi)).sum((1, 2, 3)).mean()
    assert scored(flow, images).parts["half 2"] == pytest.approx(float(nats) / (64 * math.log(2)), abs=1e-5)


def test_views_change_the_answers_and_not_the_density(flow: ProtoFlow, images: np.ndarray) -> None:
    alone = scored(flow, images)
    moved = scored(flow, images, views=3, augmentation=Augmentation(crop_padding=3, outside="edge"))
    assert moved.views == 3
    assert moved.bits_per_dimension == alone.bits_per_dimension
    assert moved.calibration_error != alone.calibration_error
    same = scored(flow, images, views=3)  # views that are all the image itself
    assert same.calibration_error == pytest.approx(alone.calibration_error, abs=1e-6)


def test_shares_of_processes_make_the_score_of_all(flow: ProtoFlow, images: np.ndarray) -> None:
    whole = scored(flow, images)

    class Kept(Ranks):
        sums: list[Tensor]

        def sum(self, values: Tensor) -> Tensor:
            self.sums.append(values)
            return torch.stack(self.sums).sum(0)

    ranks = Kept(torch.device("cpu"))
    ranks.sums = []
    for rank in range(2):
        both = scored(flow, images[rank::2], LABELS[rank::2], ranks=ranks)
    assert both.images == 11
    assert both.accuracy == whole.accuracy
    assert both.bits_per_dimension == pytest.approx(whole.bits_per_dimension, abs=1e-6)
    assert both.parts == pytest.approx(whole.parts, abs=1e-5)
    assert np.allclose(both.usage, whole.usage)


def test_a_stop_keeps_the_first_pass_where_a_part_is_of_use(flow: ProtoFlow, images: np.ndarray) -> None:
    token = CancelToken()
    token.stop()
    part = scored(flow, images, token=token, partly=True)
    first = scored(flow, images[:4], LABELS[:4])
    assert part.images == 4
    assert part.bits_per_dimension == first.bits_per_dimension
    assert part.usage == first.usage
    assert scored(flow, images, token=token).images == 11  # a training's validation is of all images


def test_no_images_have_no_figures(flow: ProtoFlow, images: np.ndarray) -> None:
    score = scored(flow, images[:0], LABELS[:0])
    assert score.images == 0
    assert math.isnan(score.accuracy)
    assert math.isnan(score.bits_per_dimension)
