"""Images in: looked at first, then a new workspace of them, or into the open one."""

from sip_explorer.workspace.import_adding import add_images
from sip_explorer.workspace.import_new import import_images
from sip_explorer.workspace.import_preview import ImportPreview, preview_images
from sip_explorer.workspace.import_splits import TEST_SHARE

__all__ = ["TEST_SHARE", "ImportPreview", "add_images", "import_images", "preview_images"]
