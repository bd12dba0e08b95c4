"""What an attack is asked to do: checked, completed, and cut into micro-batches."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from sip_explorer.attacks.ball import like
from sip_explorer.attacks.keyed import content_ids
from sip_explorer.records import SipError

Norm = Literal["linf", "l2"]


@dataclass(frozen=True)
class MicroBatch:
    """One shape of the model's input: ``count`` images of the call, padded with copies of the last.

    ``epsilon`` is one number or (m, 1, 1, 1), ``budget`` (m, C, H, W) or None, ``ids`` (m,) int64,
    ``weights`` (m,) for the backward pass or None for the real mean of the batch, ``movable`` (m,)
    bool: epsilon and some of the budget are above 0. ``rows`` are places in the call.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor | None
    epsilon: float | Tensor
    budget: Tensor | None
    ids: Tensor
    weights: Tensor | None
    movable: Tensor
    rows: Tensor

    @property
    def count(self) -> int:
        """Return the number of images that are not padding."""
        return len(self.rows)


@dataclass(frozen=True)
class Request:
    """A checked call of an attack; the tensors lie where the caller's lie."""

    images: Tensor
    labels: Tensor
    targets: Tensor | None
    epsilon: float | Tensor
    budget: Tensor | None
    ids: Tensor | None
    batch_size: int | Tensor
    highest_label: int

    def micro_batches(
        self, size: int, device: torch.device, *, mean: bool, literal: bool, pad_to: int | None = None
    ) -> Iterator[MicroBatch]:
        """Yield the call's images in order, padded to ``size``.

        Literally: as the logical mini-batches, padded to ``pad_to`` images or not at all.
        """
        if size < 1:
            raise SipError(f"The micro-batch is {size}; it must be at least 1.")
        total = len(self.images)
        if literal:
            size = min(int(self.batch_size), total)
        weights = _mean_weights(self.batch_size, total) if mean and not literal else None
        for first in range(0, total, size):
            rows = torch.arange(first, min(first + size, total))
            padded = max(len(rows), pad_to or 0) if literal else size
            batch_weights = None
            if not mean:
                batch_weights = torch.ones(padded, dtype=torch.float32, device=device)
            elif weights is not None:
                batch_weights = _cut(weights, rows, padded, device)
            yield self._micro_batch(rows, padded, device, batch_weights)

    def _micro_batch(
        self, rows: Tensor, padded: int, device: torch.device, weights: Tensor | None
    ) -> MicroBatch:
        images = _cut(self.images, rows, padded, device)
        epsilon = self.epsilon
        movable = torch.ones(padded, dtype=torch.bool, device=device)
        if isinstance(epsilon, Tensor):
            epsilon = _cut(epsilon, rows, padded, device).reshape(-1, 1, 1, 1)
            movable &= epsilon.flatten() > 0
        elif epsilon == 0:
            movable.zero_()
        budget = None
        if self.budget is not None:
            budget = self.budget if len(self.budget) == 1 else _cut(self.budget, rows, padded, device)
            budget = like(budget.to(device).expand_as(images), images)
            movable &= budget.flatten(1).amax(1) > 0
        return MicroBatch(
            images=images,
            labels=_cut(self.labels, rows, padded, device),
            targets=None if self.targets is None else _cut(self.targets, rows, padded, device),
            epsilon=epsilon,
            budget=budget,
            ids=content_ids(images) if self.ids is None else _cut(self.ids, rows, padded, device),
            weights=weights,
            movable=movable,
            rows=rows,
        )


def checked_request(
    images: Tensor,
    labels: Tensor,
    *,
    norm: Norm,
    epsilon: float | Tensor,
    batch_size: int | Tensor | None,
    budget: Tensor | None,
    indices: Tensor | Sequence[int] | None,
    targets: Tensor | None,
) -> Request:
    """Return the call as a `Request`; SipError in one sentence where it cannot be meant so."""
    if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point():
        raise SipError("An attack needs images as a float tensor of shape (images, channels, height, width).")
    count = len(images)
    if count == 0:
        raise SipError("No images are selected: choose at least one image to attack.")
    if images.numel() == 0:
        raise SipError(f"Images of shape {tuple(images.shape[1:])} have no pixels: choose others.")
    if norm not in get_args(Norm):
        raise SipError(f"The norm is {norm!r}; choose one of {', '.join(get_args(Norm))}.")
    low, high = (float(bound) for bound in torch.aminmax(images.detach()))
    if not (low >= 0 and high <= 1):
        raise SipError(
            f"The images hold values from {low:.4g} to {high:.4g}; an attack needs them in [0, 1] "
            "(normalisation belongs inside the model)."
        )
    labels = _class_numbers(labels, count, "labels", images.device)
    highest = int(labels.max())
    if targets is not None:
        targets = _class_numbers(targets, count, "targets", images.device)
        highest = max(highest, int(targets.max()))
        if bool((targets == labels).any()):
            raise SipError("A target is the image's own label: choose another class as the target.")
    return Request(
        images=_in_one_format(images.detach().float()),
        labels=labels,
        targets=targets,
        epsilon=_checked_epsilon(epsilon, norm, images),
        budget=None if budget is None else _checked_budget(budget, images),
        ids=None if indices is None else _image_ids(indices, images),
        batch_size=_checked_batch_size(batch_size, images),
        highest_label=highest,
    )


