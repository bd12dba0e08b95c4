"""COCO's JSON with polygons along pixel edges; reading is the same as for run lengths."""

from collections.abc import Generator, Iterable
from pathlib import Path

from sip_explorer.salience.exchange import coco
from sip_explorer.salience.exchange.foreign import OutgoingMask

read = coco.read


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write one file of polygons; yield each image's name."""
    return coco.write(path, masks, force=force, polygons=True)
