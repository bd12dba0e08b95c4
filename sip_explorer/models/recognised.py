"""Why a checkpoint's architecture is believed, in words for people; needs no torch."""

from collections.abc import Mapping

from sip_explorer.models import recognition
from sip_explorer.models.catalogue import head_key, is_architecture
from sip_explorer.models.fingerprints import TIMM_PREFIX, fingerprint_of
from sip_explorer.models.inspection import METADATA_KEY, CheckpointInfo


def why_recognised(info: CheckpointInfo) -> str:
    """Return why the architecture of a file is what `inspect_checkpoint` says, without a full stop."""
    ours = info.metadata.get(METADATA_KEY)
    if isinstance(ours, Mapping) and ours.get("architecture"):
        return "the file says so"
    if info.kind == "exported":
        return "the file holds the whole network as an exported program"
    keys = recognition.find_layout(info.shapes).keys
    if not is_architecture(info.architecture):
        first = ", ".join(list(keys)[:3])
        return (
            f"no network known here has its keys ({first} …): choose one, name a class of your own, or "
            "export the model with torch.export.save"
        )
    left = len(info.entries) - len(keys)
    beside = f"; {left} beside them are no part of the network" if left else ""
    shapes = {key: info.shapes[stored] for key, stored in keys.items()}
    head = shapes.get(head_key(info.architecture), (0,))
    return (
        f"every one of {len(keys)} keys and shapes is that of {_whose(info.architecture)} with "
        f"{head[0] if head else 0:,} classes{beside}"
    )


def _whose(architecture: str) -> str:
    if fingerprint_of(architecture) is None:
        return f"a {architecture}"
    if architecture.startswith(TIMM_PREFIX):
        return f"timm's {architecture.removeprefix(TIMM_PREFIX)}"
    return f"torchvision's {architecture}"
