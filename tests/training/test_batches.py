"""Which images a batch holds, in which order, whose share they are, and where they lie meanwhile."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.batches import Batch, Batches, _Pixels

EVERYTHING = Augmentation(flip=True, crop_padding=2, rotation=20.0, zoom=0.2, jitter=0.3, seed=4)
COUNT, SIDE = 30, 8


def make(masked: bool = True, batch_size: int = 8, **changes: Any) -> Batches:
    generator = np.random.default_rng(0)
    rows = np.flatnonzero(np.arange(COUNT) % 10 != 3)  # 27 of 30
    options = {
        "rows": rows,
        "augmentation": EVERYTHING,
        "batch_size": batch_size,
        "seed": 4,
        "device": torch.device("cpu"),
        "channels_last": True,
    }
    return Batches(
        generator.integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8),
        np.arange(COUNT) % 4,
        np.arange(COUNT) * 13 + 2,
        generator.integers(0, 256, (len(rows), SIDE, SIDE), dtype=np.uint8) if masked else None,
        **{**options, **changes},
    )


def parts(batch: Batch) -> tuple[Tensor, ...]:
    assert batch.salience is not None
    return batch.images, batch.labels, batch.ids, batch.salience


def test_a_batch_holds_its_images_labels_and_masks_in_the_order_of_seed_and_epoch() -> None:
    batches = make(augmentation=Augmentation())
    rows = np.flatnonzero(np.arange(COUNT) % 10 != 3)
    # The order that runs on disk were made in: a resumed run must find it again.
    order = torch.randperm(27, generator=torch.Generator().manual_seed(4 * 1_000_003 + 5)).numpy()
    found = list(batches.epoch(5))
    assert batches.per_epoch == len(found) == 4
    assert [len(batch.images) for batch in found] == [batch.total for batch in found] == [8, 8, 8, 3]
    images, labels, ids, salience = (torch.cat(one) for one in zip(*map(parts, found), strict=True))
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
    masks = generator.integers(0, 256, (27, SIDE, SIDE), dtype=np.uint8)
    assert torch.equal((images * 255).round().byte().permute(0, 2, 3, 1), torch.tensor(pixels[rows[order]]))
    assert torch.equal((salience[:, 0] * 255).round().byte(), torch.tensor(masks[order]))
    assert ids.tolist() == (rows[order] * 13 + 2).tolist()
    assert labels.tolist() == (rows[order] % 4).tolist()
    assert all(batch.images.is_contiguous(memory_format=torch.channels_last) for batch in found)
    assert all(torch.equal(batch.weights, torch.ones(batch.total)) for batch in found)
    assert next(make(masked=False).epoch(0)).salience is None


def test_an_epoch_can_be_entered_anywhere_and_every_epoch_differs() -> None:
    whole, rest = list(make().epoch(2)), list(make().epoch(2, 2))
    assert len(rest) == len(whole) - 2
    for one, other in zip(whole[2:], rest, strict=True):
        assert all(torch.equal(*pair) for pair in zip(parts(one), parts(other), strict=True))
    assert not torch.equal(next(make().epoch(3)).ids, whole[0].ids)


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(13, [13, 13]), (9, [9, 9, 9]), (100, [27]), (25, [25, 2])]
)
def test_a_last_batch_of_one_image_sits_the_epoch_out(batch_size: int, sizes: list[int]) -> None:
    assert [batch.total for batch in make(batch_size=batch_size).epoch(0)] == sizes
    assert make(batch_size=batch_size).per_epoch == len(sizes)


@pytest.mark.parametrize("world", [1, 2, 3, 5])
@pytest.mark.parametrize("batch_size", [8, 25])
def test_the_shares_of_all_processes_make_up_the_batch_of_one(world: int, batch_size: int) -> None:
    alone = list(make(batch_size=batch_size).epoch(1))  # the last of 3 or 2 images: less than 5 processes
    shares = [list(make(batch_size=batch_size).epoch(1, rank=rank, world=world)) for rank in range(world)]
    for number, whole in enumerate(alone):
        mine = [share[number] for share in shares]
        assert len({len(share.images) for share in mine}) == 1
        assert {share.total for share in mine} == {whole.total}
        real = torch.cat([share.weights for share in mine]).bool()
        assert int(real.sum()) == whole.total
        for together, one in zip(zip(*map(parts, mine), strict=True), parts(whole), strict=True):
            assert torch.equal(torch.cat(together)[real], one)
        padding = torch.cat([share.ids for share in mine])[~real]
        assert set(padding.tolist()) <= set(whole.ids.tolist())


def test_the_images_are_read_where_they_lie() -> None:
    images = np.random.default_rng(1).integers(0, 256, (4000, 16, 16, 3), dtype=np.uint8)
    masks = np.ascontiguousarray(images[..., 0])
    images.flags.writeable = masks.flags.writeable = False
    labels = ids = np.arange(4000)
    options = dict(batch_size=16, seed=0, device=torch.device("cpu"), channels_last=False)
    tracemalloc.start()
    try:
        batches = Batches(
            images, labels, ids, masks, rows=np.arange(4000), augmentation=Augmentation(), **options
        )
        next(batches.epoch(0))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < images.nbytes / 8


def test_pixels_held_on_the_device_are_those_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sip_explorer.training.batches._CHUNK", 4)  # the last chunk is short
    array = np.random.default_rng(2).integers(0, 256, (20, 3, 3, 1), dtype=np.uint8)
    rows = np.arange(1, 20, 2)
    held, read = (_Pixels(array, rows, torch.device("cpu"), resident) for resident in (True, False))
    places = torch.tensor([9, 0, 0, 4])
    assert torch.equal(held.read(places), read.read(places))
    assert np.array_equal(read.read(places).numpy(), array[rows[places.numpy()]])
