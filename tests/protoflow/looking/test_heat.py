"""The gradient of a density against finite differences, and the exact sum over places."""

import pytest
import torch
from torch.distributions import Normal

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.protoflow.looking import density_gradient, evidence, log_density, over_image
from sip_explorer.records import SipError


def test_density_is_that_of_the_mixture_without_the_weight(flow: ProtoFlow, images: torch.Tensor) -> None:
    z = flow.encode(images).z
    joint = flow.component_log_likelihood(z).detach()
    weights = flow.mixture.weights().detach()
    for label, component in ((0, 1), (2, 2)):
        prototype = flow.prototypes[label][component]
        found = log_density(prototype, z)
        torch.testing.assert_close(found, joint[:, label, component] - weights[label, component].log())
        oracle = Normal(prototype.mean, prototype.deviation).log_prob(z).flatten(1).sum(1)
        torch.testing.assert_close(found, oracle)


@pytest.mark.parametrize("against", [False, True])
def test_the_gradient_equals_finite_differences(flow: ProtoFlow, images: torch.Tensor, against: bool) -> None:
    image = (images[5:6] * 253 + 1) / 255  # away from the ends, so that both neighbours are images
    prototype, other = flow.prototypes[0][0], flow.prototypes[1][1] if against else None
    u = torch.full((1, 1, 8, 8), 0.5).double()  # amid a level of the histogram, where it is smooth
    found = density_gradient(flow, image, prototype, u, against=other)
    assert found.shape == (1, 8, 8)

    def density(x: torch.Tensor) -> float:
        z = flow.encode(x, quantised=False, u=u).z
        value = log_density(prototype, z)
        return float((value if other is None else value - log_density(other, z)).detach())

    step = 1e-5
    for row, column in ((0, 0), (3, 4), (7, 2), (5, 5)):
        up, down = image.clone(), image.clone()
        up[0, 0, row, column] += step
        down[0, 0, row, column] -= step
        slope = (density(up) - density(down)) / (2 * step)
        assert float(found[0, row, column]) == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_it_needs_a_gradient_only_inside(flow: ProtoFlow, images: torch.Tensor) -> None:
    with torch.no_grad():
        found = density_gradient(flow, images[4:5], flow.prototypes[0][0])
    assert not found.requires_grad
    assert all(parameter.grad is None for parameter in flow.parameters())
    with pytest.raises(SipError, match="of one image, not 2"):
        density_gradient(flow, images[:2], flow.prototypes[0][0])


def test_the_places_of_a_latent_add_up_to_its_density(flow: ProtoFlow, images: torch.Tensor) -> None:
    z = flow.encode(images).z
    first, second = flow.prototypes[0][0], flow.prototypes[2][1]
    places = evidence(z, first, second)
    assert places.shape == (len(images), *flow.latent_shape[1:])
    torch.testing.assert_close(places.sum((1, 2)), log_density(first, z) - log_density(second, z))
    torch.testing.assert_close(evidence(z, first).sum((1, 2)), log_density(first, z))
    moved = z.clone()
    moved[:, :, 0, 1] = first.mean[:, 0, 1]  # one place comes to the mean: only there it changes, upward
    change = evidence(moved, first) - evidence(z, first)
    assert bool((change[:, 0, 1] > 0).all())
    change[:, 0, 1] = 0
    assert float(change.abs().max()) == 0


def test_a_place_covers_its_block_of_the_image() -> None:
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert over_image(values, 4, 6).tolist() == [
        [1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4], [3, 3, 3, 4, 4, 4],
    ]  # fmt: skip
