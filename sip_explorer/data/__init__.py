"""Images, labels and splits: reading, packing, listing."""

from sip_explorer.data.folders import FolderListing, scan_class_folders
from sip_explorer.data.idx import read_idx
from sip_explorer.data.images import IMAGE_SUFFIXES, image_size, read_image, to_float
from sip_explorer.data.packed import PackedImages
from sip_explorer.data.reduced import read_reduced
from sip_explorer.data.splits import stratified_split

__all__ = [
    "IMAGE_SUFFIXES",
    "FolderListing",
    "PackedImages",
    "image_size",
    "read_idx",
    "read_image",
    "read_reduced",
    "scan_class_folders",
    "stratified_split",
    "to_float",
]