def _in_one_format(images: Tensor) -> Tensor:
    # What is neither contiguous nor channels last (a crop), and what is both (one channel), would reach the
    # model in another format in a full micro-batch than in a padded one, and be rounded otherwise there.
    # The first image decides: a crop of one image can have a format that a crop of many has not.
    images = like(images, images[:1])
    return images.flatten().view(images.shape) if images.is_contiguous() else images


def _class_numbers(values: Tensor, count: int, name: str, device: torch.device) -> Tensor:
    if not isinstance(values, Tensor) or not _is_whole(values):
        raise SipError(f"The {name} must be whole class numbers (int64), not {_kind(values)}.")
    if values.shape != (count,):
        raise SipError(f"{count} images need {count} {name}; got a tensor of shape {tuple(values.shape)}.")
    if int(values.min()) < 0:
        raise SipError(f"The {name} hold {int(values.min())}; classes are numbered from 0.")
    return values.to(device, torch.int64)


def _is_whole(values: Tensor) -> bool:
    return not (values.is_floating_point() or values.is_complex() or values.dtype == torch.bool)


def _kind(values: object) -> str:
    return str(values.dtype) if isinstance(values, Tensor) else type(values).__name__


def _checked_epsilon(epsilon: float | Tensor, norm: Norm, images: Tensor) -> float | Tensor:
    largest = 1.0 if norm == "linf" else math.sqrt(images[0].numel())
    try:
        values = torch.as_tensor(epsilon, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SipError(f"Epsilon {epsilon!r} is no number: give one, or one per image.") from error
    if values.ndim not in (0, 1) or (values.ndim == 1 and len(values) != len(images)):
        raise SipError(
            f"Epsilon is one number or one per image; got shape {tuple(values.shape)} for "
            f"{len(images)} images."
        )
    if not bool((values >= 0).all() & (values <= largest + 1e-6).all()):
        wrong = values[~((values >= 0) & (values <= largest + 1e-6))].flatten()[0].item()
        raise SipError(
            f"Epsilon {wrong:g} is not possible: choose a value from 0 to {largest:g} (for example 8/255)."
        )
    return float(epsilon) if values.ndim == 0 else values.to(images.device)


def _checked_budget(budget: Tensor, images: Tensor) -> Tensor:
    if not isinstance(budget, Tensor) or budget.is_complex():
        raise SipError(f"A budget is a tensor of shape (images, 1, height, width), not {_kind(budget)}.")
    shape = tuple(budget.shape)
    whole = (1,) * (4 - len(shape)) + shape
    fits = all(size in (1, full) for size, full in zip(whole[:2], images.shape[:2], strict=True))
    if len(shape) not in (2, 4) or not fits or whole[2:] != tuple(images.shape[2:]):
        raise SipError(
            f"The mask has shape {shape} and the images {tuple(images.shape)}: a mask needs the height and "
            "width of its image, as (images, 1, height, width)."
        )
    values = budget.detach().to(images.device, torch.float32)
    low, high = (float(bound) for bound in torch.aminmax(values))
    if not (low >= 0 and high <= 1):
        raise SipError(f"The budget holds values from {low:.4g} to {high:.4g}; it must lie in [0, 1].")
    return values.reshape(whole)


def _image_ids(indices: Tensor | Sequence[int], images: Tensor) -> Tensor:
    needed = f"{len(images)} images need {len(images)} whole-number indices"
    try:
        ids = torch.as_tensor(indices)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SipError(f"{needed}; {error}.") from error
    if ids.shape != (len(images),) or not _is_whole(ids):
        raise SipError(f"{needed}; got {ids.dtype} of shape {tuple(ids.shape)}.")
    return ids.to(images.device, torch.int64)


def _checked_batch_size(batch_size: int | Tensor | None, images: Tensor) -> int | Tensor:
    if batch_size is None:
        return len(images)
    values = torch.as_tensor(batch_size)
    if not _is_whole(values) or (values.ndim and values.shape != (len(images),)) or bool((values < 1).any()):
        raise SipError("A mini-batch size is a whole number of at least 1, or one such number per image.")
    return values.to(images.device) if values.ndim else int(values)


def _mean_weights(batch_size: int | Tensor, total: int) -> Tensor:
    """Return 1/n per image, n the size of the mini-batch it is in, the last and short one included."""
    if isinstance(batch_size, Tensor):
        return 1 / batch_size.float()
    sizes = torch.full((total,), min(batch_size, total))
    last = total % batch_size
    if last:
        sizes[-last:] = last
    return 1 / sizes.float()


def _cut(values: Tensor, rows: Tensor, padded: int, device: torch.device) -> Tensor:
    first, last = int(rows[0]), int(rows[-1]) + 1
    part = values[first:last]
    if padded > len(rows):
        filler = part[-1:].expand(padded - len(rows), *part.shape[1:])
        part = like(torch.cat([part, filler]), values) if part.ndim == 4 else torch.cat([part, filler])
    return part.to(device)
