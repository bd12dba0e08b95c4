"""The rows of one batch under Auto-PGD: images come in, climb, break or finish, and make room.

Everything is per row: what row i holds never depends on row j, so an image's climb is the same in
any company and order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sip_explorer.attacks.apgd_queue import RunQueue
from sip_explorer.attacks.ball import PIXELS, inner_radius, length_of, like, room
from sip_explorer.attacks.keyed import image_keys, standard_normal, symmetric_uniform
from sip_explorer.attacks.losses import attack_loss
from sip_explorer.attacks.quiet import QuietModel, Reading, ordinary
from sip_explorer.attacks.steps import StepRule, ascent_direction, random_direction

if TYPE_CHECKING:
    from sip_explorer.attacks.apgd import APGD, Run

MOMENTUM = 0.75  # alpha of Croce and Hein (2020, eq. 4)


@dataclass(frozen=True)
class Work:
    """All images of a call, on the model's device.

    ``images`` (N, C, H, W), ``labels`` (N,), ``epsilon`` (N, 1, 1, 1), ``budget`` (N, C, H, W) or None,
    ``ids`` (N,), ``movable`` (N,) bool, ``ranking`` (N, K): classes, the likeliest at the clean image
    first.
    """

    images: Tensor
    labels: Tensor
    epsilon: Tensor
    budget: Tensor | None
    ids: Tensor
    movable: Tensor
    ranking: Tensor


class Slots:
    """The attack on its way: ``micro_batch`` rows, and per image what was ``found``.

    ``found`` (N, C, H, W): the image that broke the model, else the one of largest loss of the first
    loss; ``broken_by`` (N,): the run, -1 for none.
    """

    def __init__(
        self, attack: "APGD", model: QuietModel, work: Work, runs: Sequence["Run"], epoch: int
    ) -> None:
        self._attack, self._model, self._work, self._runs, self._epoch = attack, model, work, runs, epoch
        count, device = len(work.images), work.images.device
        self.found = work.images.clone()
        self.broken_by = torch.full((count,), -1, device=device)
        self._steps = work.images.new_zeros(count, len(runs))
        self._zero = self._steps.clone()  # of those steps, without a gradient
        self._highest = work.images.new_full((count,), -torch.inf)
        self._windows = _windows(attack.steps, device)
        rows = torch.zeros(attack.micro_batch, dtype=torch.int64, device=device)
        self._image, self._run = rows.clone(), rows.clone()
        self._time, self._blind = rows.clone(), rows.clone()  # steps of this run; those without a gradient
        self._active = torch.zeros(attack.micro_batch, dtype=torch.bool, device=device)
        clean = work.images[rows]  # rows without work hold the first image and stand still
        self._clean, self._labels, self._targets = clean, work.labels[rows], work.labels[rows]
        self._budget = None if work.budget is None else work.budget[rows]
        self._low, self._high = torch.zeros_like(clean), torch.zeros_like(clean)
        self._epsilon = work.epsilon[rows]
        self._length = self._epsilon.clone()
        self._offset, self._before = torch.zeros_like(clean), torch.zeros_like(clean)  # u, u of a step ago
        self._best, self._best_gradient = torch.zeros_like(clean), torch.zeros_like(clean)
        loss = clean.new_zeros(attack.micro_batch)
        self._loss, self._best_loss, self._checked_loss = loss, loss.clone(), loss.clone()
        self._climbed = loss.clone()  # steps of this window that raised the loss
        self._halved = torch.ones_like(self._active)

    def climb(self, images: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Attack the images at these places; after each step yield how many are finished and broken."""
        queue = RunQueue(images, len(self._runs))
        rows: dict[tuple[int, int], int] = {}
        free = list(range(self._attack.micro_batch))
        while True:
            loaded = []
            while free and (item := queue.next()):
                rows[item] = free.pop(0)
                loaded.append((rows[item], *item))
            self._load(loaded)
            if not rows:
                return
            over, fooled = self._step()
            ended = {item: row for item, row in rows.items() if over[row]}
            self._count(list(ended.values()))
            for image, run in ended:
                if (image, run) not in rows:  # an earlier run of this very step has made it useless
                    continue
                useless = queue.over(image, run, broke=fooled[rows[image, run]])
                free += [rows.pop((image, other)) for other in [run, *useless]]
            self._rest(free)
            winners = [row for (image, run), row in ended.items() if queue.broken_by(image) == run]
            failed: dict[int, list[int]] = {}
            for (image, run), row in ended.items():
                if queue.broken_by(image) is None:
                    failed.setdefault(run, []).append(row)
            self._keep(winners, failed)
            for image in dict.fromkeys(image for image, _ in ended):
                queue.settle(image)
            yield queue.finished, queue.broken

    def counts(self) -> tuple[Tensor, Tensor]:
        """Return the steps (N,) int64 of the runs up to the verdict, and the share without a gradient."""
        last = torch.where(self.broken_by < 0, len(self._runs), self.broken_by)
        told = torch.arange(len(self._runs), device=last.device) <= last[:, None]
        steps, zero = ((values * told).sum(1) for values in (self._steps, self._zero))
        return steps.long(), zero / steps.clamp(min=1)

    def _load(self, loaded: Sequence[tuple[int, int, int]]) -> None:
        """Begin runs: for each (row, image, run) the start, and nothing remembered."""
        if not loaded:
            return
        device, work = self._clean.device, self._work
        rows, images, runs = torch.tensor(loaded, device=device).unbind(1)
        clean, epsilon = work.images[images], work.epsilon[images]
        self._image[rows], self._run[rows] = images, runs
        self._time[rows], self._blind[rows], self._active[rows] = 0, 0, True
        self._clean[rows], self._epsilon[rows], self._length[rows] = clean, epsilon, 2 * epsilon
        self._labels[rows] = work.labels[images]
        ranks = torch.tensor([run.rank for run in self._runs], device=device)[runs]
        self._targets[rows] = work.ranking[images, ranks]
        budget = None
        if work.budget is not None and self._budget is not None:
            self._budget[rows] = budget = work.budget[images]
        low, high = room(clean, budget)
        if self._attack.norm == "linf":
            low, high = torch.maximum(low, -epsilon), torch.minimum(high, epsilon)
        self._low[rows], self._high[rows] = low, high
        start = self._start(work.ids[images], runs, clean, epsilon, budget)
        start = torch.minimum(torch.maximum(start, low), high)
        self._offset[rows], self._before[rows] = start, start
        self._climbed[rows], self._halved[rows] = 0, True

    def _start(
        self, ids: Tensor, runs: Tensor, clean: Tensor, epsilon: Tensor, budget: Tensor | None
    ) -> Tensor:
        """Return a random offset on the border of the ball, as the authors' is, keyed by image and run."""
        noise = torch.empty_like(clean)
        for run in sorted(set(runs.tolist())):
            mine = runs == run
            keys = image_keys(ids[mine], self._attack.seed, self._epoch, run, 0)
            draw = symmetric_uniform if self._attack.norm == "linf" else standard_normal
            noise[mine] = draw(keys, clean.shape[1:])
        if budget is not None:
            noise = noise * (budget > 0)
        if self._attack.norm == "l2":
            return noise / length_of(noise).clamp(min=1e-12) * inner_radius(epsilon, noise)
        return noise / noise.abs().amax(PIXELS, keepdim=True).clamp(min=1e-12) * epsilon

    def _step(self) -> tuple[list[bool], list[bool]]:
        """Read the rows, remember, and step on; return which runs are over and which broke their image."""
        attack, self._shown = self._attack, self._pixels(self._offset)
        reading = self._model.climb(
            self._shown,
            self._losses,
            torch.ones_like(self._loss),
            precision=attack.precision,
            draws=attack.eot,
        )
        self._model.require_finite()
        fooled = self._active & self._fooled(reading, self._shown)
        assert reading.gradient is not None
        self._remember(reading, reading.gradient)
        over = self._active & (fooled | (self._time == attack.steps))
        self._active = self._active & ~over
        self._taken = self._time
        self._move()
        return over.tolist(), fooled.tolist()

    def _losses(self, logits: Tensor) -> Tensor:
        """Return every row's loss under its own run, all computed at the one shape."""
        run, labels, aims = map(ordinary, (self._run, self._labels, self._targets))
        total = logits.new_zeros(len(logits))
        for kind in dict.fromkeys((run.loss, run.rank > 0) for run in self._runs):
            numbers = [n for n, run in enumerate(self._runs) if (run.loss, run.rank > 0) == kind]
            mine = torch.isin(run, torch.tensor(numbers, device=logits.device))
            # Targets of other rows may be their labels; their values are not used.
            targets = torch.where(mine, aims, (labels + 1) % logits.shape[1])
            loss = attack_loss(kind[0], logits, labels, targets if kind[1] else None)
            total = torch.where(mine, loss, total)
        return total

    def _fooled(self, reading: Reading, pixels: Tensor) -> Tensor:
        wrong = reading.predictions != self._labels
        if self._attack.precision == "float32" or not bool((wrong & self._active).any()):
            return wrong
        exact = self._model.ask(pixels, self._losses, draws=self._attack.eot, judge=True)
        return wrong & (exact.predictions != self._labels)

    def _remember(self, reading: Reading, gradient: Tensor) -> None:
        """Take in the loss here, the best so far, and halve the step where a check says so."""
        loss, fresh = reading.loss, self._time == 0
        self._climbed += ((loss > self._loss) & ~fresh).float()
        self._loss = loss
        better = fresh | (loss > self._best_loss)
        rows = better[:, None, None, None]
        self._best_loss = torch.where(better, loss, self._best_loss)
        self._best = torch.where(rows, self._offset, self._best)
        self._best_gradient = torch.where(rows, gradient, self._best_gradient)
        self._checked_loss = torch.where(fresh, loss, self._checked_loss)
        self._gradient = gradient
        window = self._windows[self._time]
        check = window > 0
        if not bool((check & self._active).any()):
            return
        stalled = self._climbed <= self._attack.rho * window  # eq. 5, condition 1
        same = ~self._halved & (self._checked_loss >= self._best_loss)  # condition 2
        halve = check & (stalled | same)
        rows = halve[:, None, None, None]
        self._length = torch.where(rows, self._length / 2, self._length)
        self._offset = torch.where(rows, self._best, self._offset)
        self._gradient = torch.where(rows, self._best_gradient, self._gradient)
        self._halved = torch.where(check, halve, self._halved)
        self._checked_loss = torch.where(check, self._best_loss, self._checked_loss)
        self._climbed = torch.where(check, 0, self._climbed)

    def _count(self, rows: Sequence[int]) -> None:
        """Write down the steps of the runs that are over."""
        places = torch.tensor(rows, dtype=torch.int64, device=self._image.device)
        images, runs = self._image[places], self._run[places]
        self._steps[images, runs] = self._taken[places].float()
        self._zero[images, runs] = self._blind[places].float()

    def _rest(self, rows: Sequence[int]) -> None:
        """Let rows stand still that have no work."""
        self._active[torch.tensor(rows, dtype=torch.int64, device=self._image.device)] = False

    def _keep(self, winners: Sequence[int], failed: Mapping[int, list[int]]) -> None:
        """Keep what broke an image, and from ``failed`` rows by run the best where nothing has."""
        device = self._image.device
        if winners:
            rows = torch.tensor(winners, device=device)
            self.found[self._image[rows]] = self._shown[rows]
            self.broken_by[self._image[rows]] = self._run[rows]
        lead = self._runs[0]
        for run in sorted(failed):  # restarts of one image may end together: in their order
            if (self._runs[run].loss, self._runs[run].rank) != (lead.loss, lead.rank):
                continue
            rows = torch.tensor(failed[run], device=device)
            rows = rows[self._best_loss[rows] > self._highest[self._image[rows]]]
            self._highest[self._image[rows]] = self._best_loss[rows]
            self.found[self._image[rows]] = self._pixels(self._best)[rows]

    def _move(self) -> None:
        """Take a step with momentum (eqs. 3 and 4) in every row that is still at work."""
        rule: StepRule = "sign" if self._attack.norm == "linf" else "normalised"
        direction, none = ascent_direction(self._gradient, rule, budget=self._budget)
        none &= self._active
        if bool(none.any()):
            direction = torch.where(none[:, None, None, None], self._at_random(rule), direction)
        self._blind += none
        ahead = self._projected(self._offset + self._length * direction)
        share = torch.where(self._time == 0, 1.0, MOMENTUM)[:, None, None, None]
        moved = self._projected(
            self._offset + share * (ahead - self._offset) + (1 - share) * (self._offset - self._before)
        )
        self._before = self._offset
        self._offset = torch.where(self._active[:, None, None, None], moved, self._offset)
        self._time = torch.where(self._active, self._time + 1, self._time)

    def _at_random(self, rule: StepRule) -> Tensor:
        ids = self._work.ids[self._image]
        keys = image_keys(ids ^ (self._run << 32) ^ (self._time + 1), self._attack.seed, self._epoch)
        return random_direction(keys, self._clean, rule, self._budget)

    def _projected(self, offset: Tensor) -> Tensor:
        if self._attack.norm == "l2":
            radius = inner_radius(self._epsilon, offset)
            offset = offset * (radius / length_of(offset).clamp(min=1e-30)).clamp(max=1)
        return torch.minimum(torch.maximum(offset, self._low), self._high)

    def _pixels(self, offset: Tensor) -> Tensor:
        shift = offset if self._budget is None else offset * self._budget
        return like((self._clean + shift).clamp_(0, 1), self._clean)


def _windows(steps: int, device: torch.device) -> Tensor:
    """Return, per number of steps taken, the length of the window that a check ends there; else 0.

    The checks of Croce and Hein (2020, section 3.1): after 22 % of the steps, then ever shorter windows,
    3 % less each, down to 6 %.
    """
    window, shortest, shrink = (max(int(share * steps), 1) for share in (0.22, 0.06, 0.03))
    windows = torch.zeros(steps + 1, dtype=torch.int64)
    place = window
    while place <= steps:
        windows[place] = window
        window = max(window - shrink, shortest)
        place += window
    return windows.to(device)
