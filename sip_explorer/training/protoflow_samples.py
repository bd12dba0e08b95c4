"""The draws of every class that show, epoch by epoch, what a ProtoFlow has learnt."""

from collections.abc import Generator

import numpy as np
import torch

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.records import CancelToken
from sip_explorer.training.samples_file import SampleGrid

MOST_CLASSES = 20


def draw_samples(
    flow: ProtoFlow, count: int, temperature: float, seed: int, epoch: int, token: CancelToken
) -> Generator[None, None, SampleGrid]:
    """Return ``count`` draws of each class, of its prototypes in turn; a breath a class.

    Draw i has the same noise at every epoch, in the latent and in the halves, both at ``temperature``.
    Of more than twenty classes the first twenty are drawn.
    """
    was_training = flow.training
    flow.eval()
    rows = []
    try:
        for of_class in flow.prototypes[:MOST_CLASSES]:
            token.check()
            active = [one for one in of_class if one.weight > 0] or of_class
            drawn = [active[i % len(active)].sample_latent(1, temperature, seed, [i]) for i in range(count)]
            images = flow.decode(torch.cat(drawn), temperature, seed, range(count))
            rows.append((images.nan_to_num(0.0) * 255).round().to("cpu", torch.uint8).numpy())
            yield None
    finally:
        flow.train(was_training)
    return SampleGrid(np.stack(rows), flow.classes[:MOST_CLASSES], epoch)
