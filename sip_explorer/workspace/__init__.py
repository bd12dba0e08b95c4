"""The project on disk: catalogue, images, masks, models, folders of runs and sweeps; the lock."""

from sip_explorer.workspace.annotators import Annotator
from sip_explorer.workspace.demo import open_demo, user_data_folder
from sip_explorer.workspace.guideline_access import Example
from sip_explorer.workspace.importing import (
    ImportPreview,
    add_images,
    import_images,
    preview_images,
)
from sip_explorer.workspace.library_changes import LibraryChange
from sip_explorer.workspace.library_search import SORTS, LibrarySearch
from sip_explorer.workspace.masks import StrokeRecord
from sip_explorer.workspace.models import ModelEntry
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.proposals import NewProposal, ProposalEntry
from sip_explorer.workspace.relinking import Relinked
from sip_explorer.workspace.reviews import STATES
from sip_explorer.workspace.training_set import training_data
from sip_explorer.workspace.workspace import Workspace

__all__ = [
    "SORTS",
    "STATES",
    "Annotator",
    "Example",
    "ImportPreview",
    "LibraryChange",
    "LibrarySearch",
    "ModelEntry",
    "NewImage",
    "NewProposal",
    "ProposalEntry",
    "Relinked",
    "StrokeRecord",
    "Workspace",
    "add_images",
    "import_images",
    "open_demo",
    "preview_images",
    "training_data",
    "user_data_folder",
]
