"""Files that are refused for what they hold, in one sentence each; needs no torch."""

from sip_explorer.models.inspection import CheckpointInfo
from sip_explorer.models.state_dicts import LAYOUTS
from sip_explorer.records import SipError


def whole_pickle(info: CheckpointInfo) -> SipError:
    """Return the error for a file that is a pickled module, with the three lines that save its weights."""
    whole = info.metadata.get("whole") or info.metadata["foreign"][0]
    name = info.path.name
    weights = f"{info.path.stem}-weights.pt"
    return SipError(
        f"{info.path} holds a whole pickled object ({whole}), which could run code; "
        "open it where it was made and save its state_dict() with torch.save.",
        detail="\n".join(
            (
                "import torch",
                f'model = torch.load("{name}", weights_only=False)',
                f'torch.save(model.state_dict(), "{weights}")',
            )
        ),
    )


def check_tensors(info: CheckpointInfo) -> None:
    """Raise `SipError` where the weights are quantised, sparse, hollow or not there."""
    if not info.entries:
        if info.metadata.get("foreign"):
            raise whole_pickle(info)
        raise SipError(
            f"{info.path} holds no tensors, neither bare nor under {', '.join(LAYOUTS)}; "
            "choose another checkpoint."
        )
    for entry in info.entries:
        if entry.dtype.startswith(("qint", "quint")):
            raise _quantised(info, f"{entry.key} as {entry.dtype}")
        if entry.dtype == "sparse":
            raise SipError(
                f"{info.path} has sparse weights ({entry.key}); save the state_dict with each made dense by "
                "to_dense()."
            )
    if packed := info.metadata.get("packed"):
        raise _quantised(info, packed)
    if hollow := info.metadata.get("hollow"):
        raise SipError(
            f"{info.path} holds the shape of {hollow} without its numbers (a tensor on the meta device); "
            "save the state_dict of the model that was trained."
        )


def _quantised(info: CheckpointInfo, what: str) -> SipError:
    return SipError(
        f"{info.path} has quantised weights ({what}), through which no gradient passes; save the state_dict "
        "of the model before it was quantised."
    )


def unknown_architecture(info: CheckpointInfo, name: str) -> SipError:
    """Return the error for an architecture that is not known, or not recognised ("")."""
    if name:
        return SipError(
            f"{info.path} asks for the architecture {name!r}, which is not known; choose another one."
        )
    first = ", ".join(entry.key for entry in info.entries[:3])
    return SipError(
        f"{info.path} is of an architecture that its keys do not tell ({first} …); choose the architecture, "
        "name a class of your own (package.module:Class) or export the model with torch.export.save.",
        detail="\n".join(f"{entry.key}  {entry.shape}  {entry.dtype}" for entry in info.entries[:40]),
    )
