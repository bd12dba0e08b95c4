"""A network of the user's own class, ``package.module:Class``: imported only where a person agreed."""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sip_explorer.records import SipError

COUNTS = ("num_classes", "n_classes", "nclasses", "num_class", "classes", "n_class")
"""What constructors call their number of classes."""

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_SIDES = (32, 224, 28, 64, 96, 128, 299, 384)  # tried in this order; a large stem tries 224 first


def is_own_code(architecture: str | None) -> bool:
    """Whether an architecture's name is that of a user's own class."""
    return architecture is not None and ":" in architecture


def build_own(path: Path, architecture: str, classes: int, *, own_code: bool) -> nn.Module:
    """Import the class and return a network of it.

    The module is looked for where Python looks, then beside the checkpoint, then in the present folder.

    Parameters
    ----------
    path : Path
        The checkpoint.
    architecture : str
        ``package.module:Class``.
    classes : int
        Handed to the constructor where its signature takes a number of classes.
    own_code : bool
        Whether a person agreed that the module is run.

    Raises
    ------
    SipError
        If nobody agreed, there is no such module or class, it cannot be built or is no network.
    """
    if not _NAME.fullmatch(architecture):
        raise SipError(f"{architecture!r} names no class; write it as package.module:Class.")
    if not own_code:
        raise SipError(
            f"Loading {path} as {architecture} would import that module, that is, run its code; agree to it "
            "if you trust it (in the dialogue the tick “run its code”, on the command line --run-code)."
        )
    with _found_from(path.absolute().parent, Path.cwd()):
        network = _built(path, architecture, classes)
    if not isinstance(network, nn.Module):
        raise SipError(
            f"{architecture} makes a {type(network).__name__}, not a torch.nn.Module; name a network."
        )
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return network


def _built(path: Path, architecture: str, classes: int) -> Any:
    module_name, _, class_name = architecture.partition(":")
    kind: Any = _imported(path, architecture, module_name)
    for word in class_name.split("."):
        kind = getattr(kind, word, None)
    if kind is None or not callable(kind):
        raise SipError(f"The module {module_name} has no class {class_name}; check the name.")
    try:
        return kind(**_arguments(kind, classes))
    except Exception as error:  # the user's own code may raise anything
        raise SipError(
            f"{architecture} cannot be built ({_said(error)}); write a class or function that takes nothing "
            "but the number of classes and name that."
        ) from error


def counted_classes(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return the number of classes that the last matrix of a state dict tells, 0 where there is none."""
    rows = [shape[0] for shape in shapes.values() if len(shape) == 2]
    return rows[-1] if rows else 0


def fitting_input(
    path: Path, name: str, network: nn.Module, given: tuple[int, int, int] | None, shapes: Mapping[str, Any]
) -> tuple[tuple[int, int, int], int]:
    """Return the first input (C, H, W) that the network takes, and the number of its classes.

    Raises
    ------
    SipError
        If it takes none of the usual ones, or answers with anything but one row of scores an image.
    """
    kernels = [shape for shape in shapes.values() if len(shape) == 4]
    channels = kernels[0][1] if kernels else 3
    sides = sorted(_SIDES, key=lambda side: side != 28) if channels == 1 else list(_SIDES)
    if kernels and kernels[0][2] >= 7:
        sides.sort(key=lambda side: side != 224)
    tried = [given] if given else [(channels, side, side) for side in sides]
    failure: Exception | None = None
    network.eval()
    for size in tried:
        try:
            with torch.no_grad():
                scores = network(torch.zeros(2, *size))
        except Exception as error:  # the user's own code may raise anything
            failure = failure or error
            continue
        if (
            not isinstance(scores, torch.Tensor)
            or scores.ndim != 2
            or len(scores) != 2
            or scores.shape[1] < 2
        ):
            what = f"{tuple(scores.shape)}" if isinstance(scores, torch.Tensor) else type(scores).__name__
            raise SipError(
                f"{name} answers two images with {what} where class scores (2, K) are needed; name a class "
                "that returns its logits."
            )
        return size, scores.shape[1]
    sizes = " or ".join(f"{c} × {h} × {w}" for c, h, w in tried[:3])
    raise SipError(
        f"{name} with the weights of {path} takes no image of {sizes} ({_said(failure)}); give the size "
        "of its images."
    ) from failure


def _imported(path: Path, architecture: str, name: str) -> Any:
    _forget_another(name.partition(".")[0])
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise SipError(
                f"There is no module {error.name} for {architecture}; put its file beside {path.name} or "
                "into the folder that the program is started in."
            ) from error
        raise SipError(
            f"The module {name} wants the module {error.name}, which is not installed; install it."
        ) from error
    except Exception as error:  # the user's own code may raise anything
        raise SipError(f"The module {name} fails where it is imported ({_said(error)}); mend it.") from error


def _forget_another(top: str) -> None:
    """Drop an imported module of this name that lies elsewhere than an import would now find it."""
    importlib.invalidate_caches()
    known, found = sys.modules.get(top), PathFinder.find_spec(top)
    if known is None or found is None or getattr(known.__spec__, "origin", None) == found.origin:
        return
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]


@contextmanager
def _found_from(*folders: Path) -> Iterator[None]:
    """Let modules of these folders be imported, after those that Python finds anyway."""
    before = list(sys.path)
    sys.path[:] = [*before, *map(str, folders)]
    try:
        yield
    finally:
        sys.path[:] = before


def _arguments(kind: Any, classes: int) -> dict[str, int]:
    try:
        parameters = inspect.signature(kind).parameters
    except (TypeError, ValueError):
        return {}
    return next(({name: classes} for name in COUNTS if name in parameters and classes), {})


def _said(error: Exception | None) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:160]}" if text else type(error).__name__
