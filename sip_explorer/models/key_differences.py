"""What a file's keys lack or have too many of, in a sentence and a list; needs no torch."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sip_explorer.records import SipError

Shape = tuple[int, ...]

_NAMED = 10
_ADVICE = "choose the architecture it was trained with"


def differing_keys(
    path: Path, name: str, given: Mapping[str, Shape], wanted: Mapping[str, Shape]
) -> SipError | None:
    """Return the error for a state dict that does not fit, None for one that does.

    Parameters
    ----------
    path, name
        The file and the architecture.
    given, wanted : dict of key -> shape
        Of the file, under the network's names, and of the network.
    """
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    extra = [key for key in given if key not in wanted]
    misshapen = [key for key in wanted if key in given and given[key] != wanted[key]]
    if not (missing or extra or misshapen):
        return None
    if missing:
        sentence = f"{path} lacks {_counted(missing)} of a {name}; {_ADVICE}, or a file that is whole."
    elif extra:
        sentence = f"{path} has {len(extra)} tensors that a {name} has not, such as {extra[0]}; {_ADVICE}."
    else:
        key = misshapen[0]
        more = f" and {len(misshapen) - 1} more that differ" if len(misshapen) > 1 else ""
        sentence = (
            f"{path} has {key} of shape {given[key]} where a {name} has {wanted[key]}{more}; {_ADVICE}."
        )
    return SipError(sentence, detail=_detail(name, missing, extra, misshapen, given, wanted))


def _counted(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} and {len(keys) - 1} more tensors"


def _detail(
    name: str,
    missing: list[str],
    extra: list[str],
    misshapen: list[str],
    given: Mapping[str, Shape],
    wanted: Mapping[str, Shape],
) -> str:
    lines = []
    for title, keys in (
        (f"A {name} has these, the file lacks them", missing),
        (f"The file has these, a {name} does not", extra),
        ("These have another shape", misshapen),
    ):
        if not keys:
            continue
        groups = Counter(_group(key) for key in keys)
        lines.append(
            f"{title} ({len(keys)}: {', '.join(f'{group} {n}' for group, n in groups.most_common(8))})"
        )
        for key in keys[:_NAMED]:
            there, here = given.get(key), wanted.get(key)
            shapes = (
                f"{there} in the file, {here} in the network" if there and here else there or here or "()"
            )
            lines.append(f"    {key}  {shapes}")
        if len(keys) > _NAMED:
            lines.append(f"    and {len(keys) - _NAMED} more")
    return "\n".join(lines)


def _group(key: str) -> str:
    """The part of the network that a key belongs to: its first word, with a number after it."""
    words = key.split(".")
    return ".".join(words[:2]) if len(words) > 2 and words[1].isdigit() else words[0]
