"""Float16 on a CPU is that of PyTorch's autocast, by other kernels."""

import torch

from sip_explorer.attacks import PGD
from sip_explorer.attacks.half import Float16ThroughFloat32


def _read(model, images):
    point = images.clone().requires_grad_()
    with torch.autocast("cpu", torch.float16):
        logits = model(point)
        assert logits.dtype == torch.float16
        gradient = torch.autograd.grad(logits.float().logsumexp(1).sum(), point)[0]
    return logits.detach().float(), gradient


def test_outputs_and_gradients_are_autocasts_up_to_the_last_bits_of_float16(model, pictures):
    model.eval()
    images = pictures[0][:8]
    native = _read(model, images)
    with Float16ThroughFloat32():
        ours = _read(model, images)

    for found, expected in zip(ours, native, strict=True):
        assert (found - expected).abs().max() <= 4 * 2.0**-11 * expected.abs().max()
    exact = model(images).detach()
    assert (ours[0] - exact).abs().max() > 1e-5  # it is float16, not float32 under its name


def test_small_gradients_underflow_as_float16_does():
    layer = torch.nn.Linear(4, 2)
    point = torch.ones(1, 4, requires_grad=True)
    with torch.autocast("cpu", torch.float16), Float16ThroughFloat32():
        small, large = (
            torch.autograd.grad(layer(point).float().sum(), point, torch.tensor(weight))[0]
            for weight in (1e-9, 1.0)
        )

    assert small.count_nonzero() == 0
    assert large.count_nonzero() == 4


def test_attacks_in_float16_are_as_strong_as_in_float32_under_log_odds(model, pictures):
    found = {
        precision: int(PGD(epsilon=0.05, precision=precision)(model, *pictures).success.sum())
        for precision in ("float32", "float16")
    }

    assert abs(found["float16"] - found["float32"]) <= 2
