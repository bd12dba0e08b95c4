"""What a checkpoint file holds, in words for people; needs no torch."""

from collections.abc import Mapping

from sip_explorer.models import recognition
from sip_explorer.models.catalogue import head_key, is_architecture
from sip_explorer.models.inspection import METADATA_KEY, CheckpointInfo
from sip_explorer.models.recognised import why_recognised

_NAMED = 12


def file_facts(info: CheckpointInfo) -> list[tuple[str, str]]:
    """Return what a file holds as pairs of a word and what stands beside it.

    The architecture comes with why it is believed, then the others that the keys fit, the weights to choose
    from, the number of logits, classes that the file names, and a normalisation inside.
    """
    kinds = {"safetensors": "safetensors", "torch": "PyTorch", "exported": "exported program (torch.export)"}
    facts = [
        ("file", str(info.path)),
        ("kind", kinds.get(info.kind, info.kind)),
        ("size", f"{info.size_bytes / 1e6:.2f} MB"),
        ("tensors", f"{len(info.entries)}, {_parameters(info):,} numbers"),
    ]
    if info.layout:
        facts.append(("state dict", f"under {info.layout}"))
    if beside := info.metadata.get("beside"):
        facts.append(("beside it", ", ".join(map(str, beside))))
    facts.append(("architecture", _architecture(info)))
    layout = recognition.find_layout(info.shapes)
    shapes = {key: info.shapes[stored] for key, stored in layout.keys.items()}
    ours = info.metadata.get(METADATA_KEY)
    if not isinstance(ours, Mapping) and info.kind != "exported":
        others = [name for name in recognition.candidates(shapes) if name != info.architecture]
        if others:
            facts.append(("its keys also fit", ", ".join(others)))
    if len(info.variants) > 1:
        facts.append(("weights", f"{', '.join(info.variants)} (read: {info.weights})"))
    facts += _classes(info, shapes)
    if layout.mean:
        facts.append(("normalisation", f"a layer in the file ({layout.mean}, {layout.std})"))
    return facts


def _parameters(info: CheckpointInfo) -> int:
    total = 0
    for entry in info.entries:
        count = 1
        for length in entry.shape:
            count *= length
        total += count
    return total


def _architecture(info: CheckpointInfo) -> str:
    ours = info.metadata.get(METADATA_KEY)
    if isinstance(ours, Mapping) and ours.get("architecture"):
        return f"{ours['architecture']}, as the file says"
    if info.kind == "exported":
        return "the program's own"
    if info.architecture:
        return f"{info.architecture}: {why_recognised(info)}"
    return why_recognised(info)


def _classes(info: CheckpointInfo, shapes: Mapping[str, tuple[int, ...]]) -> list[tuple[str, str]]:
    ours = info.metadata.get(METADATA_KEY)
    names = ours.get("classes") if isinstance(ours, Mapping) else None
    if isinstance(names, list | tuple) and names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return [("classes", f"{', '.join(map(str, names[:_NAMED]))}{more} ({len(names)})")]
    if info.kind == "exported":
        return [("classes", f"{info.metadata['program'].classes}, not named in the file")]
    if is_architecture(info.architecture):
        head = shapes.get(head_key(info.architecture), ())
        if head:
            return [("classes", f"{head[0]}, not named in the file")]
    return []
