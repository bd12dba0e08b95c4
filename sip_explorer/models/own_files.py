"""What one of our own files says of its classifier."""

from typing import Any

from sip_explorer.models.inspection import METADATA_KEY, CheckpointInfo
from sip_explorer.records import SipError

FORMAT = 1
"""Of the description in the header."""


def our_metadata(info: CheckpointInfo, architecture: str | None) -> dict[str, Any]:
    """Return the description in one of our own files, {} for a foreign one."""
    ours: dict[str, Any] = info.metadata.get(METADATA_KEY, {}) if info.kind == "safetensors" else {}
    if not ours:
        return {}
    try:
        if int(ours["format"]) > FORMAT:
            raise SipError(f"{info.path} was written by a newer SIP Explorer; update this one to open it.")
        if ours["kind"] != "classifier":
            raise SipError(f"{info.path} holds a {ours['kind']}, not a classifier; choose another file.")
        well = (
            isinstance(ours["architecture"], str)
            and len(ours["input_shape"]) == 3
            and all(isinstance(side, int) and 0 < side < 65536 for side in ours["input_shape"])
            and all(isinstance(name, str) for name in ours["classes"])
            and all(isinstance(value, int | float) for value in [*ours["mean"], *ours["std"]])
            and isinstance(ours["origin"], dict)
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SipError(f"{info.path} has a damaged description ({error}); choose another file.") from error
    if not well:
        raise SipError(f"{info.path} has a damaged description; choose another file.")
    if architecture not in (None, ours["architecture"]):
        raise SipError(
            f"{info.path} is a {ours['architecture']}, not a {architecture}; leave the architecture open."
        )
    return ours
