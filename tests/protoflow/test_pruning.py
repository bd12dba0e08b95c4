"""Pruning and merging: the mixture stays a density, and what it costs is counted."""

import math

import pytest
import torch

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.protoflow.pruning import merge, overlap_per_dimension, prune, simplify, usage
from sip_explorer.records import SipError


@pytest.fixture
def flow() -> ProtoFlow:
    """Two classes in 4 dimensions, prototypes at -3, 3 and nearly 3 along the first."""
    made = build_protoflow(FlowConfig((1, 2, 2), ("squeeze",), 3), ("left", "right"), seed=0).eval()
    with torch.no_grad():
        made.mixture.mean.zero_()
        made.mixture.mean[0, :, 0] = torch.tensor([-3.0, -9.0, -9.1])
        made.mixture.mean[1, :, 0] = torch.tensor([3.0, 9.0, 30.0])
        made.mixture.logits.copy_(torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.49, 0.01]]).log())
    return made


def latents(*firsts: float) -> torch.Tensor:
    z = torch.zeros(len(firsts), 4, 1, 1)
    z[:, 0, 0, 0] = torch.tensor(firsts)
    return z


def test_pruned_weights_are_shared_and_the_density_integrates(flow: ProtoFlow) -> None:
    head = flow.mixture
    assert prune(head, head.weights(), 0.2) == ((0, 2), (1, 2))
    torch.testing.assert_close(head.weights().sum(1), torch.ones(2))
    torch.testing.assert_close(head.weights()[0], torch.tensor([2 / 3, 1 / 3, 0.0]))
    generator = torch.Generator().manual_seed(0)
    z = 12 * torch.randn(200_000, 4, generator=generator)
    log_base = torch.distributions.Normal(0.0, 12.0).log_prob(z).sum(1)
    with torch.no_grad():
        ratio = (head.class_log_likelihood(z)[:, 0] - log_base).exp()
    assert abs(float(ratio.mean()) - 1) < 0.1


def test_the_best_of_a_class_always_stays(flow: ProtoFlow) -> None:
    prune(flow.mixture, flow.mixture.weights(), 1.0)
    assert flow.mixture.active.sum(1).tolist() == [1, 1]
    assert flow.mixture.active[:, 0].all()


def test_switched_off_prototypes_have_no_density_and_no_gradient_goes_wrong(flow: ProtoFlow) -> None:
    flow.mixture.active[0] = False
    z = latents(-3.0, 3.0).requires_grad_(True)
    scores = flow.class_log_likelihood(z)
    assert bool((scores[:, 0] == -math.inf).all())
    assert bool(torch.isfinite(scores[:, 1]).all())
    (gradient,) = torch.autograd.grad(scores[:, 1].sum(), z)
    assert bool(torch.isfinite(gradient).all())
    assert bool((flow.mixture.weights()[0] == 0).all())


def test_merging_keeps_weight_mean_and_variance(flow: ProtoFlow) -> None:
    head = flow.mixture
    assert overlap_per_dimension(head, 0, 1, 1) == pytest.approx(1.0)
    weights, means = head.weights()[0, 1:].detach().clone(), head.mean[0, 1:].detach().clone()
    assert merge(head, 0.99) == (((0, 1), (0, 2)),)
    share = weights / weights.sum()
    torch.testing.assert_close(head.weights()[0, 1], weights.sum())
    mean = (share[:, None] * means).sum(0)
    torch.testing.assert_close(head.mean[0, 1].detach(), mean)
    variance = (share[:, None] * (1 + (means - mean).square())).sum(0)
    torch.testing.assert_close(head.log_variance[0, 1].detach().exp(), variance)


def test_accuracy_before_and_after_is_measured(flow: ProtoFlow) -> None:
    z, labels = latents(-3.0, -9.0, 3.0, 30.0, 9.0, 29.0), torch.tensor([0, 0, 1, 1, 1, 0])
    shares = usage(flow, z, labels)
    torch.testing.assert_close(shares.sum(1), torch.ones(2))
    assert float(shares[1, 2]) == pytest.approx(1 / 3, abs=1e-3)
    done = simplify(flow, z, labels, below=0.02, by="weight")
    assert done.dropped == ((1, 2),)
    assert (done.before, done.after, done.images) == (5 / 6, 5 / 6, 6)
    flow.mixture.mean.data[0, 0, 0] = 29.0  # now the dropped prototype is missed
    again = simplify(flow, z, labels, below=0.0, overlap=1.0)
    assert again.dropped == ()
    assert again.changed == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda flow: prune(flow.mixture, flow.mixture.weights(), 1.5), "threshold is 1.5"),
        (lambda flow: merge(flow.mixture, 0.0), "overlap is 0.0"),
        (lambda flow: simplify(flow, latents(0.0), [0], by="mood"), "'mood'"),
    ],
)
def test_bad_values_are_one_sentence(flow: ProtoFlow, call: object, words: str) -> None:
    with pytest.raises(SipError) as caught:
        call(flow)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_class_without_prototypes_has_no_shares(flow: ProtoFlow) -> None:
    flow.mixture.active[1] = False
    shares = usage(flow, latents(-3.0, -9.0, 3.0, 9.0), torch.tensor([0, 0, 1, 1]))
    torch.testing.assert_close(shares.sum(1), torch.tensor([1.0, 0.0]))
