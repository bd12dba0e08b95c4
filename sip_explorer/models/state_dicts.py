"""Where state dicts lie in what a torch file holds, and which of them are averages; needs no torch."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sip_explorer.models.torch_pickles import StoredTensor

MODEL, EMA, SWA = "model", "EMA", "SWA"
LAYOUTS = ("state_dict", "model", "model_state_dict", "net")
"""The keys that people most often put a state dict under; they come first where there are several."""

_DEPTH = 6
_WIDTH = 64  # of a list or tuple that is looked into
_VISITS = 2000  # of containers: a small pickle can hold one of them in a million places
_SEVERAL = 8  # variants that are told apart; a file with more is a collection of something else
# What trainers keep beside the weights, tensors of their own among it.
_BESIDE = re.compile(
    r"optim|^opt(_|$)|sched|scaler|(^|_)amp($|_)|(^|_)rng|param_groups|config|cfg|^args$|hparams|hyper_param|"
    r"callback|loop|history|metric|(^|_)logs?($|_)|loss|^mean$|^std$",
    re.IGNORECASE,
)
_EMA = re.compile(
    r"(^|[._])(ema|shadow|polyak|moving_?average\w*)([._]|$)|ema(_?model|_?state|_?dict)|modelema", re.I
)
_SWA = re.compile(r"(^|[._])(swa|averaged|swa_?n?)([._]|$)|swa(_?model|_?state|_?dict)|averaged_?model", re.I)

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class StateDict:
    """One state dict of a file.

    Attributes
    ----------
    name : str
        For people and for choosing: "model", "EMA", "SWA", or the key that it sits under.
    place : tuple of str and int
        The keys that lead to it from the top, empty where the file is the state dict itself.
    tensors : dict of key as stored -> StoredTensor
    beside : tuple of str
        What lies beside it.
    """

    name: str
    place: Place
    tensors: Mapping[str, StoredTensor]
    beside: tuple[str, ...] = ()

    @property
    def layout(self) -> str:
        """The keys that lead to it, in one word; "" at the top."""
        return ".".join(map(str, self.place))


def find_state_dicts(content: object) -> tuple[StateDict, ...]:
    """Return the state dicts in ``content``, the plain one first; averages after it, EMA before SWA."""
    places = _walk(content, (), iter(range(_VISITS)))
    found = [part for place, tensors, beside in places for part in _parts(place, tensors, beside)]
    found.sort(key=_rank)
    return _named(found[:_SEVERAL])


def _walk(
    content: object, place: Place, visits: Iterator[int]
) -> Iterator[tuple[Place, dict[str, StoredTensor], tuple[str, ...]]]:
    if len(place) > _DEPTH or next(visits, None) is None:
        return
    if isinstance(content, Mapping):
        if "param_groups" in content:  # an optimiser's state
            return
        children = [
            (key, value)
            for key, value in content.items()
            if isinstance(key, str) and not isinstance(value, StoredTensor) and not _BESIDE.search(key)
        ]
        own = {
            key: value
            for key, value in content.items()
            if isinstance(key, str) and isinstance(value, StoredTensor)
        }
        deeper = [each for key, value in children for each in _walk(value, (*place, key), visits)]
        # A tensor or two beside whole state dicts are figures ("best_acc1": a tensor), not weights.
        if own and (not deeper or any("." in key and value.shape for key, value in own.items())):
            yield place, own, tuple(str(key) for key in content if key not in own) if place else ()
            if place == ():
                deeper = []  # what hangs beside the weights of a bare state dict is no other state dict
        for inner, tensors, beside in deeper:
            if len(inner) == len(place) + 1:
                beside = tuple(str(key) for key in content if key != inner[-1])
            yield inner, tensors, beside
    elif isinstance(content, Sequence) and type(content) in (list, tuple) and len(content) <= _WIDTH:
        for index, value in enumerate(content):
            if isinstance(value, Mapping | list) or type(value) is tuple:
                yield from _walk(value, (*place, index), visits)


def _parts(place: Place, tensors: dict[str, StoredTensor], beside: tuple[str, ...]) -> list[StateDict]:
    """Split a state dict that holds a model and its average under prefixes (Lightning's often do)."""
    prefixes: dict[str, dict[str, StoredTensor]] = {}
    for key, value in tensors.items():
        prefix, dot, _ = key.partition(".")
        prefixes.setdefault(prefix if dot else "", {})[key] = value
    averages = {
        prefix: group
        for prefix, group in prefixes.items()
        if prefix and len(group) > 1 and _kind(prefix) != MODEL
    }
    rest = {key: value for key, value in tensors.items() if key.partition(".")[0] not in averages}
    kind = _kind(".".join(map(str, place))) if place else MODEL
    if kind == MODEL and "n_averaged" in tensors:
        kind = SWA
    parts = [StateDict(_kind(prefix), (*place,), group, beside) for prefix, group in averages.items()]
    # What is left of a file that holds nothing but an average are its counters.
    if not averages or any(len(value.shape) > 1 for value in rest.values()):
        parts.insert(0, StateDict(kind, place, rest, beside))
    return parts


def _kind(words: str) -> str:
    if _SWA.search(words):
        return SWA
    return EMA if _EMA.search(words) else MODEL


def _rank(part: StateDict) -> tuple[int, int, int]:
    order = (MODEL, EMA, SWA).index(part.name)
    first = part.place[0] if part.place else ""
    known = LAYOUTS.index(first) if isinstance(first, str) and first in LAYOUTS else len(LAYOUTS)
    return order, known if part.place else -1, len(part.place)


def _named(found: list[StateDict]) -> tuple[StateDict, ...]:
    """Name each for people: what it is where that is one only, else the keys that lead to it."""
    counts = [part.name for part in found]
    named: list[StateDict] = []
    for part in found:
        name = part.name
        if counts.count(name) > 1:
            name = part.layout or name
            if any(other.name == name for other in named):
                name = f"{name} ({part.name})"
        named.append(StateDict(name, part.place, part.tensors, part.beside))
    return tuple(named)
