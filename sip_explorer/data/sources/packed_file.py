"""This program's own packed images (``images.h5``)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.packed import PackedImages
from sip_explorer.data.sources.listing import Source, SourceArrays, SourceImage
from sip_explorer.data.sources.sentences import class_note, split_note
from sip_explorer.records import CancelToken, SipError


def read_packed(path: Path, token: CancelToken) -> Source:
    """List a packed file; its split is kept."""
    with PackedImages.open(path) as packed:
        token.check()
        count = len(packed)
        boxes = packed.boxes(np.arange(count)) or {}
        test = (packed.split == "test").tolist()
        images = [
            SourceImage(
                f"image {row}",
                None if label < 0 else label,
                test[row],
                row=row,
                boxes=tuple((int(x), int(y), int(w), int(h)) for x, y, w, h in boxes.get(row, ())),
            )
            for row, label in enumerate(packed.labels.tolist())
        ]
        notes = [*class_note(packed.classes, "the file"), *split_note(images)]
        if packed.has_segmentations:
            notes.append(f"Object masks of {count:,} images.")
        if boxes:
            notes.append(f"Boxes of {len(boxes):,} images.")
        if packed.licence:
            notes.append(f"Licence: {packed.licence}.")
        shape, classes = packed.shape, packed.classes
        name = packed.name or path.stem
        masked = packed.has_segmentations

    # Opened anew for each piece: a listing may lie about for long, and holds no file open.
    def read(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        with PackedImages.open(path) as packed:
            return packed.read(rows)

    def segmentations(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        with PackedImages.open(path) as packed:
            found = packed.segmentations(rows)
        if found is None:
            raise SipError(f"{path} has no object masks any more; open it again.")
        return found

    arrays = SourceArrays(shape, read, segmentations if masked else None)
    return Source("packed images", path, name, classes, images, tuple(notes), arrays=arrays)
