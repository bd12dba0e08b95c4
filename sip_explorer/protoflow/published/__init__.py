"""The published DenseFlow backbone and ProtoFlow checkpoints in the published format."""

from sip_explorer.protoflow.published.backbone import DenseFlow
from sip_explorer.protoflow.published.plan import DenseFlowPlan, DequantisationPlan

__all__ = ["DenseFlow", "DenseFlowPlan", "DequantisationPlan"]
