"""Sets of images that came from elsewhere, one file per format."""

from sip_explorer.data.sources.listing import Box, Source, SourceArrays, SourceImage

__all__ = ["Box", "Source", "SourceArrays", "SourceImage"]
