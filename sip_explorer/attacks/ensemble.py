"""The attacks of AutoAttack's authors on one model: their objects, their settings, their warnings."""

import logging
import re
from collections.abc import Callable, Generator
from typing import Any, Literal

import torch
from torch import Tensor

from sip_explorer.attacks.authors import SteppedModel
from sip_explorer.attacks.quiet import QuietModel
from sip_explorer.attacks.request import Norm, Request
from sip_explorer.records import CancelToken, SipError

Version = Literal["standard", "rand"]

NORMS = {"linf": "Linf", "l2": "L2"}
RUNS = {"standard": ("apgd-ce", "apgd-t", "fab-t", "square"), "rand": ("apgd-ce", "apgd-dlr")}
_CLASSES_NEEDED = {"standard": 4, "rand": 3}
_MOST_TARGETS = 9


class Ensemble:
    """The authors' attacks on the images of ``request``, driven as ``run_standard_evaluation`` does.

    What they draw, and what a randomised model draws, is a stream that begins anew, at ``seed``, with
    every batch of every run; so a batch does not depend on those before it.
    """

    def __init__(
        self, quiet: QuietModel, request: Request, *, norm: Norm, epsilon: float, version: Version, seed: int
    ) -> None:
        self._quiet, self._images, self._labels = quiet, request.images.contiguous(), request.labels
        self._version, self._seed = version, seed
        self._model = SteppedModel(quiet)
        self._warnings = _Warnings()
        pyautoattack = authors_package()
        self._checks = pyautoattack.checks
        self._authors = pyautoattack.AutoAttack(
            self._model, norm=NORMS[norm], eps=epsilon, seed=seed, version=version, device=quiet.device
        )
        self._authors.apgd.logger = self._authors.apgd_targeted.logger = self._warnings.logger

    def look(self, size: int, token: CancelToken | None) -> Generator[int, None, Tensor]:
        """Return the logits at the clean images, read in batches of ``size``, and check the model.

        The checks are the authors', except that classes too few and a model without any gradient are
        refused.
        """

        def looked() -> Tensor:
            torch.manual_seed(self._seed)
            batches = [part.to(self._quiet.device) for part in torch.split(self._images, size)]
            with torch.no_grad():
                logits = torch.cat([self._model(part).detach() for part in batches])
            self._quiet.require_finite()
            self._require_classes(logits.shape[1])
            if not self._model(batches[0].clone().requires_grad_()).requires_grad:
                raise SipError(
                    "The model's outputs carry no gradient to the images (a comparison, an argmax or a "
                    "detach cuts it off), so AutoAttack cannot climb it: attack the model without that step."
                )
            self._check(batches[0], self._labels[:size].to(self._quiet.device))
            return logits.to(self._images.device)

        return (yield from self._model.run(looked, token))

    def attack(
        self, run: str, rows: Tensor, token: CancelToken | None
    ) -> Generator[int, None, tuple[Tensor, Tensor]]:
        """Attack the images at ``rows`` (n,); return where it led and the model's logits there."""
        images, labels = self._images[rows], self._labels[rows]

        def attacked() -> tuple[Tensor, Tensor]:
            torch.manual_seed(self._seed)
            device = self._quiet.device
            with torch.no_grad():
                made = self._perturb(run)(images.clone().to(device), labels.clone().to(device))
                return made.to(images.device), self._model(made).to(images.device)

        result = yield from self._model.run(attacked, token)
        self._quiet.require_finite()
        return result

    def aim_at(self, classes: int) -> None:
        """Let targeted attacks try the nine likeliest wrong classes, or all where there are fewer."""
        targets = min(_MOST_TARGETS, classes - 1)
        self._authors.apgd_targeted.n_target_classes = self._authors.fab.n_target_classes = targets

    def passes(self) -> list[int]:
        """Return how many forward passes each run needs for a batch of which no image breaks."""
        authors = self._authors
        apgd, fab = 1 + authors.apgd.n_iter, 4 + 2 * authors.fab.n_iter
        passes = {
            "apgd-ce": apgd * authors.apgd.eot_iter,
            "apgd-dlr": apgd * authors.apgd.eot_iter,
            "apgd-t": (apgd + 1) * authors.apgd_targeted.n_target_classes,
            "fab-t": fab * authors.fab.n_target_classes,
            "square": authors.square.n_queries + 2,
        }
        # Each run also reads its images first and has them judged at the end.
        return [passes[run] + 2 for run in RUNS[self._version]]

    def compare(self, accuracies: dict[str, float]) -> None:
        """Have the authors judge, by the accuracy left after each run, what Square had to add."""
        self._checks.check_square_sr(accuracies, logger=self._warnings.logger)

    def warned(self) -> list[str]:
        """Return what the authors' code warned of since the last time, as sentences."""
        return self._warnings.collected()

    def _require_classes(self, classes: int) -> None:
        needed = _CLASSES_NEEDED[self._version]
        if classes < needed:
            raise SipError(
                f"AutoAttack's DLR loss needs {needed} classes and this model has {classes}: attack it by "
                "APGD with log-odds."
            )

    def _check(self, images: Tensor, labels: Tensor) -> None:
        logger = self._warnings.logger
        if self._version != "rand":
            self._checks.check_randomized(self._model, images, labels, bs=len(images), logger=logger)
        self._checks.check_range_output(self._model, images, logger=logger)
        for name in self._checks.funcs:  # calls counted since the process began, on any model
            self._checks.funcs[name] = 0
        self._checks.check_dynamic(self._model, images, False, logger=logger)

    def _perturb(self, run: str) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the authors' attack, set as their ``run_standard_evaluation`` sets it."""
        authors = self._authors
        others = {"apgd-t": authors.apgd_targeted, "fab-t": authors.fab, "square": authors.square}
        attack = others.get(run, authors.apgd)
        if attack is authors.apgd:
            attack.loss = run.removeprefix("apgd-")
        elif attack is authors.fab:
            attack.targeted, attack.n_restarts = True, 1
        attack.seed = self._seed
        perturb: Callable[[Tensor, Tensor], Tensor] = attack.perturb
        return perturb


class _Warnings(logging.Handler):
    """What the authors' code tells its logger; a logger of its own, so nothing is printed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._sentences: list[str] = []
        self.logger = logging.Logger("autoattack")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message as a sentence, without the page it refers to."""
        text = re.sub(r"\s*See \S+ for details\.", "", record.getMessage()).strip()
        self._sentences.append(f"AutoAttack's authors warn: {text}")

    def collected(self) -> list[str]:
        """Return the sentences so far and forget them."""
        sentences, self._sentences = self._sentences, []
        return sentences


def authors_package() -> Any:
    """Return the package ``pyautoattack``; SipError where it is not installed."""
    try:
        import pyautoattack
        import pyautoattack.checks
        import pyautoattack.square
    except ImportError as error:
        raise SipError(
            "AutoAttack needs its authors' package: install it with “pip install pyautoattack”."
        ) from error
    return pyautoattack


def require_squares(norm: Norm, images: Tensor) -> None:
    """Raise SipError where the authors' Square attack cannot lay its squares over ``images``.

    In L2 it begins with squares of a fifth of the height side by side, and fails where the last one
    would be cut off by the border.
    """
    height, width = images.shape[2:]
    side = height // 5
    margin = (height - 5 * side) // 2
    fits = side == 1 or (side > 1 and all(margin + size // side * side <= size for size in (height, width)))
    if norm == "l2" and not fits:
        raise SipError(
            f"AutoAttack's Square attack in L2 cannot work on images of {height} × {width} pixels: choose "
            "L-inf, or attack by APGD."
        )
