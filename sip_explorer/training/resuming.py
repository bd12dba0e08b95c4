"""``last.pt``: everything a run needs to go on as if it had never stopped.

Order of images, random starts, mirroring, dropout and learning rate are functions of seed, epoch
and step, so there is no random state to keep.
"""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sip_explorer.records import SipError, atomic_path
from sip_explorer.training.averaging import MovingAverage

FORMAT = 1


@dataclass
class Position:
    """How far a run is: ``batch`` batches of epoch ``epoch`` (from 0) are done.

    ``best`` holds the figures of the best checkpoint so far (epoch, clean, pgd), ``best_value`` the
    one that chose it, ``plateau`` the epochs since one was better; ``seconds`` is what the epoch under
    way has taken.
    """

    epoch: int = 0
    batch: int = 0
    best_value: float = -1.0
    best: dict[str, float] = field(default_factory=dict)
    plateau: int = 0
    seconds: float = 0.0

    def forget_best(self) -> None:
        """Begin to look for the best checkpoint anew: the one so far lies in another run's folder."""
        self.best_value, self.best, self.plateau = -1.0, {}, 0


def data_hash(ids: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> str:
    """Return sixteen hexadecimal digits that name a selection of images and its labels."""
    digest = hashlib.sha256(np.ascontiguousarray(ids).tobytes())
    digest.update(np.ascontiguousarray(labels).tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class RunState:
    """All of a run that changes from step to step; ``save`` and ``load`` are each other's inverse."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: MovingAverage | None

    def save(self, path: Path, position: Position, identity: Mapping[str, str]) -> None:
        """Write the state and ``position`` to ``path`` atomically."""
        state = {
            "format": FORMAT,
            "identity": dict(identity),
            "position": asdict(position),
            "model": self.model.state_dict(),
            "optimizer": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path, identity: Mapping[str, str], device: torch.device) -> Position:
        """Restore the state from ``path`` and return the position.

        Raises
        ------
        SipError
            Where the file is damaged, was made by another recipe or from other images as ``identity``
            tells, or holds another network.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
            made_by = state["identity"]
            if int(state["format"]) > FORMAT:
                raise SipError(f"{path} was written by a newer version of the program: update it.")
            position = Position(**state["position"])
            weights, optimiser = state["model"], state["optimizer"]
            scaler, average = state.get("scaler"), state.get("average")
        except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
            raise SipError(f"{path} cannot be resumed from ({error}): start the run again.") from None
        for what, value in identity.items():
            if made_by.get(what) != value:
                raise SipError(
                    f"{path} was made with another {what}: resume it with the same {what}, "
                    "or start a new run."
                )
        try:
            self.model.load_state_dict(weights)
            self.optimiser.load_state_dict(optimiser)
        except (RuntimeError, ValueError):
            raise SipError(
                f"{path} holds another network than the recipe's: choose the architecture that it was "
                "made with."
            ) from None
        if scaler and self.scaler.is_enabled():
            self.scaler.load_state_dict(scaler)
        if self.average is not None:
            if average is not None:
                self.average.load_state_dict(average)
            else:  # a snapshot of a run without an average: it begins at its weights
                self.average.update(self.model)
        return position
