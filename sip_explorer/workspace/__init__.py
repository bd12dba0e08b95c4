"""The project on disk: catalogue, images, masks, models, folders of runs and sweeps; the lock."""

from sip_explorer.workspace.annotators import STATES, Annotator
from sip_explorer.workspace.creation import NewImage
from sip_explorer.workspace.masks import StrokeRecord
from sip_explorer.workspace.models import ModelEntry
from sip_explorer.workspace.workspace import Workspace

__all__ = ["STATES", "Annotator", "ModelEntry", "NewImage", "StrokeRecord", "Workspace"]
