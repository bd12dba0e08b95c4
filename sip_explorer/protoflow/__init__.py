"""ProtoFlow: an invertible, prototypical classifier. The layers, its prototypes, losses and files."""

from sip_explorer.protoflow.backbone import Backbone, LayerError, Transformed
from sip_explorer.protoflow.checkpoint import load_protoflow, save_protoflow
from sip_explorer.protoflow.code import Code, LogLikelihood, RoundTrip
from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.protoflow.flow import ProtoFlow, build_protoflow
from sip_explorer.protoflow.kmeans import initialise_class, kmeans
from sip_explorer.protoflow.losses import (
    class_bits_per_dimension,
    classification_loss,
    cluster_loss,
    diversity_loss,
)
from sip_explorer.protoflow.mixture import MixtureHead
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.protoflow.published.loading import is_published, load_published, published_weights

__all__ = [
    "Backbone",
    "Code",
    "FlowConfig",
    "LayerError",
    "LogLikelihood",
    "MixtureHead",
    "ProtoFlow",
    "Prototype",
    "RoundTrip",
    "Transformed",
    "build_protoflow",
    "class_bits_per_dimension",
    "classification_loss",
    "cluster_loss",
    "diversity_loss",
    "initialise_class",
    "is_published",
    "kmeans",
    "load_protoflow",
    "load_published",
    "published_weights",
    "save_protoflow",
]
