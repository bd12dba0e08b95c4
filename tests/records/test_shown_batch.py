"""The images of the moment that cross from one process to another."""

import numpy as np

from sip_explorer.records import Artefact, Finished, Metric
from sip_explorer.records.shown_batch import ShownBatch, keep_shown


def test_the_images_come_back_as_eight_bits_with_their_epoch(tmp_path):
    generator = np.random.default_rng(0)
    images = generator.random((3, 1, 4, 5), np.float32)
    data = {
        "images": images,
        "adversarial": np.clip(images + 0.1, 0, 1),
        "salience": (images > 0.5).astype(np.float32),
        "labels": np.arange(3),
        "ids": np.arange(3) + 7,
    }
    events = [Metric("train/loss", 1.0, 4, 2.4), None, Artefact("batch", data=data), Finished()]
    path = tmp_path / "batch.npz"
    assert list(keep_shown(events, path)) == events
    batch = ShownBatch.read(path)
    np.testing.assert_array_equal(batch.images, np.round(images * 255).astype(np.uint8))
    np.testing.assert_array_equal(batch.salience, 255 * (images > 0.5))
    np.testing.assert_array_equal(batch.ids, [7, 8, 9])
    assert batch.epoch == 3


def test_a_file_that_is_none_is_no_batch(tmp_path):
    assert ShownBatch.read(tmp_path / "absent.npz") is None
    torn = tmp_path / "torn.npz"
    torn.write_bytes(b"PK\x03\x04 half")
    assert ShownBatch.read(torn) is None
