"""The network of prototype patches: distances by hand, and losses that move what they should."""

import torch
from torch import nn

from sip_explorer.protoflow.prototype_network import PrototypeNetwork


def small() -> PrototypeNetwork:
    torch.manual_seed(0)
    return PrototypeNetwork(nn.Conv2d(1, 6, 3, padding=1), 6, classes=3, components=2, depth=4)


def test_distances_are_those_of_the_nearest_patch() -> None:
    network, images = small(), torch.rand(2, 1, 5, 5)
    patches = network.patches(network.features(images))
    gaps = patches[:, None, None] - network.prototypes[None, :, :, :, None, None]
    expected = gaps.square().sum(3).flatten(3).amin(3)
    torch.testing.assert_close(network.distances(images), expected, atol=1e-5, rtol=1e-4)


def test_a_prototype_met_exactly_speaks_for_its_class() -> None:
    network = small()
    distances = torch.full((3, 3, 2), 0.9)
    for c in range(3):
        distances[c, c, 1] = 0.0
    assert network.scores(distances).argmax(1).tolist() == [0, 1, 2]


def test_training_separates_three_kinds_of_pictures() -> None:
    network = small()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    labels = torch.arange(3).repeat(16)
    images = 0.1 * torch.rand(48, 1, 5, 5)
    for i, label in enumerate(labels.tolist()):
        images[i, 0, label + 1] += 0.4 * (label + 1)
    before = float(network.loss(images, labels).detach())
    for _ in range(60):
        optimiser.zero_grad()
        network.loss(images, labels).backward()
        optimiser.step()
    assert float(network.loss(images, labels).detach()) < before
    assert float((network(images).argmax(1) == labels).float().mean()) > 0.9


def test_one_class_is_separated_from_none() -> None:
    network = PrototypeNetwork(nn.Conv2d(1, 6, 3, padding=1), 6, classes=1, components=2, depth=4)
    loss = network.loss(torch.rand(3, 1, 5, 5), torch.zeros(3, dtype=torch.int64))
    loss.backward()
    gradient = network.prototypes.grad
    assert gradient is not None
    assert bool(torch.isfinite(torch.stack((loss.detach(), gradient.abs().max()))).all())
