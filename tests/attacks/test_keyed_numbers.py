import torch

from sip_explorer.attacks.keyed import (
    content_ids,
    image_keys,
    standard_normal,
    symmetric_uniform,
    unit_interval,
)

SHAPE = torch.Size((3, 7, 5))


def test_an_image_gets_the_same_numbers_in_any_company():
    together = standard_normal(image_keys(torch.arange(40), 0, 1), SHAPE)
    apart = standard_normal(image_keys(torch.tensor([31, 5]), 0, 1), SHAPE)

    assert torch.equal(apart[0], together[31])
    assert torch.equal(apart[1], together[5])


def test_every_part_of_a_key_changes_it():
    ids = torch.tensor([3])
    keys = [
        image_keys(ids, *parts).item() for parts in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0)]
    ]

    assert len({*keys, image_keys(torch.tensor([4]), 0, 0, 0).item()}) == 6


def test_uniform_numbers_are_uniform_and_uncorrelated():
    numbers = symmetric_uniform(image_keys(torch.arange(2000), 0), SHAPE).flatten(1).double()

    shares = torch.histc(numbers, bins=20, min=-1, max=1) / numbers.numel()
    assert (shares - 0.05).abs().max() < 0.002  # 4 standard deviations of 210,000 draws
    between_pixels = torch.corrcoef(numbers.T).fill_diagonal_(0)
    assert between_pixels.abs().max() < 0.12  # 5,460 pairs of 2,000 draws
    between_images = torch.corrcoef(numbers[:100]).fill_diagonal_(0)
    assert between_images.abs().max() < 0.45  # 4,950 pairs of 105 draws


def test_normal_numbers_are_normal():
    numbers = standard_normal(image_keys(torch.arange(2000), 0), SHAPE).double()

    assert abs(numbers.mean()) < 0.01
    assert abs(numbers.var() - 1) < 0.02
    assert abs((numbers.abs() < 1).double().mean() - 0.6827) < 0.005
    assert abs((numbers**4).mean() - 3) < 0.1


def test_single_numbers_fill_the_unit_interval():
    numbers = unit_interval(image_keys(torch.arange(5000), 0))

    assert 0 < numbers.min() < 0.01
    assert 0.99 < numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.02


def test_content_ids_follow_the_pixels_and_their_places():
    image = torch.rand(1, *SHAPE)
    changed = image.clone()
    changed[0, 0, 0, 0] += 1e-3
    moved = image.flip(3)

    ids = content_ids(torch.cat([image, changed, moved, image]))

    assert ids[0] == ids[3]
    assert len(set(ids.tolist())) == 3
    assert content_ids(image.contiguous(memory_format=torch.channels_last))[0] == ids[0]
