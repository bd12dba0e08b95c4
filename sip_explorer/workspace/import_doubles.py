"""Images of the same pixels: one of them comes in, and what the others were called is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sip_explorer.workspace.import_reading import Found
from sip_explorer.workspace.reviews import storable

Known = Mapping[bytes, tuple[str, str | None]]
"""Digest -> name and class of an image that is there already."""


@dataclass
class Settled:
    """The images that come in, and what became of the others.

    Attributes
    ----------
    images : list of Found
    duplicates : int
        So many had the pixels of an earlier one.
    contradictions : list of str
        One sentence for each of those that lies in another class than the earlier one.
    """

    images: list[Found] = field(default_factory=list)
    duplicates: int = 0
    contradictions: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """Return the counts in words."""
        if not self.duplicates:
            return []
        count = self.duplicates
        lines = ["1 image was" if count == 1 else f"{count:,} images were"]
        lines[0] += " there before with the same pixels: left out."
        if self.contradictions:
            count = len(self.contradictions)
            them = "1 of them lies" if count == 1 else f"{count:,} of them lie"
            lines.append(f"{them} in two classes: the first class was kept; check these labels.")
        return lines


def settle(found: Sequence[Found], classes: Sequence[str], known: Known | None = None) -> Settled:
    """Return ``found`` without those whose pixels are ``known`` or occurred before among them."""
    seen = dict(known or {})
    settled = Settled()
    for one in found:
        name = storable(one.image.name)
        label = None if one.image.label is None else classes[one.image.label]
        earlier = seen.get(one.digest)
        if earlier is None:
            seen[one.digest] = (name, label)
            settled.images.append(one)
            continue
        settled.duplicates += 1
        other, other_label = earlier
        if label is not None and other_label is not None and label.casefold() != other_label.casefold():
            settled.contradictions.append(
                f"{name} ({label}) has the pixels of {other} ({other_label}): the latter was kept; check "
                "which class is right."
            )
    return settled
