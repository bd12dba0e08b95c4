"""The published DenseFlow backbone and ProtoFlow checkpoints in the published format."""

from sip_explorer.protoflow.published.backbone import DenseFlow
from sip_explorer.protoflow.published.loading import (
    WEIGHTS,
    is_published,
    load_published,
    published_weights,
)
from sip_explorer.protoflow.published.plan import DenseFlowPlan, DequantisationPlan

__all__ = [
    "WEIGHTS",
    "DenseFlow",
    "DenseFlowPlan",
    "DequantisationPlan",
    "is_published",
    "load_published",
    "published_weights",
]
