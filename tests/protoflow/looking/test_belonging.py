"""Responsibilities, explanations, and prototypes that are switched off and on again."""

import math

import pytest
import torch

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.protoflow.code import RoundTrip
from sip_explorer.protoflow.looking import (
    class_posterior,
    effect,
    explain,
    prototype_name,
    responsibilities,
    switched_off,
)
from sip_explorer.records import SipError


@pytest.fixture
def placed() -> ProtoFlow:
    """Two classes of two prototypes over one number: the latent is v itself, means at known places."""
    made = build_protoflow(FlowConfig((1, 1, 1), (), 2), ("cat", "dog"), seed=0).double().eval()
    with torch.no_grad():
        made.mixture.mean.copy_(torch.tensor([[[0.0], [2.0]], [[4.0], [8.0]]]))
        made.mixture.logits[0] = torch.tensor([0.0, math.log(3.0)])
    return made


def _latents(*values: float) -> torch.Tensor:
    return torch.tensor(values).double().reshape(-1, 1, 1, 1)


def test_responsibilities_are_bayes_rule_and_sum_to_1(flow: ProtoFlow, images: torch.Tensor) -> None:
    z = flow.encode(images).z
    shares = responsibilities(flow, z)
    assert shares.shape == (12, 3, 3)
    torch.testing.assert_close(shares.sum((1, 2)), torch.ones(12).double())
    torch.testing.assert_close(class_posterior(flow, z), torch.softmax(flow.class_log_likelihood(z), 1))


def test_responsibilities_by_hand(placed: ProtoFlow) -> None:
    shares = responsibilities(placed, _latents(3.0))[0]
    parts = torch.tensor([[0.25 * math.exp(-4.5), 0.75 * math.exp(-0.5)],
                          [0.5 * math.exp(-0.5), 0.5 * math.exp(-12.5)]]).double()  # fmt: skip
    torch.testing.assert_close(shares, parts / parts.sum(), rtol=1e-6, atol=1e-9)


def test_an_explanation_says_how_far_ahead_of_which_class(placed: ProtoFlow) -> None:
    from sip_explorer.protoflow import Code

    found = explain(placed, Code(_latents(7.0)))
    dog = math.log(0.5 * math.exp(-4.5) + 0.5 * math.exp(-0.5))
    cat = math.log(0.25 * math.exp(-24.5) + 0.75 * math.exp(-12.5))
    assert (found.label, found.component, found.next_label, found.next_component) == (1, 1, 0, 1)
    assert found.nats_ahead == pytest.approx(dog - cat, rel=1e-5)
    assert found.probability == pytest.approx(1 / (1 + math.exp(cat - dog)))
    assert found.sentence == (
        f"{dog - cat:.1f} nats nearer to dog 2 than to the next class, cat (its prototype 2)."
    )
    between = explain(placed, Code(_latents(6.0)))
    assert between.share == pytest.approx(0.5)
    assert between.sentence.endswith("carries 50 % of its class's likelihood.")
    assert prototype_name(placed, 1, 0) == "dog 1"


def test_what_is_switched_off_comes_back(placed: ProtoFlow) -> None:
    z = _latents(7.0, 3.0)
    before = placed.class_log_likelihood(z).detach()
    with switched_off(placed, {(1, 1)}):
        assert float(responsibilities(placed, z)[:, 1, 1].max()) == 0
        torch.testing.assert_close(responsibilities(placed, z).sum((1, 2)), torch.ones(2).double())
        assert placed.prototypes[1][0].weight == pytest.approx(1.0)  # the rest shares the weight
        with switched_off(placed, [(0, 0)]):
            assert int(placed.mixture.active.sum()) == 2
        assert int(placed.mixture.active.sum()) == 3
    assert torch.equal(placed.class_log_likelihood(z).detach(), before)
    with pytest.raises(ZeroDivisionError), switched_off(placed, {(0, 1)}):
        1 / 0
    assert bool(placed.mixture.active.all())


def test_a_class_without_prototypes_is_never_predicted(placed: ProtoFlow) -> None:
    from sip_explorer.protoflow import Code

    with switched_off(placed, {(1, 0), (1, 1)}):
        assert placed.class_log_likelihood(_latents(8.0)).argmax(1).tolist() == [0]
        assert class_posterior(placed, _latents(8.0)).tolist() == [[1.0, 0.0]]
        found = explain(placed, Code(_latents(8.0)))
    assert found.sentence == "Only cat has prototypes left; cat 2 is the nearest of them."
    assert math.isinf(found.nats_ahead)


def test_the_effect_of_a_switch(placed: ProtoFlow) -> None:
    from sip_explorer.protoflow import Code

    code, labels = Code(_latents(0.0, 2.0, 4.2, 8.0)), torch.tensor([0, 0, 1, 1])
    found = effect(placed, code, labels, {(1, 0)})
    assert (found.accuracy_before, found.accuracy_after) == (1.0, 0.75)
    assert found.changed.tolist() == [False, False, True, False]
    assert found.predicted_after.tolist() == [0, 0, 0, 1]
    assert found.sentence == "Accuracy 100.0 % → 75.0 %; 1 of 4 predictions change."
    assert bool(placed.mixture.active.all())


def test_the_effect_on_images_is_that_on_their_code(flow: ProtoFlow, images: torch.Tensor) -> None:
    labels = flow.encode(images).z.flatten(1).sum(1).long() % 3
    off = {(0, 0), (2, 1)}
    one, other = (effect(flow, given, labels, off) for given in (images, flow.encode(images)))
    assert torch.equal(one.predicted_after, other.predicted_after)
    assert one.accuracy_before == other.accuracy_before


def test_faults_are_one_sentence(flow: ProtoFlow, images: torch.Tensor) -> None:
    everything = {(c, k) for c in range(3) for k in range(3)}
    with pytest.raises(SipError, match="Every prototype is switched off"), switched_off(flow, everything):
        pass
    assert bool(flow.mixture.active.all())
    with pytest.raises(SipError, match="no prototype 4 of class 1"), switched_off(flow, {(0, 3)}):
        pass
    with pytest.raises(SipError, match="of one image, not 12"):
        explain(flow, flow.encode(images))
    with pytest.raises(SipError, match="12 images and 2 labels"):
        effect(flow, images, torch.tensor([0, 1]), set())
    single = build_protoflow(FlowConfig((1, 8, 8), ("squeeze",), 1), ("all",), seed=0)
    with pytest.raises(SipError, match="one class"):
        explain(single, single.encode(images[:1]))


def test_switching_does_not_copy_a_flow_that_computes_in_float64() -> None:
    flow = build_protoflow(FlowConfig((1, 8, 8), ("squeeze", "steps 1x8"), 2), ("a", "b"), seed=0).eval()
    flow.round_trip = RoundTrip(0.0, "float64", 1, 1.0)
    images = torch.rand(2, 1, 8, 8)
    before, twin = flow.encode(images), flow._double
    assert before.z.dtype == torch.float64
    with switched_off(flow, [(0, 0)]):
        assert torch.equal(flow.encode(images).z, before.z)
    assert flow._double is twin
    with torch.no_grad():
        flow.backbone.layers[2].shift.add_(1.0)  # type: ignore[union-attr,index]
    assert not torch.equal(flow.encode(images).z, before.z)
