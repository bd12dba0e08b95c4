"""Masks in and out: one module a format, all with ``read`` and ``write``.

``read(path)`` yields `ForeignMask`, `ForeignBoxes` and `Skipped`, and goes on past what is bad;
``write(path, masks, force=False)`` is a generator that yields the name of each image it has taken,
and has written everything when it ends; `Format.loss` says what a format does not keep.
"""

from sip_explorer.salience.exchange.files import is_within
from sip_explorer.salience.exchange.foreign import (
    ForeignBoxes,
    ForeignMask,
    OutgoingMask,
    Reading,
    Skipped,
    boxes_mask,
    is_hard,
)
from sip_explorer.salience.exchange.formats import FORMATS, Format, format_named, recognised
from sip_explorer.salience.exchange.names import checked_name, part_text

__all__ = [
    "FORMATS",
    "ForeignBoxes",
    "ForeignMask",
    "Format",
    "OutgoingMask",
    "Reading",
    "Skipped",
    "boxes_mask",
    "checked_name",
    "format_named",
    "is_hard",
    "is_within",
    "part_text",
    "recognised",
]
