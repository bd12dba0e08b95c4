"""Masks between a workspace and other programs."""

from sip_explorer.workspace.salience_export import (
    ExportPreview,
    empty_words,
    export_salience,
    preview_export,
    target_path,
)
from sip_explorer.workspace.salience_import import ImportedStroke, import_salience, import_words
from sip_explorer.workspace.salience_matching import counted
from sip_explorer.workspace.salience_preview import ImportPreview, preview_import

__all__ = [
    "ExportPreview",
    "ImportPreview",
    "ImportedStroke",
    "counted",
    "empty_words",
    "export_salience",
    "import_salience",
    "import_words",
    "preview_export",
    "preview_import",
    "target_path",
]
