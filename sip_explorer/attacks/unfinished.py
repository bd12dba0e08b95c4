"""What an AutoAttack evaluation has found so far, on disk after every batch."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from sip_explorer.attacks.claim import digest
from sip_explorer.records import SipError
from sip_explorer.records.atomic import atomic_path

FORMAT = 1


@dataclass
class Found:
    """Per image what is known, and where the evaluation stands; the tensors lie on one device.

    ``clean_correct`` (N,) bool, ``clean_logits`` and ``logits`` (N, K), ``broken_by`` (N,) int64 (-1: by
    none), ``images`` (N, C, H, W): those that broke the model, else the clean ones. ``attack`` is the
    number of the attack under way, ``batches`` how many of its batches are done.
    """

    clean_correct: Tensor
    clean_logits: Tensor
    broken_by: Tensor
    images: Tensor
    logits: Tensor
    attack: int = 0
    batches: int = 0
    notices: list[str] = field(default_factory=list)

    @classmethod
    def nothing(cls, images: Tensor, labels: Tensor, clean_logits: Tensor) -> "Found":
        """Return the state before the first attack."""
        return cls(
            clean_correct=clean_logits.argmax(1) == labels,
            clean_logits=clean_logits,
            broken_by=torch.full_like(labels, -1),
            images=images.clone(),
            logits=clean_logits.clone(),
        )

    def robust_before(self, attack: int) -> Tensor:
        """Return which images stood when ``attack`` began: (N,) bool."""
        return self.clean_correct & ((self.broken_by < 0) | (self.broken_by >= attack))

    @property
    def robust(self) -> Tensor:
        """Return which images stand: (N,) bool."""
        return self.clean_correct & (self.broken_by < 0)

    def begin(self, attack: int) -> None:
        """Go on to ``attack``, or on with it where it is under way."""
        if attack != self.attack:
            self.attack, self.batches = attack, 0

    def take(self, rows: Tensor, images: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take what the attack made of a batch, ``rows``; only images that break the model are kept."""
        wrong = logits.argmax(1) != labels
        broken = rows[wrong]
        self.broken_by[broken] = self.attack
        self.images[broken] = images[wrong]
        self.logits[broken] = logits[wrong]
        self.batches += 1

    def warn(self, sentences: Iterable[str]) -> list[str]:
        """Keep one sentence of each kind (they differ in numbers only); return those that are new."""
        new: list[str] = []
        for sentence in sentences:
            kinds = map(_without_numbers, self.notices + new)
            if _without_numbers(sentence) not in kinds:
                new.append(sentence)
        self.notices += new
        return new


class Unfinished:
    """The file of an evaluation, which belongs to its settings, its images with labels, and its weights."""

    def __init__(
        self, path: Path, settings: Mapping[str, Any], images: Tensor, labels: Tensor, model: nn.Module
    ) -> None:
        self._path, self._settings, self._images = path, dict(settings), images
        self._hashes = {"images": digest(images, labels), "weights": digest(*model.state_dict().values())}

    def write(self, found: Found) -> None:
        """Write ``found``, whole or not at all."""
        broken = found.broken_by >= 0
        arrays = {
            "clean_correct": found.clean_correct,
            "clean_logits": found.clean_logits,
            "broken_by": found.broken_by,
            "images": found.images[broken],
            "logits": found.logits[broken],
        }
        with atomic_path(self._path) as temporary, h5py.File(temporary, "w") as file:
            file.attrs["kind"], file.attrs["format"] = "autoattack", FORMAT
            file.attrs["settings"] = json.dumps(self._settings, sort_keys=True)
            file.attrs["attack"], file.attrs["batches"] = found.attack, found.batches
            file.attrs["notices"] = json.dumps(found.notices)
            for name, digest in self._hashes.items():
                file.attrs[name] = digest
            for name, values in arrays.items():
                file.create_dataset(name, data=values.contiguous().cpu().numpy())

    def read(self) -> Found | None:
        """Return what the file holds, None where there is none yet.

        Raises
        ------
        SipError
            The file cannot be read, or belongs to another evaluation.
        """
        if not self._path.exists():
            return None
        try:
            with h5py.File(self._path, "r") as file:
                attributes = dict(file.attrs)
                self._check(attributes)
                arrays = {name: torch.from_numpy(np.asarray(values[()])) for name, values in file.items()}
                return self._found(attributes, arrays)
        except (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
            raise SipError(
                f"The unfinished AutoAttack {self._path} cannot be read ({error}): delete it to begin anew."
            ) from error

    def _check(self, attributes: Mapping[str, Any]) -> None:
        if attributes.get("kind") != "autoattack":
            raise SipError(f"{self._path} is no unfinished AutoAttack: choose another file.")
        if int(attributes["format"]) > FORMAT:
            raise SipError(
                f"{self._path} was written by a newer version of SIP Explorer: update the program to go on."
            )
        settings = json.loads(attributes["settings"])
        other = [name for name, value in self._settings.items() if settings.get(name) != value]
        other += [name for name, digest in self._hashes.items() if attributes[name] != digest]
        if other:
            raise SipError(
                f"{self._path} keeps an unfinished AutoAttack with other {other[0].replace('_', ' ')}: "
                "choose another file, or delete it to begin anew."
            )

    def _found(self, attributes: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> Found:
        here = {name: values.to(self._images.device) for name, values in arrays.items()}
        broken = here["broken_by"] >= 0
        images, logits = self._images.clone(), here["clean_logits"].clone()
        images[broken], logits[broken] = here["images"], here["logits"]
        return Found(
            clean_correct=here["clean_correct"],
            clean_logits=here["clean_logits"],
            broken_by=here["broken_by"],
            images=images,
            logits=logits,
            attack=int(attributes["attack"]),
            batches=int(attributes["batches"]),
            notices=json.loads(attributes["notices"]),
        )


def _without_numbers(text: str) -> str:
    return re.sub(r"[\d.]+", "", text)
