"""The reference checkpoint of a published ProtoFlow, and small flows with nothing at its starting value."""

import lzma
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sip_explorer.protoflow.published import DenseFlow, DenseFlowPlan, DequantisationPlan

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "protoflow_small"


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with checkpoint.pt and config.json; not to be changed."""
    folder = tmp_path_factory.mktemp("published")
    with lzma.open(REFERENCE / "checkpoint.pt.xz") as packed, open(folder / "checkpoint.pt", "wb") as file:
        shutil.copyfileobj(packed, file)
    shutil.copy(REFERENCE / "config.json", folder)
    return folder


@pytest.fixture(scope="session")
def expected() -> dict[str, Tensor]:
    """Return what the published implementation computes from the reference."""
    found: dict[str, Tensor] = torch.load(REFERENCE / "expected.pt", weights_only=True)
    return found


@pytest.fixture
def small() -> Callable[..., DenseFlow]:
    """Return a builder of small flows: images of ``size`` pixels, weights of a seed, float32, eval()."""

    def build(shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0, **plan: object) -> DenseFlow:
        torch.manual_seed(seed)
        given = {
            "block_conf": (2, 1),
            "layers_conf": (1, 2),
            "widths": (6, 6),
            "growth": 2,
            "depth": 2,
        } | plan
        sizes = DequantisationPlan(8, 1, 4, 6, 1, 4, 2)
        flow = DenseFlow(DenseFlowPlan(shape, dense_growth=4, dequantisation=sizes, **given)).eval()
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
            for module in flow.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean.normal_(std=0.2)
                    module.running_var.uniform_(0.5, 2)
        return flow

    return build
