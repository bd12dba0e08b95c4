"""What the keys and shapes of a published state dict say about the flow, without its configuration."""

import re
from collections import Counter
from collections.abc import Mapping

from sip_explorer.protoflow.published.plan import DenseFlowPlan, DequantisationPlan
from sip_explorer.records import SipError

Shapes = Mapping[str, tuple[int, ...]]

_ENCODER = "transforms.0.encoder."
_NAMED = 10
_MARK = f"{_ENCODER}base_dist.loc"
_BLOCK = re.compile(r"transforms\.(\d+)\.blocks\.(\d+)\.transforms\.(\d+)\.")
_NET = "transforms.2.coupling_net.0.dn.transform."


def flow_prefix(shapes: Shapes) -> str | None:
    """Return what stands before the flow's keys ("model." in published files), None if it is no flow."""
    return next((key.removesuffix(_MARK) for key in shapes if key.endswith(_MARK)), None)


def plan_of(shapes: Shapes, size: tuple[int, int], name: str) -> DenseFlowPlan:
    """Return the plan of a flow with these keys (without prefix).

    Parameters
    ----------
    shapes : key -> shape.
    size : (height, width) of the images.
    name : of the file, for messages.

    Raises
    ------
    SipError
        Where a key that the plan is read from is not there or has no such shape.
    """
    try:
        shapes = _Ranked(shapes)
        blocks = _blocks(shapes)
        channels = shapes[_MARK][1] // 4
        if not channels:
            raise KeyError(_MARK)
        widths, embeds, depth, dense_growth = [], [], 0, 0
        for index in blocks:
            net = f"transforms.{index}.blocks.0.transforms.0.{_NET}"
            widths.append(shapes[f"{net}0.weight"][0])
            embeds.append(shapes[f"{net}1.mha.qkv.weight"][0] // 3)
            depth = depth or _count(shapes, rf"{re.escape(net)}1\.dense\.(\d+)\.nn\.0\.weight")
            dense_growth = dense_growth or shapes[f"{net}1.dense.0.nn.2.weight"][0]
        return DenseFlowPlan(
            (channels, *size),
            tuple(len(steps) for steps in blocks.values()),
            tuple(max(steps.values()) for steps in blocks.values()),
            tuple(widths),
            _growth(shapes),
            tuple(embeds),
            depth,
            dense_growth,
            _dequantisation(shapes, channels),
        )
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise SipError(
            f"{name} lacks {str(error).strip(chr(39))} or has it in a shape that no DenseFlow has; "
            "choose a file that is whole."
        ) from error


class _Ranked(dict[str, tuple[int, ...]]):
    """Shapes that a plan is read from: one without places or rows counts as missing, by its name."""

    def __getitem__(self, key: str) -> tuple[int, ...]:
        shape = super().__getitem__(key)
        if len(shape) < 2 or min(shape) < 1:
            raise KeyError(key)
        return shape


def latent_channels(shapes: Shapes) -> tuple[int, int]:
    """Return (channels of the latent, number of blocks)."""
    try:
        blocks = _blocks(shapes)
    except ValueError:  # `plan_of` says so
        return 0, 0
    if not blocks:
        return 0, 0
    last, steps = list(blocks.items())[-1]
    key = f"transforms.{last}.blocks.{max(steps)}.transforms.0.transforms.0.shift"
    shape = shapes.get(key, ())
    return (shape[1] if len(shape) == 4 else 0), len(blocks)


def _blocks(shapes: Shapes) -> dict[int, dict[int, int]]:
    """Block index -> step -> number of units, in order."""
    found: dict[int, dict[int, int]] = {}
    for key in shapes:
        if match := _BLOCK.match(key):
            block, step, unit = map(int, match.groups())
            steps = found.setdefault(block, {})
            steps[step] = max(steps.get(step, 0), unit + 1)
    for steps in found.values():
        if max(steps.values()) > len(shapes):  # a file may number a unit as it likes
            raise ValueError("units that are numbered in a row")
    return {block: dict(sorted(found[block].items())) for block in sorted(found)}


def _growth(shapes: Shapes) -> int:
    out = re.compile(r"transforms\.\d+\.noise_params\.\d+\.transformation\.2\.weight")
    return next((shape[0] // 2 for key, shape in shapes.items() if out.fullmatch(key)), 2)


def _count(shapes: Shapes, pattern: str) -> int:
    """Return one more than the largest number that the pattern finds."""
    found = re.compile(pattern)
    count = max((int(match[1]) + 1 for key in shapes if (match := found.fullmatch(key))), default=0)
    if count > len(shapes):
        raise ValueError("layers that are numbered in a row")
    return count


def _dequantisation(shapes: Shapes, channels: int) -> DequantisationPlan:
    start, net = f"{_ENCODER}context_init.1.", f"{_ENCODER}transforms.1.coupling_net.0.transform."
    inner = 4 * channels
    return DequantisationPlan(
        context=shapes[f"{net}0.weight"][1] - inner // 2,
        context_depth=_count(shapes, rf"{re.escape(start)}(\d+)\.nn\.0\.weight"),
        context_growth=shapes[f"{start}0.nn.2.weight"][0],
        width=shapes[f"{net}0.weight"][0],
        depth=_count(shapes, rf"{re.escape(net)}1\.dense\.(\d+)\.nn\.0\.weight"),
        growth=shapes[f"{net}1.dense.0.nn.2.weight"][0],
        couplings=_count(shapes, rf"{re.escape(_ENCODER)}transforms\.(\d+)\.weight") // 2,
    )


def check_keys(name: str, given: Shapes, wanted: Shapes, where: str = "") -> None:
    """Raise SipError where keys are missing, unknown or misshapen: a sentence, and a list by groups.

    ``where`` says what has the ``wanted`` keys, if not a DenseFlow.
    """
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    extra = [key for key in given if key not in wanted]
    wrong = [key for key in wanted if key in given and given[key] != wanted[key]]
    more = "has too much:" if where else "has more than a DenseFlow:"
    faults = [(missing, "lacks"), (extra, more), (wrong, "has of another shape")]
    words = [f"{verb} {_grouped(keys)}" for keys, verb in faults if keys]
    if words:
        lines = [f"{verb}\n" + "\n".join(_lines(keys, given, wanted)) for keys, verb in faults if keys]
        whole = "choose a checkpoint that is whole" + (", or the size that its images have" if where else "")
        raise SipError(f"{name} {' and '.join(words)}{where}; {whole}.", detail="\n".join(lines))


def _grouped(keys: list[str]) -> str:
    groups = Counter(".".join(key.split(".")[:2]) for key in keys)
    first = ", ".join(keys[:_NAMED])
    if len(keys) <= _NAMED:
        return first
    return f"{first} and {len(keys) - _NAMED} more ({', '.join(f'{g}: {n}' for g, n in groups.items())})"


def _lines(keys: list[str], given: Shapes, wanted: Shapes) -> list[str]:
    return [f"    {key}  {given.get(key, '')} (wanted {wanted.get(key, 'none')})" for key in keys]
