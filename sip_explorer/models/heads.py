"""Networks that end in more than one last layer: which they are, and using one; needs no torch."""

from collections.abc import Collection, Mapping

from sip_explorer.models import recognition
from sip_explorer.models.inspection import CheckpointInfo
from sip_explorer.records import SipError

Shapes = Mapping[str, tuple[int, ...]]


def other_heads(shapes: Shapes, extra: Collection[str], head: str) -> list[str]:
    """Return the weights of further last layers among ``extra``, [] where anything else is left over.

    A further head is a matrix that reads as many features as the matrix ``head`` does.
    """
    if len(shapes.get(head, ())) != 2:
        return []
    heads = [key for key in extra if len(shapes[key]) == 2 and shapes[key][1] == shapes[head][1]]
    biases = {key.removesuffix("weight") + "bias" for key in heads}
    return heads if all(key in heads or key in biases for key in extra) else []


def two_heads(info: CheckpointInfo) -> SipError | None:
    """Return the error for a file whose network is known but for a second head, None for any other."""
    keys = recognition.find_layout(info.shapes).keys
    shapes = {key: info.shapes[stored] for key, stored in keys.items()}
    matrices = [key for key, shape in shapes.items() if len(shape) == 2 and key.endswith(".weight")]
    for head in matrices:
        alike = [key for key in matrices if shapes[key][1] == shapes[head][1]]
        others = {part for key in alike if key != head for part in (key, key.removesuffix("weight") + "bias")}
        if not 2 <= len(alike) <= 4:
            continue
        rest = {key: shape for key, shape in shapes.items() if key not in others}
        if name := recognition.recognise(rest):
            listed = " and ".join(
                f"{key.removesuffix('.weight')} ({shapes[key][0]} classes)" for key in alike
            )
            return SipError(
                f"{info.path} is a {name} with {len(alike)} heads, {listed}; choose the architecture {name} "
                f"to use {head.removesuffix('.weight')} and leave the rest out."
            )
    return None
