"""The strength of an attack is a property of each image."""

import pytest
import torch

from sip_explorer.attacks import APGD, PGD
from sip_explorer.records import SipError

ATTACKS = {
    "default": PGD(epsilon=0.1, steps=4, micro_batch=16),
    "odd micro-batch": PGD(epsilon=0.1, steps=4, micro_batch=13),
    "restarts": PGD(epsilon=0.1, steps=3, restarts=2, micro_batch=16),
    "l2": PGD(norm="l2", step="normalised", epsilon=1.0, steps=4, micro_batch=13),
    "bfloat16": PGD(epsilon=0.1, steps=4, precision="bfloat16", micro_batch=16),
    "mifpe": PGD(epsilon=0.1, steps=4, loss="mifpe", micro_batch=11),
}


def _same(found, expected):
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.loss, expected.loss)
    assert torch.equal(found.success, expected.success)
    assert torch.equal(found.zero_gradient_fraction, expected.zero_gradient_fraction)


def _part(result, rows):
    return type(result)(
        images=result.images[rows],
        zero_gradient_fraction=result.zero_gradient_fraction[rows],
        zero_gradient_per_step=result.zero_gradient_per_step,
        success=result.success[rows],
        clean_correct=result.clean_correct[rows],
        loss=result.loss[rows],
        logits=result.logits[rows],
        clean_logits=result.clean_logits[rows],
    )


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("ids_given", [True, False])
def test_bitwise_the_same_in_every_batch_order_and_neighbourhood(name, ids_given, model, pictures):
    attack, (images, labels) = ATTACKS[name], pictures
    ids = torch.arange(100, 160) if ids_given else None

    def attacked(rows):
        return attack(model, images[rows], labels[rows], indices=None if ids is None else ids[rows])

    together = attacked(torch.arange(60))
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    _same(attacked(shuffled), _part(together, shuffled))
    for rows in (torch.tensor([17]), torch.arange(55, 60), torch.arange(1, 60, 7)):
        _same(attacked(rows), _part(together, rows))


def test_epsilon_per_image_is_epsilon_one_by_one(model, pictures):
    images, labels = pictures[0][:6], pictures[1][:6]
    radii = torch.tensor([0.0, 0.02, 0.05, 0.1, 0.2, 0.3])
    attack = PGD(steps=4, micro_batch=8)

    together = attack(model, images, labels, epsilon=radii)

    for row, radius in enumerate(radii):
        alone = attack(model, images[row : row + 1], labels[row : row + 1], epsilon=radius[None])
        _same(alone, _part(together, slice(row, row + 1)))
    assert torch.equal(together.images[0], images[0])


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("size", [1, 7, 16])
def test_the_weight_one_over_n_is_bit_for_bit_the_real_mean(precision, size, model, pictures):
    images, labels = pictures[0][:16], pictures[1][:16]
    settings = dict(epsilon=0.1, steps=3, loss="ce", reduction="mean", precision=precision)

    for first in range(0, 16, size):
        rows = slice(first, first + size)
        part = images[rows], labels[rows]  # the last one is short: its n is its own length
        weighted = PGD(**settings, micro_batch=len(part[0]))(model, *part, batch_size=size)
        literal = PGD(**settings, execution="literal")(model, *part, batch_size=size)
        _same(weighted, literal)


def test_a_short_last_mini_batch_weighs_by_its_own_size(model, pictures):
    images, labels = pictures[0][:10], pictures[1][:10]
    attack = PGD(epsilon=0.5, steps=2, step="raw", step_size=1.0, loss="ce", reduction="mean", keep="last")

    by_number = attack(model, images, labels, batch_size=4)
    by_image = attack(model, images, labels, batch_size=torch.tensor([4] * 8 + [2] * 2))
    other = attack(model, images, labels, batch_size=torch.tensor([4] * 10))

    _same(by_number, by_image)
    assert not torch.equal(by_number.images[8:], other.images[8:])


def test_raw_steps_under_a_mean_shrink_with_the_mini_batch_and_under_a_sum_do_not(model, pictures):
    images, labels = pictures
    settings = dict(
        epsilon=0.5, steps=1, step="raw", step_size=0.01, loss="ce", keep="last", random_start=False
    )

    def reach(reduction, size):
        attack = PGD(**settings, reduction=reduction)
        return (attack(model, images, labels, batch_size=size).images - images).abs().amax().item()

    assert reach("mean", 1) / reach("mean", 30) == pytest.approx(30, rel=1e-3)
    assert reach("sum", 1) == reach("sum", 30) == reach("mean", 1)


def test_random_starts_change_with_seed_epoch_and_restart_only(model, pictures):
    images, labels = pictures[0][:3], pictures[1][:3]

    def start(epoch=0, **changes):
        return next(PGD(epsilon=0.1, **changes).iterate(model, images, labels, epoch=epoch)).images

    assert torch.equal(start(), start(steps=7))
    assert not torch.equal(start(), start(seed=1))
    assert not torch.equal(start(), start(epoch=1))
    states = list(PGD(epsilon=0.1, steps=1, restarts=2).iterate(model, images, labels))
    assert [(state.restart, state.step) for state in states] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert not torch.equal(states[0].images, states[2].images)


