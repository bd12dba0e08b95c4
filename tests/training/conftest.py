"""Small, learnable images for training tests: the class is where the bright square stands."""

from collections.abc import Callable

import numpy as np
import pytest

from sip_explorer.training import Recipe, TrainingData
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe

SIDE = 16
SQUARES = ((2, 2), (2, 9), (9, 2))


@pytest.fixture
def make_data() -> Callable[..., TrainingData]:
    """Makes ``count`` 16 px images of three classes; ``painted``: none, all (the square), empty (zeros)."""
    return squares


def squares(count: int = 60, painted: str = "none") -> TrainingData:
    generator = np.random.default_rng(5)
    labels = np.arange(count, dtype=np.int64) % 3
    images = generator.integers(0, 90, size=(count, SIDE, SIDE, 1), dtype=np.uint8)
    masks = np.zeros((count, SIDE, SIDE), dtype=np.uint8)
    for row, label in enumerate(labels):
        top, left = SQUARES[label]
        images[row, top : top + 5, left : left + 5] += 140
        masks[row, top : top + 5, left : left + 5] = 255
    ids = np.arange(count, dtype=np.int64) * 7 + 3
    if painted == "empty":
        masks[:] = 0
    chosen = {} if painted == "none" else {int(one): mask for one, mask in zip(ids, masks, strict=True)}
    return TrainingData(
        images,
        labels,
        ids,
        ("north-west", "north-east", "south-west"),
        painted=chosen,
        revisions=dict.fromkeys(chosen, 4),
        annotator="Ada" if chosen else "",
        name="squares",
    )


@pytest.fixture
def recipe() -> Recipe:
    """A recipe of two short epochs in float32."""
    return Recipe(
        method="sip-at",
        salience="painted",
        epsilon=0.1,
        steps=3,
        epochs=2,
        batch_size=16,
        learning_rate=0.05,
        validation_images=6,
        validation_steps=2,
        validation_fraction=0.2,
        precision="float32",
        device="cpu",
    )


@pytest.fixture
def flow_recipe() -> ProtoFlowRecipe:
    """A ProtoFlow's recipe of two short epochs in float32, with all five losses and all augmentations."""
    return ProtoFlowRecipe(
        layout="squeeze, steps 1x8, squeeze, factor 8, steps 1x12",
        components=2,
        consistency_weight=0.5,
        consistency_ramp=2.0,
        diversity_weight=0.1,
        cluster_weight=0.01,
        flip=True,
        shift=1,
        rotation=5.0,
        zoom=0.05,
        epochs=2,
        batch_size=16,
        micro_batch=8,
        learning_rate=3e-3,
        warmup=0.5,
        average=0.9,
        validation_fraction=0.2,
        samples=2,
        device="cpu",
        precision="float32",
    )
