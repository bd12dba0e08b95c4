"""Which checkpoint of a ProtoFlow's run is the best: figures that overflow never replace good ones."""

import math
from pathlib import Path

import numpy as np
import torch

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow, load_protoflow
from sip_explorer.records import CancelToken
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import TrainingData
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_referee import FlowReferee
from sip_explorer.training.ranks import ranks_of
from sip_explorer.training.referee import MetricAt
from sip_explorer.training.resuming import Position


def test_figures_that_overflow_never_replace_the_best(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
    data = TrainingData(images, np.arange(6) % 2, np.arange(6), ("a", "b"), name="made")
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    recipe = ProtoFlowRecipe(samples=0, average=0.0)
    referee = FlowReferee(recipe, run, data, np.arange(6), ranks_of("cpu"))
    flow = build_protoflow(FlowConfig((1, 8, 8), ("squeeze",), 1), ("a", "b"), seed=0)
    position = Position()

    def judged(judged_flow: ProtoFlow, epoch: float) -> None:
        list(referee.measure(judged_flow, None, position, MetricAt(1, epoch), CancelToken()))

    judged(flow, 1.0)
    good, best = position.best_value, dict(position.best)
    assert math.isfinite(good)
    with torch.no_grad():
        flow.mixture.mean.fill_(1e30)  # finite, but the distances are infinity times 0
        flow.mixture.log_variance.fill_(200.0)
    judged(flow, 2.0)
    assert (position.best_value, position.best) == (good, best)
    assert bool((load_protoflow(run.best_path).mixture.log_variance == 0).all())
