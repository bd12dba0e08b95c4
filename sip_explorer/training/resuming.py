"""``last.pt``: everything a run needs to go on as if it had never stopped.

Order of images, random starts, mirroring, dropout and learning rate are functions of seed, epoch
and step, so there is no random state to keep.
"""

import hashlib
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sip_explorer.records import SipError, atomic_path

FORMAT = 1


@dataclass
class Position:
    """How far a run is: ``batch`` batches of epoch ``epoch`` (from 0) are done.

    ``best`` holds the figures of the best checkpoint so far (epoch, clean, pgd), ``best_value`` the
    one that chose it; ``seconds`` is what the epoch under way has taken.
    """

    epoch: int = 0
    batch: int = 0
    best_value: float = -1.0
    best: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def data_hash(ids: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> str:
    """Return sixteen hexadecimal digits that name a selection of images and its labels."""
    digest = hashlib.sha256(np.ascontiguousarray(ids).tobytes())
    digest.update(np.ascontiguousarray(labels).tobytes())
    return digest.hexdigest()[:16]


def save_last(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    position: Position,
    identity: dict[str, str],
) -> None:
    """Write weights, optimiser and position to ``path`` atomically."""
    state = {
        "format": FORMAT,
        "identity": identity,
        "position": asdict(position),
        "model": model.state_dict(),
        "optimizer": optimiser.state_dict(),
    }
    with atomic_path(path) as temporary:
        torch.save(state, temporary)


def load_last(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    identity: dict[str, str],
    device: torch.device,
) -> Position:
    """Restore ``model`` and ``optimiser`` from ``path`` and return the position.

    Raises
    ------
    SipError
        Where the file is damaged, or was made by another recipe or from other images.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        made_by = state["identity"]
        if int(state["format"]) > FORMAT:
            raise SipError(f"{path} was written by a newer version of the program: update it.")
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise SipError(f"{path} cannot be resumed from ({error}): start the run again.") from None
    for what, value in identity.items():
        if made_by.get(what) != value:
            raise SipError(
                f"{path} was made with another {what}: resume it with the same {what}, or start a new run."
            )
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimizer"])
    return Position(**state["position"])
