"""The health report finds each fault in a model that has it, and none in a model that has none."""

import pytest
import torch
from torch import nn

from sip_explorer.attacks.health import HealthReport, health_report
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

ALL = [
    "finite outputs",
    "scores, not probabilities",
    "same answer twice",
    "each image by itself",
    "gradients under log-odds",
    "gradients under cross-entropy",
    "more steps are stronger",
    "breaks at ε = 1",
    "gradients beat no gradients",
]


class _Changed(nn.Module):
    """The model with something done to its images and its outputs."""

    def __init__(self, model, before=None, after=None):
        super().__init__()
        self.model, self.before, self.after = model, before or nn.Identity(), after or nn.Identity()

    def forward(self, images):
        return self.after(self.model(self.before(images)))


class _Turned(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images):
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


@pytest.fixture
def sixteen(pictures):
    return pictures[0][:16], pictures[1][:16]


def _events(model, images, labels, **settings):
    return list(health_report(model, images, labels, micro_batch=8, **({"epsilon": 0.03} | settings)))


def _report(*arguments, **settings) -> HealthReport:
    events = _events(*arguments, **settings)
    return next(event.data for event in events if isinstance(event, Artefact))


def _failed(report):
    return [finding.name for finding in report.findings if not finding.passed]


def _finding(report, name):
    return next(finding for finding in report.findings if finding.name == name)


def test_a_healthy_model_passes_everything(model, sixteen):
    events = _events(model, *sixteen)

    report = next(event.data for event in events if isinstance(event, Artefact))
    assert [finding.name for finding in report.findings] == ALL
    assert _failed(report) == []
    assert report.passed
    assert report.images == 16
    assert all(finding.figure and finding.sentence.endswith(".") for finding in report.findings)
    assert isinstance(events[0], Started)
    assert [event.kind for event in events if isinstance(event, Artefact)] == ["health"]
    assert events[-1] == Finished("completed", {"passed": True})
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(set(done))
    assert done[-1] == events[0].total
    assert events.count(None) > 2 * (10 + 50 + 50)
    assert all(module.training for module in model.modules())  # as it was


def test_the_same_in_l2_except_for_a_size_that_square_cannot_do(model, sixteen):
    events = _events(model, *sixteen, norm="l2", epsilon=0.3)

    report = next(event.data for event in events if isinstance(event, Artefact))
    assert [finding.name for finding in report.findings] == [*ALL[:7], "breaks at ε = 6"]
    assert report.passed
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "12 × 12 pixels" in notices[0]


def test_outputs_that_are_not_numbers(model, sixteen):
    report = _report(_Changed(model, after=torch.log), *sixteen)

    assert [finding.name for finding in report.findings] == ["finite outputs"]
    assert _failed(report) == ["finite outputs"]
    assert "16 of 16 images" in report.findings[0].sentence


def test_outputs_that_are_probabilities(model, sixteen):
    report = _report(_Changed(model, after=nn.Softmax(1)), *sixteen)

    assert _failed(report) == ["scores, not probabilities"]
    assert "without its last softmax" in _finding(report, "scores, not probabilities").sentence


def test_a_randomised_model(model, sixteen):
    noisy = _Changed(model, before=lambda images: images + 0.05 * torch.randn_like(images))

    report = _report(noisy, *sixteen)

    assert _failed(report) == ["same answer twice"]
    assert "EOT" in _finding(report, "same answer twice").sentence
    assert "each image by itself" not in [finding.name for finding in report.findings]  # cannot be told


def test_a_model_that_depends_on_the_batch(model, sixteen):
    mixing = _Changed(model, before=lambda images: images - images.mean(0, keepdim=True))

    report = _report(mixing, *sixteen)

    assert "each image by itself" in _failed(report)
    assert "depends on the batch" in _finding(report, "each image by itself").sentence


def test_a_rounded_model_has_no_gradients(model, sixteen):
    report = _report(_Changed(model, before=lambda images: (images * 6).round() / 6), *sixteen)

    assert {"gradients under log-odds", "gradients under cross-entropy"} <= set(_failed(report))
    assert _finding(report, "gradients under log-odds").figure == "16 of 16 images without"


def test_a_model_that_cuts_its_gradient_off_is_examined_without_it(model, sixteen):
    events = _events(_Changed(model, before=lambda images: (images > 0.5).float()), *sixteen)

    report = next(event.data for event in events if isinstance(event, Artefact))
    assert [finding.name for finding in report.findings] == [*ALL[:6], ALL[8]]
    assert _failed(report) == ALL[4:6] + ALL[8:]
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "PGD was not tried, because no gradient that it could climb reaches the images."
    ]


def test_in_inference_mode_it_says_the_same(model, sixteen):
    expected = _report(model, *sixteen)

    with torch.inference_mode():
        found = _report(model, *(values.clone() for values in sixteen))

    assert found == expected


def test_a_model_whose_gradient_is_no_number_is_examined_without_it(model, sixteen):
    images, labels = sixteen
    images = images.clone()
    images[5, 0, 2, 3] = 0.0  # where the slope of a root has no bound

    events = _events(_Changed(model, before=torch.sqrt), images, labels)

    report = next(event.data for event in events if isinstance(event, Artefact))
    for loss in ("log-odds", "cross-entropy"):
        finding = _finding(report, f"gradients under {loss}")
        assert not finding.passed
        assert finding.figure == "1 of 16 images without"
        assert "holds NaN or infinity: look for a root" in finding.sentence
    assert "PGD was not tried" in next(event.message for event in events if isinstance(event, Notice))


def test_a_model_too_sure_of_itself_has_none_under_cross_entropy(model, sixteen):
    report = _report(_Changed(model, after=lambda logits: 300 * logits), *sixteen)

    assert _failed(report) == ["gradients under cross-entropy"]
    assert "saturates" in _finding(report, "gradients under cross-entropy").sentence


def test_a_model_whose_gradient_leads_astray(model, sixteen):
    report = _report(_Changed(model, before=_Turned.apply), *sixteen)

    assert _failed(report) == ["breaks at ε = 1", "gradients beat no gradients"]
    assert "believe Square" in _finding(report, "gradients beat no gradients").sentence


def test_a_model_with_ripples_that_catch_small_steps(model, sixteen):
    rippled = _Changed(model, before=lambda images: images + 5e-4 * torch.sin(3000 * images))

    report = _report(rippled, *sixteen, epsilon=0.05)

    assert "more steps are stronger" in _failed(report)
    assert "fewer images with 50 steps than with 10" in _finding(report, "more steps are stronger").sentence


def test_a_model_that_hardly_looks_at_its_images(model, sixteen):
    deaf = _Changed(model, before=lambda images: 0.001 * images)

    report = _report(deaf, sixteen[0], deaf.eval()(sixteen[0]).argmax(1))

    assert _failed(report) == ["breaks at ε = 1"]
    assert "16 of them standing" in _finding(report, "breaks at ε = 1").sentence


def test_a_cancel_ends_it_and_bad_input_is_refused(model, sixteen):
    token = CancelToken()
    job = health_report(model, *sixteen, epsilon=0.03, token=token)
    while next(job) is not None:
        pass
    token.cancel()
    with pytest.raises(Cancelled):
        next(job)

    with pytest.raises(SipError, match="Epsilon 2 is not possible"):
        _report(model, *sixteen, epsilon=2)
    with pytest.raises(SipError, match="micro_batch is 0"):
        next(health_report(model, *sixteen, epsilon=0.03, micro_batch=0))
