"""Mixture, prototypes and losses against torch.distributions and plain formulas."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from sip_explorer.protoflow import (
    FlowConfig,
    MixtureHead,
    ProtoFlow,
    build_protoflow,
    class_bits_per_dimension,
    classification_loss,
    cluster_loss,
    diversity_loss,
    initialise_class,
    kmeans,
)
from sip_explorer.protoflow.noise import normal, uniform


def head(classes: int = 3, components: int = 4, dimensions: int = 5) -> MixtureHead:
    generator = torch.Generator().manual_seed(0)
    made = MixtureHead(classes, components, dimensions).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return made


def test_density_is_that_of_torch_distributions() -> None:
    made, z = head(), torch.randn(7, 5, dtype=torch.float64)
    scores = made.class_log_likelihood(z)
    for c in range(3):
        parts = Independent(Normal(made.mean[c], torch.exp(0.5 * made.log_variance[c])), 1)
        oracle = MixtureSameFamily(Categorical(logits=made.logits[c]), parts)
        torch.testing.assert_close(scores[:, c], oracle.log_prob(z))
    torch.testing.assert_close(made.class_log_likelihood(z, "max"), made(z).amax(-1))
    assert bool((made.class_log_likelihood(z, "max") < scores).all())


def test_large_batches_are_cut_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    made, z = head(), torch.randn(7, 5, dtype=torch.float64)
    whole = made(z)
    monkeypatch.setattr("sip_explorer.protoflow.mixture._ELEMENTS", 2 * made.mean.numel())
    torch.testing.assert_close(made(z), whole)


def test_no_digits_are_lost_far_from_the_origin() -> None:
    made = MixtureHead(1, 1, 2)
    with torch.no_grad():
        made.mean.fill_(1e4)
    expected = -0.5 * 2 * 0.5**2 - math.log(2 * math.pi)
    assert float(made(torch.full((1, 2), 1e4 + 0.5)).detach()) == pytest.approx(expected, abs=1e-5)


@pytest.fixture(scope="module")
def flow() -> ProtoFlow:
    made = build_protoflow(FlowConfig((1, 4, 4), ("squeeze", "steps 1x4"), 2), ("cat", "dog"), seed=2).eval()
    with torch.no_grad():
        made.mixture.log_variance.normal_(generator=torch.Generator().manual_seed(1))
        made.mixture.logits[0] = torch.tensor([0.0, math.log(3.0)])
    return made


def test_samples_follow_the_density_that_classifies(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[0][1]
    assert (prototype.class_name, prototype.weight) == ("cat", pytest.approx(0.75))
    draws = prototype.sample_latent(4000, seed=1)
    assert draws.shape == (4000, 4, 2, 2)
    torch.testing.assert_close(draws.mean(0), prototype.mean, atol=0.12, rtol=0)
    torch.testing.assert_close(draws.std(0) / prototype.deviation, torch.ones(4, 2, 2), atol=0.05, rtol=0)
    # E[log N(z)] under its own density is minus the entropy
    density = flow.component_log_likelihood(draws)[:, 0, 1] - math.log(0.75)
    entropy = (0.5 + 0.5 * math.log(2 * math.pi) + torch.log(prototype.deviation)).sum()
    assert float(density.mean().detach()) == pytest.approx(-float(entropy), abs=0.15)


def test_samples_are_functions_of_the_seed_and_their_number(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[1][0]
    assert torch.equal(prototype.sample(6, 0.7, 0.5, seed=3), prototype.sample(6, 0.7, 0.5, seed=3))
    assert torch.equal(prototype.sample_latent(6, seed=3)[:2], prototype.sample_latent(2, seed=3))
    assert torch.equal(
        prototype.sample_latent(1, seed=3, indices=[4])[0], prototype.sample_latent(6, seed=3)[4]
    )
    assert not torch.equal(prototype.sample_latent(2, seed=3), prototype.sample_latent(2, seed=4))
    cold = prototype.sample_latent(3, temperature=0.0)
    assert torch.equal(cold, prototype.mean.expand(3, -1, -1, -1))
    assert torch.equal(prototype.sample(1, 0.0), prototype.decode_mean()[None])
    torch.testing.assert_close(flow.decode_means()[1, 0], prototype.decode_mean(), atol=1.01 / 255, rtol=0)


def test_noise_is_keyed_by_seed_purpose_index_and_part() -> None:
    base = normal((50,), 1, 2, [3])
    for other in (
        normal((50,), 2, 2, [3]),
        normal((50,), 1, 1, [3]),
        normal((50,), 1, 2, [4]),
        normal((50,), 1, 2, [3], 1),
    ):
        assert not torch.equal(base, other)
    values = uniform((20_000,), 0, 0, [0])
    assert 0 <= float(values.min()) < float(values.max()) < 1
    assert float(values.mean()) == pytest.approx(0.5, abs=0.01)
    assert normal((3, 2), 0, 0, []).shape == (0, 3, 2)


def test_log_likelihood_adds_up(flow: ProtoFlow) -> None:
    images = torch.randint(0, 256, (5, 1, 4, 4), generator=torch.Generator().manual_seed(0)).float() / 255
    found = flow.log_likelihood(images)
    code = flow.encode(images)
    assert code.log_det is not None
    torch.testing.assert_close(found.per_class, code.log_det[:, None] + flow.class_log_likelihood(code.z))
    torch.testing.assert_close(found.total, torch.logsumexp(found.per_class, 1) - math.log(2))
    torch.testing.assert_close(found.bits_per_dimension, -found.total / (16 * math.log(2)))
    gap = found.bits_per_dimension - found.bits_per_dimension_best_class
    assert bool(((gap >= 0) & (gap <= 1 / 16 + 1e-6)).all())


def test_an_untrained_identity_costs_eight_bits_and_the_gaussian() -> None:
    """With the identity for a flow the likelihood is known: v under the mixture, over 256 levels."""
    flow = build_protoflow(FlowConfig((1, 2, 2), ("squeeze",), 1), ("all",), seed=0)
    with torch.no_grad():
        flow.mixture.mean.zero_()
    images = torch.tensor([0.0, 10.0, 200.0, 255.0]).reshape(1, 1, 2, 2) / 255
    v = (images * 255 + flow.draw_noise(images, 4)) / 256
    expected = Normal(0.0, 1.0).log_prob(v).sum() - 4 * math.log(256)
    torch.testing.assert_close(flow.log_likelihood(images, seed=4).total, expected[None])


def test_losses_are_the_formulas() -> None:
    scores, labels = torch.randn(6, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 2, 0, 1])
    log_det = torch.randn(6, dtype=torch.float64)
    own = scores[torch.arange(6), labels]
    torch.testing.assert_close(
        classification_loss(scores, labels), -(own - torch.logsumexp(scores, 1)).mean()
    )
    torch.testing.assert_close(
        class_bits_per_dimension(log_det, scores, labels, 16), -(log_det + own).sum() / (6 * 16 * math.log(2))
    )
    z, mean = torch.randn(6, 4, dtype=torch.float64), torch.randn(3, 2, 4, dtype=torch.float64)
    nearest = [
        min(float((z[i] - mean[c, k]).norm()) for i in range(6) if labels[i] == c)
        for c in range(3)
        for k in range(2)
    ]
    assert float(cluster_loss(z, labels, mean)) == pytest.approx(np.mean(nearest))
    only = labels == 1
    assert float(cluster_loss(z[only], labels[only], mean)) == pytest.approx(np.mean(nearest[2:4]))


def test_diversity_is_one_minus_the_root_of_the_bhattacharyya_coefficient() -> None:
    made = head(1, 2, 2).requires_grad_(False)
    # BC = ∫ sqrt(p q) by a grid
    axis = torch.linspace(-30, 30, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    one, two = (
        Normal(made.mean[0, k], torch.exp(0.5 * made.log_variance[0, k])).log_prob(grid).sum(1)
        for k in (0, 1)
    )
    overlap = torch.exp(0.5 * (one + two)).sum() * (axis[1] - axis[0]) ** 2
    expected = -(1 - overlap ** (1 / 2))
    assert float(diversity_loss(made.mean, made.log_variance)) == pytest.approx(float(expected), abs=1e-4)
    assert float(diversity_loss(made.mean[:, :1], made.log_variance[:, :1])) == 0.0
    wide = torch.randn(2, 3, 5_000)  # determinants of e^±10000
    assert math.isfinite(float(diversity_loss(wide, 4 * wide)))


def test_kmeans_finds_what_is_there_and_starts_the_mixture() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(90) % 3
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = centres[truth] + 0.5 * torch.randn(90, 2, generator=generator)
    found = kmeans(points, 3, seed=0)
    assert len(torch.unique(found * 3 + truth)) == 3  # the same partition
    made = MixtureHead(2, 3, 2)
    untouched = made.mean[1].detach().clone()
    initialise_class(made, 0, points, seed=0)
    initialise_class(made, 1, points[:0])
    assert torch.equal(made.mean[1].detach(), untouched)
    order = torch.cdist(centres, made.mean[0].detach()).argmin(1)
    torch.testing.assert_close(made.mean[0, order].detach(), centres, atol=0.4, rtol=0)
    torch.testing.assert_close(made.weights()[0].detach(), torch.full((3,), 1 / 3), atol=0.01, rtol=0)
    spread = torch.exp(0.5 * made.log_variance[0]).detach()
    assert 0.3 < float(spread.min()) < float(spread.max()) < 3.0


def test_outliers_do_not_become_prototypes() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(200, 2, generator=generator)
    points[0] = torch.tensor([40.0, 40.0])
    sizes = torch.bincount(kmeans(points, 4, seed=0), minlength=4)
    assert int(sizes.min()) > 5


def test_kmeans_with_fewer_points_than_clusters() -> None:
    points = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    assert kmeans(points, 5).tolist() == [0, 0]
    made = MixtureHead(1, 3, 2)
    initialise_class(made, 0, points)
    assert bool(torch.isfinite(made(points)).all())
    assert float(made.weights().sum().detach()) == pytest.approx(1.0)