def test_memory_format_is_kept(model, pictures):
    images = pictures[0].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    grey = torch.nn.Sequential(_Grey(), model)

    for norm in ("linf", "l2"):
        made = PGD(norm=norm, steps=2, micro_batch=50)(
            grey, images, pictures[1], budget=torch.rand(60, 1, 12, 12)
        )
        assert made.images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("attack", [PGD(steps=2, micro_batch=7), APGD(steps=2, micro_batch=7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_no_format_of_the_images_makes_a_full_micro_batch_differ_from_a_padded_one(
    channels, attack, pictures
):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = torch.nn.Conv2d(channels, 8, 3, padding=1), torch.nn.GroupNorm(4, 8), torch.nn.SiLU()
        pooled = torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 5)
        network = torch.nn.Sequential(*layers, *pooled)
    images = pictures[0][:14].expand(-1, channels, -1, -1).clone()
    # One channel can be both contiguous and channels last; a crop is neither.
    images = images.to(memory_format=torch.channels_last)[:, :, : 12 if channels == 1 else 11]
    with torch.no_grad():
        labels = network(images.contiguous()).argmax(1)

    full = attack(network, images, labels, indices=range(14))
    for rows in (slice(0, 3), slice(7, 8), slice(3, 13)):
        part = attack(network, images[rows], labels[rows], indices=range(14)[rows])
        assert torch.equal(part.clean_logits, full.clean_logits[rows])
        assert torch.equal(part.images, full.images[rows])
        assert torch.equal(part.logits, full.logits[rows])


class _Grey(torch.nn.Module):
    def forward(self, images):
        return images.mean(1, keepdim=True)


SIZES = (1, 7, 16, 20)  # of 20 images: 7 and 16 leave a short last mini-batch


def _some(pictures):
    return pictures[0][:20], pictures[1][:20]


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("loss", ["ce", "log-odds"])
def test_literal_sums_padded_to_one_shape_are_bitwise_the_same_at_every_size(
    loss, precision, model, pictures
):
    attack = PGD(steps=4, epsilon=0.05, loss=loss, precision=precision, execution="literal", pad_to=20)
    first, *others = (attack(model, *_some(pictures), batch_size=size, indices=range(20)) for size in SIZES)

    assert 1 < int(first.success.sum()) < 19
    for other in others:
        _same(other, first)


@pytest.mark.parametrize("loss", ["ce", "log-odds"])
def test_literal_sums_as_they_are_differ_by_rounding_at_most(loss, model, pictures):
    attack = PGD(steps=4, epsilon=0.05, loss=loss, execution="literal")
    first, *others = (attack(model, *_some(pictures), batch_size=size, indices=range(20)) for size in SIZES)

    for other in others:
        # Kernels of other shapes round otherwise; a sign may flip where a gradient is next to zero.
        assert int((other.success != first.success).sum()) <= 1
        assert ((other.images - first.images).abs() > 1e-6).float().mean() < 0.01


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("size", SIZES)
def test_a_padded_literal_mean_is_bit_for_bit_the_weight(size, precision, model, pictures):
    settings = dict(steps=4, epsilon=0.05, loss="ce", reduction="mean", step="raw", step_size=2.0)
    settings |= dict(precision=precision, zero_gradient="stay")

    literal = PGD(execution="literal", pad_to=20, **settings)(model, *_some(pictures), batch_size=size)
    weighted = PGD(micro_batch=20, **settings)(model, *_some(pictures), batch_size=size)

    _same(literal, weighted)


def test_log_odds_under_a_mean_in_float16_do_not_fade_up_to_a_mini_batch_of_1024(model, pictures):
    attack = PGD(epsilon=0.05, loss="log-odds", reduction="mean", precision="float16", zero_gradient="stay")
    found = [
        attack(model, *pictures, batch_size=torch.full((60,), size), indices=range(60))
        for size in (1, 4, 16, 64, 256, 1024)
    ]

    assert all(result.zero_gradient_fraction.count_nonzero() == 0 for result in found)
    shares = [int(result.success.sum()) for result in found]
    assert max(shares) - min(shares) <= 1


def test_a_number_or_a_tensor_of_epsilons_makes_no_difference(model, pictures):
    for epsilon in (0.2, 1 / 3, 8 / 255):
        one = PGD(steps=3)(model, *pictures, epsilon=epsilon, indices=range(60))
        _same(PGD(steps=3)(model, *pictures, epsilon=torch.full((60,), epsilon), indices=range(60)), one)


def test_padding_that_is_too_small_is_refused(model, pictures):
    with pytest.raises(SipError, match="16 images do not fit into 8"):
        PGD(execution="literal", pad_to=8)(model, *pictures, batch_size=16)
    with pytest.raises(SipError, match="belongs to literal execution"):
        PGD(pad_to=8)
