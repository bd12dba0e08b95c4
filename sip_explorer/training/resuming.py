"""``last.pt``: everything a run needs to go on as if it had never stopped.

Order of images, random starts, mirroring, dropout and learning rate are functions of seed, epoch
and step, so there is no random state to keep.
"""

import hashlib
import math
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
_WORDS = {"split": "seed or validation_fraction"}
# What torch.load and the look into the state raise where the file is something else.
_DAMAGED = (
    RuntimeError, KeyError, TypeError, IndexError, ValueError, AttributeError, EOFError,
    pickle.UnpicklingError,
)  # fmt: skip


@dataclass
class Position:
    """How far a run is: ``batch`` batches of epoch ``epoch`` (from 0) are done.

    ``best`` holds the figures of the best checkpoint so far (epoch, clean, pgd), ``best_value`` the
    one that chose it, ``plateau`` the epochs since one was better; ``seconds`` is what the epoch under
    way has taken, ``elapsed`` the whole run where its end is set by time. ``batches`` is how many an
    epoch has (0: not known yet).
    """

    epoch: int = 0
    batch: int = 0
    batches: int = 0
    best_value: float = -math.inf
    best: dict[str, float] = field(default_factory=dict)
    plateau: int = 0
    seconds: float = 0.0
    elapsed: float = 0.0

    def forget_best(self) -> None:
        """Begin to look for the best checkpoint anew: the one so far lies in another run's folder."""
        self.best_value, self.best, self.plateau = -math.inf, {}, 0


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

    def load(self, path: Path, identity: Mapping[str, str]) -> Position:
        """Restore the state from ``path`` and return the position.

        The optimiser keeps its own settings (momentum, weight decay, the kernel that fits the precision):
        the file may be of a run with another recipe.

        Raises
        ------
        SipError
            Where the file is damaged, was made by another recipe or from other images as ``identity``
            tells, or holds another network.
        """
        try:
            # Each tensor is then copied to where its parameter is.
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            if not isinstance(state, dict):
                raise TypeError
            made_by = dict(state["identity"])
            if int(state["format"]) > FORMAT:
                raise SipError(f"{path} was written by a newer version of the program: update it.")
            position = Position(**state["position"])
            weights, optimiser = state["model"], state["optimizer"]
            scaler, average = state.get("scaler"), state.get("average")
        except OSError as error:
            raise SipError(
                f"{path} cannot be read ({error.strerror or error}): bring it back, or start the run again."
            ) from None
        except _DAMAGED:
            raise SipError(
                f"{path} cannot be resumed from, it is damaged or no state of a run: start the run again."
            ) from None
        for what, value in identity.items():
            # Files of earlier versions do not tell the split.
            if made_by.get(what, value if what == "split" else None) != value:
                told = _WORDS.get(what, what)
                raise SipError(
                    f"{path} was made with another {told}: resume it with the same {told}, "
                    "or start a new run."
                )
        own = [
            {name: value for name, value in group.items() if name != "params"}
            for group in self.optimiser.param_groups
        ]
        try:
            self.model.load_state_dict(weights)
            self.optimiser.load_state_dict(optimiser)
        except (RuntimeError, ValueError):
            raise SipError(
                f"{path} holds another network than the recipe's: choose the architecture that it was "
                "made with."
            ) from None
        for group, settings in zip(self.optimiser.param_groups, own, strict=True):
            group.update(settings)
        if scaler and self.scaler.is_enabled():
            self.scaler.load_state_dict(scaler)
        if self.average is not None:
            if average is not None:
                self.average.load_state_dict(average)
            else:  # a snapshot of a run without an average: it begins at its weights
                self.average.update(self.model)
        return position
