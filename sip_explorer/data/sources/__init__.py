"""Sets of images that came from elsewhere, one file per format."""

from sip_explorer.data.sources.listing import Box, Source, SourceArrays, SourceImage
from sip_explorer.data.sources.opening import open_source
from sip_explorer.data.sources.pictures import open_pictures
from sip_explorer.data.sources.segmentation import read_segmentation

__all__ = [
    "Box",
    "Source",
    "SourceArrays",
    "SourceImage",
    "open_pictures",
    "open_source",
    "read_segmentation",
]
