"""Where an attack may go: the ball, the budget, and [0, 1]."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sip_explorer.attacks import APGD, PGD


class _Curved(nn.Module):
    """Three classes from fixed random directions; no training, a gradient everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(48, 3, generator=torch.Generator().manual_seed(0)))

    def forward(self, images: Tensor) -> Tensor:
        return torch.sin(3 * images).flatten(1) @ self.directions


def _images(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    numbers = torch.Generator().manual_seed(seed)
    # A third of the pixels lie on the border of [0, 1], where clipping acts.
    images = (torch.rand(5, 3, 4, 4, generator=numbers) * 1.5 - 0.25).clamp(0, 1)
    budget = (torch.rand(5, 1, 4, 4, generator=numbers) * 2 - 0.5).clamp(0, 1)
    return images, torch.randint(3, (5,), generator=numbers), budget


attacks = st.builds(
    PGD,
    norm=st.sampled_from(["linf", "l2"]),
    epsilon=st.sampled_from([0.0, 1 / 255, 8 / 255, 0.3, 1.0]),
    step_size=st.sampled_from([None, 0.01, 0.7]),
    steps=st.integers(1, 4),
    loss=st.sampled_from(["ce", "log-odds", "margin", "dlr"]),
    step=st.sampled_from(["sign", "normalised", "raw"]),
    keep=st.sampled_from(["best", "last"]),
    random_start=st.booleans(),
    seed=st.integers(0, 3),
    micro_batch=st.sampled_from([4, 8]),
)


@settings(max_examples=60, deadline=None)
@given(attack=attacks, seed=st.integers(0, 9), masked=st.sampled_from(["no", "hard", "soft", "nothing"]))
def test_never_outside_the_ball_the_budget_or_the_unit_interval(attack, seed, masked):
    images, labels, soft = _images(seed)
    budget = {"no": None, "hard": (soft >= 0.5).float(), "soft": soft, "nothing": 0 * soft}[masked]

    result = attack(_Curved(), images, labels, budget=budget)

    moved = result.images - images
    share = torch.ones_like(soft) if budget is None else budget
    assert result.images.min() >= 0
    assert result.images.max() <= 1
    assert torch.equal(moved * (share == 0), torch.zeros_like(moved))
    if attack.norm == "linf":
        assert (moved.abs() <= attack.epsilon * share + 1e-6).all()
    else:
        in_the_ball = moved / torch.where(share > 0, share, 1)
        rounding = 1e-6 + (6e-8 / torch.where(share > 0, share, 1)).expand_as(moved).flatten(1).norm(dim=1)
        assert (in_the_ball.flatten(1).norm(dim=1) <= attack.epsilon + rounding).all()
    if attack.epsilon == 0 or masked == "nothing":
        assert torch.equal(result.images, images)
        assert result.zero_gradient_fraction.count_nonzero() == 0


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_hard_budget_is_the_attack_on_the_unprotected_pixels_alone(norm):
    images, labels, soft = _images(1)
    mask = (soft >= 0.5).float()
    free = mask.bool().expand_as(images)
    step = "sign" if norm == "linf" else "normalised"

    class Rest(nn.Module):
        """The same model as a function of the unprotected pixels; the others are constants."""

        def forward(self, points: Tensor) -> Tensor:
            return model(torch.where(free, points, images))

    model = _Curved()
    attack = PGD(norm=norm, step=step, epsilon=0.3, steps=3, random_start=False, micro_batch=5)
    masked = attack(model, images, labels, budget=mask)
    alone = attack(Rest(), torch.where(free, images, 0), labels)

    assert torch.allclose(masked.images[free], alone.images[free], atol=1e-6)


def test_a_soft_budget_moves_a_pixel_by_its_share():
    images = torch.full((1, 3, 4, 4), 0.5)
    budget = torch.linspace(0, 1, 16).reshape(1, 1, 4, 4)
    attack = PGD(epsilon=0.1, steps=1, step_size=1.0, random_start=False, keep="last")

    moved = (attack(_Curved(), images, torch.tensor([0]), budget=budget).images - images).abs()

    assert torch.allclose(moved, (0.1 * budget).expand_as(moved), atol=1e-7)


def test_l2_starts_are_uniform_in_the_ball():
    images = torch.full((4000, 1, 2, 1), 0.5)

    class Flat(nn.Module):
        def forward(self, points: Tensor) -> Tensor:
            return points.flatten(1)

    attack = PGD(norm="l2", step="normalised", epsilon=0.4, steps=1, micro_batch=4000)
    labels = torch.zeros(4000, dtype=torch.int64)
    start = next(attack.iterate(Flat(), images, labels, indices=torch.arange(4000))).images - images

    radius = start.flatten(1).norm(dim=1) / 0.4
    assert (
        (radius**2).sort().values - torch.linspace(0, 1, 4000)
    ).abs().max() < 0.03  # Kolmogorov, p ~ 0.001
    angle = torch.atan2(start[:, 0, 0, 0], start[:, 0, 1, 0]) / (2 * torch.pi) + 0.5
    assert (angle.sort().values - torch.linspace(0, 1, 4000)).abs().max() < 0.03


@pytest.mark.parametrize("epsilon", [3.0, 20.0])
@pytest.mark.parametrize(
    "attack",
    [
        PGD(norm="l2", step="normalised", steps=2, micro_batch=4),
        APGD(norm="l2", loss="ce", steps=2, micro_batch=4),
    ],
)
def test_the_l2_ball_holds_to_a_millionth_for_large_images_too(attack, epsilon):
    numbers = torch.Generator().manual_seed(0)
    images = 0.4 + 0.2 * torch.rand(4, 3, 224, 224, generator=numbers)  # far from where clipping acts
    two = nn.Sequential(nn.Flatten(), nn.Linear(3 * 224 * 224, 2))
    with torch.no_grad():
        two[1].weight.copy_(torch.randn(two[1].weight.shape, generator=numbers))
        labels = two(images).argmax(1)

    made = attack(two, images, labels, epsilon=epsilon).images

    distance = (made.double() - images).flatten(1).norm(dim=1)
    assert (distance <= epsilon + 1e-6).all()
    assert (distance > 0.3 * epsilon).any()
