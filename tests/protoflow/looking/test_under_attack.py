"""PGD through a flow: the same scores as the flow, gradients that bite, images that drift."""

import pytest
import torch

from sip_explorer.attacks import PGD
from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.protoflow.looking import Drift, DriftStep, FlowClassifier, drift, switched_off
from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Progress, SipError, Started


@pytest.fixture(scope="module")
def trained() -> tuple[ProtoFlow, torch.Tensor, torch.Tensor]:
    """Bright-left and bright-right images, and a flow whose prototypes lie at their latents."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(20) % 2
    images = torch.randint(60, 100, (20, 1, 8, 8), generator=generator).float()
    images[labels == 0, ..., :4] += 90
    images[labels == 1, ..., 4:] += 90
    images = images / 255
    flow = build_protoflow(FlowConfig((1, 8, 8), ("squeeze", "steps 1x8"), 2), ("left", "right"), seed=0)
    flow.backbone.initialise(images)
    with torch.no_grad():
        z = flow.encode(images).z.flatten(1)
        for label in (0, 1):
            own = z[labels == label]
            flow.mixture.mean[label, 0] = own.mean(0)
            flow.mixture.mean[label, 1] = own.mean(0) + 3
        flow.mixture.log_variance.fill_(-1.0)
    return flow.eval(), images, labels


def _found(events: list) -> Drift:
    (made,) = [event.data for event in events if isinstance(event, Artefact) and event.kind == "drift"]
    return made


def test_scores_are_those_of_the_flow(flow: ProtoFlow, images: torch.Tensor) -> None:
    latent, image = FlowClassifier(flow)(images), FlowClassifier(flow, "image")(images)
    torch.testing.assert_close(latent, flow(images))
    torch.testing.assert_close(image, flow.log_likelihood(images).per_class)
    shift = image - latent
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift))  # the same for every class
    both = [flow.class_log_likelihood(flow.encode(images, seed).z) for seed in (0, 1)]
    torch.testing.assert_close(FlowClassifier(flow, draws=2)(images), (both[0] + both[1]) / 2)


def test_both_paths_have_the_gradient_of_a_margin(flow: ProtoFlow, images: torch.Tensor) -> None:
    gradients = []
    for path in ("latent", "image"):
        x = images[2:5].clone().requires_grad_()
        scores = FlowClassifier(flow, path)(x)  # type: ignore[arg-type]
        gradients.append(torch.autograd.grad((scores[:, 0] - scores[:, 1]).sum(), x)[0])
    torch.testing.assert_close(*gradients)
    assert float(gradients[0].abs().min(0).values.sum()) > 0


def test_a_class_without_prototypes_leaves_scores_that_can_be_climbed(
    trained: tuple[ProtoFlow, torch.Tensor, torch.Tensor],
) -> None:
    flow, images, labels = trained
    with switched_off(flow, {(1, 0), (1, 1)}):
        result = PGD(steps=1, micro_batch=8)(FlowClassifier(flow), images[:4], labels[:4])
    assert result.logits.argmax(1).tolist() == [0] * 4


def test_images_drift_as_epsilon_grows(trained: tuple[ProtoFlow, torch.Tensor, torch.Tensor]) -> None:
    flow, images, labels = trained
    radii = (4 / 255, 60 / 255)
    attack = PGD(steps=4, micro_batch=16)
    events = list(drift(flow, images, labels, (*radii, 0.0), attack=attack, indices=range(100, 120)))
    assert events[0] == Started("Attacking 20 images", 60)
    assert [event.done for event in events if isinstance(event, Progress)] == [16, 20, 36, 40, 56, 60]
    assert None in events
    found = _found(events)
    assert found.epsilons == (0.0, *radii)
    clean, small, large = found.steps
    assert torch.equal(clean.images, images)
    assert float(clean.success.float().mean()) == 0
    assert bool(large.success.any())
    assert int(large.success.sum()) >= int(small.success.sum())
    for step in found.steps:
        assert float((step.images - images).abs().max()) <= step.epsilon + 1e-6
        assert torch.equal((step.images * 255).round() / 255, step.images)
        scores = flow(step.images)
        assert torch.equal(step.predicted, scores.argmax(1))
        assert torch.equal(step.success, step.predicted != labels)
        joint = flow.component_log_likelihood(flow.encode(step.images).z)
        assert torch.equal(step.component, joint[torch.arange(20), step.predicted].argmax(1))
        whole = flow.log_likelihood(step.images)
        torch.testing.assert_close(step.log_likelihood, whole.total.detach())
        own = whole.per_class.detach()[torch.arange(20), labels]
        torch.testing.assert_close(step.log_likelihood_of_label, own)
    assert torch.equal(found.prototypes[:, 2, 0], large.predicted)
    assert sum(count for _, count in found.destinations()) == int(large.success.sum())
    assert "misclassified" in found.sentence(flow)
    assert f"{int(large.success.sum())} of 20 images that were right" in found.sentence(flow)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.summary["success at 60/255"] == pytest.approx(float(large.success.double().mean()))
    again = _found(list(drift(flow, images, labels, radii, attack=attack, indices=range(100, 120))))
    assert torch.equal(again.steps[2].images, large.images)


def test_destinations_and_sentence_by_hand(flow: ProtoFlow) -> None:
    def step(epsilon: float, predicted: list[int], component: list[int], value: float) -> DriftStep:
        labels = torch.tensor([0, 0, 0, 1])
        made = torch.tensor(predicted)
        likelihood = torch.full((4,), value)
        return DriftStep(
            epsilon, torch.zeros(4, 1, 8, 8), made, torch.tensor(component), likelihood, likelihood,
            made != labels,
        )  # fmt: skip

    found = Drift(
        torch.tensor([0, 0, 0, 1]),
        (step(0.0, [0, 0, 0, 2], [0, 0, 1, 1], -10.0), step(8 / 255, [1, 1, 2, 2], [2, 2, 0, 1], -14.5)),
    )
    assert found.destinations() == [((1, 2), 2), ((2, 0), 1)]  # the last image was wrong before
    assert found.sentence(flow) == (
        "At ε 8/255 = 0.03137, 3 of 3 images that were right are misclassified; log p(x) changes by −4.5 "
        "nats on average; most often (2) they drift to shoe 3."
    )


def test_stop_keeps_and_cancel_ends(trained: tuple[ProtoFlow, torch.Tensor, torch.Tensor]) -> None:
    flow, images, labels = trained
    token, events = CancelToken(), []
    for event in drift(flow, images, labels, (4 / 255, 8 / 255), attack=PGD(steps=1), token=token):
        events.append(event)
        if isinstance(event, Artefact) and event.kind == "drift-step" and event.data.epsilon:
            token.stop()
    assert _found(events).epsilons == (0.0, 4 / 255)
    assert events[-1].outcome == "stopped"
    token.cancel()
    with pytest.raises(Cancelled):
        list(drift(flow, images, labels, (4 / 255,), token=token))


def test_faults_are_one_sentence(trained: tuple[ProtoFlow, torch.Tensor, torch.Tensor]) -> None:
    flow, images, labels = trained
    with pytest.raises(SipError, match="choose latent or image"):
        FlowClassifier(flow, "pixels")  # type: ignore[arg-type]
    with pytest.raises(SipError, match="ask for at least 1"):
        FlowClassifier(flow, draws=0)
    with pytest.raises(SipError, match="no images to attack"):
        list(drift(flow, images[:0], labels[:0], (0.1,)))
    with pytest.raises(SipError, match="20 images and 3 labels"):
        list(drift(flow, images, labels[:3], (0.1,)))
    with pytest.raises(SipError, match="not among the flow's 2 classes"):
        list(drift(flow, images, labels + 1, (0.1,)))
    one = build_protoflow(FlowConfig(flow.input_shape, ("squeeze",), 2), ("only",), seed=0).eval()
    with pytest.raises(SipError, match="one class, so there is no decision to attack"):
        list(drift(one, images, 0 * labels, (0.1,)))
