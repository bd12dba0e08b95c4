"""8-bit images come back bit for bit; draws are functions of the seed, not of the batch."""

import pytest
import torch

from sip_explorer.protoflow import Code, FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.records import SipError

LAYOUT = ("squeeze", "steps 2x16", "squeeze", "steps 2x16", "factor 16", "steps 2x16")


@pytest.fixture(scope="module")
def flow() -> ProtoFlow:
    """A flow with weights that are neither at their start nor trained: every layer does something."""
    built = build_protoflow(FlowConfig((1, 12, 12), LAYOUT, 3), ("shirt", "shoe"), seed=1)
    generator = torch.Generator().manual_seed(0)
    built.backbone.initialise(torch.rand(64, 1, 12, 12, generator=generator))
    with torch.no_grad():
        for name, parameter in built.backbone.named_parameters():
            if "net." in name:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return built.eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Random levels, and black and white pictures: both ends of the range."""
    levels = torch.randint(0, 256, (6, 1, 12, 12), generator=torch.Generator().manual_seed(3)).float()
    levels[4], levels[5] = 0, 255
    return levels / 255


@pytest.mark.parametrize("edge", [None, 1e-6, 0.5, 1 - 1e-6])
def test_images_come_back_bit_for_bit(flow: ProtoFlow, images: torch.Tensor, edge: float | None) -> None:
    u = None if edge is None else torch.full((1, 1, 1, 1), edge)
    code = flow.encode(images, seed=5, u=u)
    assert torch.equal(flow.decode(code), images)
    raw = flow.decode_raw(code)
    assert not torch.equal(raw, images)  # the rounding does the last step, and little of it
    assert float((raw.detach() - images).abs().max()) < 0.05 / 255


def test_without_u_the_level_is_floored(flow: ProtoFlow, images: torch.Tensor) -> None:
    code = flow.encode(images, u=torch.full((1, 1, 1, 1), 0.9))
    assert torch.equal(flow.decode(Code(code.z, code.halves)), images)


def test_from_the_latent_alone_the_image_is_a_sample(flow: ProtoFlow, images: torch.Tensor) -> None:
    z = flow.encode(images).z
    one, other = flow.decode(z, temperature=1.0, seed=0), flow.decode(z, temperature=1.0, seed=1)
    assert torch.equal(one, flow.decode(z, temperature=1.0, seed=0))
    assert not torch.equal(one, other)
    assert not torch.equal(one, images)
    assert torch.equal(flow.decode(z), flow.decode(z, temperature=0.0, seed=9))


def test_draws_do_not_depend_on_the_batch(flow: ProtoFlow, images: torch.Tensor) -> None:
    code = flow.encode(images, seed=2)
    torch.testing.assert_close(flow.encode(images[3:5], seed=2).z, code.z[3:5], atol=1e-5, rtol=1e-5)
    whole = flow.decode_raw(code.z, temperature=0.8, seed=4)
    torch.testing.assert_close(
        flow.decode_raw(code.z[:2], temperature=0.8, seed=4), whole[:2], atol=1e-5, rtol=0
    )
    part = flow.decode_raw(code.z[4:], temperature=0.8, seed=4, indices=[4, 5])
    torch.testing.assert_close(part, whole[4:], atol=1e-5, rtol=0)
    sliced = flow.decode_raw(code[2:4])
    torch.testing.assert_close(sliced, flow.decode_raw(code)[2:4], atol=1e-5, rtol=0)


def test_codes_keep_their_halves_unless_a_temperature_is_given(flow: ProtoFlow, images: torch.Tensor) -> None:
    code = flow.encode(images)
    assert torch.equal(flow.decode(code, seed=7), images)
    assert not torch.equal(flow.decode(code, temperature=1.0, seed=7), images)


def test_round_trip_is_measured_and_float64_steps_in(images: torch.Tensor) -> None:
    flow = build_protoflow(FlowConfig((1, 12, 12), LAYOUT, 1), ("a",), seed=0).eval()
    well = flow.measure_round_trip(images)
    assert well.precision == "float32"
    assert well.exact
    assert well.error < 1e-3
    with torch.no_grad():
        flow.backbone.layers[2].shift.add_(1e4)  # throws away float32's digits, not float64's
    ill = flow.measure_round_trip(images)
    assert ill.precision == "float64"
    assert ill.float32_error > 0.05 > ill.error
    code = flow.encode(images)
    assert code.z.dtype == torch.float64
    assert torch.equal(flow.decode(code), images)
    assert flow.decode(code).dtype == torch.float32
    assert "float64" in str(ill)


def test_the_differentiable_path_agrees_and_has_gradients(flow: ProtoFlow, images: torch.Tensor) -> None:
    exact, smooth = flow.encode(images, seed=1), flow.encode(images, seed=1, quantised=False)
    torch.testing.assert_close(smooth.z, exact.z, atol=1e-4, rtol=1e-4)
    moving = images.clone().requires_grad_(True)
    scores = flow(moving)
    assert scores.shape == (6, 2)
    torch.testing.assert_close(scores, flow.class_log_likelihood(flow.encode(images).z), atol=1e-2, rtol=1e-4)
    (gradient,) = torch.autograd.grad(scores[:, 0].sum(), moving)
    assert bool((gradient != 0).any(dim=(1, 2, 3)).all())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda flow: flow.encode(torch.zeros(1, 3, 12, 12)), "1×12×12"),
        (lambda flow: flow(torch.zeros(1, 1, 10, 12)), "1×10×12"),
        (lambda flow: flow.encode(torch.full((1, 1, 12, 12), 255.0)), "scale them"),
        (lambda flow: flow.encode(torch.full((1, 1, 12, 12), float("nan"))), "not numbers"),
        (lambda flow: flow.decode(torch.zeros(1, 8, 3, 3), temperature=-0.1), "temperature is -0.1"),
        (lambda flow: flow.prototypes[0][0].sample(1, float("nan")), "temperature is nan"),
        (lambda flow: flow.log_likelihood_of(Code(torch.zeros(1, 8, 3, 3))), "encode the image again"),
    ],
)
def test_faults_are_one_sentence(flow: ProtoFlow, call: object, words: str) -> None:
    with pytest.raises(SipError) as caught:
        call(flow)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
