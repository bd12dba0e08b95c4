"""The processes of one run: alone, or one of those that ``accelerate launch`` started."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any, cast

import torch
from torch import Tensor, nn

from sip_explorer.training.environment import resolve_device

WAIT = timedelta(hours=12)


class Ranks:
    """One process that trains alone.

    Attributes
    ----------
    rank, world : int
        Number of this process, from 0, and of all of them.
    device : torch.device
    """

    rank = 0
    world = 1

    def __init__(self, device: torch.device) -> None:
        self.device = device

    @property
    def main(self) -> bool:
        """Whether this process writes the run folder."""
        return self.rank == 0

    def wrapped(self, model: nn.Module) -> nn.Module:
        """Return the module whose backward pass averages the gradients of all processes."""
        return model

    @contextmanager
    def unsynchronised(self, module: nn.Module) -> Iterator[None]:
        """Add gradients up in this process alone, until a backward pass outside the block."""
        with nullcontext():
            yield

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over all processes."""
        return values

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` holds in any process."""
        return flag

    def agree(self, model: nn.Module) -> None:
        """Give all processes the same batch statistics: the mean of theirs."""

    def wait(self) -> None:
        """Wait until all processes are here."""

    def sentence(self, model: nn.Module) -> str:
        """Say how many processes share the work, and what becomes of batch statistics."""
        names = [type(module).__name__ for module in model.modules()]
        told = f"{self.world} processes share each batch"
        if "SyncBatchNorm" in names:
            return f"{told}; BatchNorm takes its statistics over the whole batch."
        if any(name.startswith("BatchNorm") for name in names):
            return (
                f"{told}; BatchNorm takes its statistics over each process's share (a CPU cannot join them)."
            )
        return f"{told}; the network has no batch statistics."

    def told(self, value: Any) -> Any:
        """Return the ``value`` of the process that writes."""
        return value


class LaunchedRanks(Ranks):
    """One of the processes of ``accelerate launch``, joined by accelerate.

    BatchNorm's statistics are taken over all processes on GPUs (`nn.SyncBatchNorm`); on CPUs, which have
    no such kernel, each process takes those of its own share, and they are averaged after every epoch.
    """

    def __init__(self, device: str) -> None:
        from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs

        self._accelerator = Accelerator(
            cpu=resolve_device(device).type == "cpu",
            # The recipe decides, not what accelerate was configured for.
            mixed_precision="no",
            dynamo_backend="no",
            kwargs_handlers=[
                # TRADES asks the model twice before it goes back; statistics must not be written in between.
                DistributedDataParallelKwargs(broadcast_buffers=False),
                # One process computes salience maps while the others wait, for longer than the ten minutes
                # after which NCCL gives up; where a process fails, the launcher ends all of them.
                InitProcessGroupKwargs(timeout=WAIT),
            ],
        )
        self.rank = int(self._accelerator.process_index)
        self.world = int(self._accelerator.num_processes)
        device_here = torch.device(self._accelerator.device)
        super().__init__(torch.device("cpu") if device_here.type == "cpu" else device_here)  # not cpu:0

    def wrapped(self, model: nn.Module) -> nn.Module:
        if self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]  # in place
        with warnings.catch_warnings():
            # A newer name of the option that older versions do not know.
            warnings.filterwarnings("ignore", message=".*broadcast_buffers.*", category=FutureWarning)
            return cast(nn.Module, self._accelerator.prepare_model(model, device_placement=False))

    @contextmanager
    def unsynchronised(self, module: nn.Module) -> Iterator[None]:
        with self._accelerator.no_sync(module):
            yield

    def sum(self, values: Tensor) -> Tensor:
        return cast(Tensor, self._accelerator.reduce(values.to(self.device), "sum"))

    def any(self, flag: bool) -> bool:
        return bool(self.sum(torch.tensor(float(flag))) > 0)

    def agree(self, model: nn.Module) -> None:
        if self.device.type == "cuda":  # they are synchronised all the time
            return
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                for statistic in (module.running_mean, module.running_var):
                    if statistic is not None:
                        statistic.copy_(self.sum(statistic) / self.world)

    def wait(self) -> None:
        self._accelerator.wait_for_everyone()

    def told(self, value: Any) -> Any:
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value])[0]


def ranks_of(device: str) -> Ranks:
    """Return the processes that this one belongs to, on the device that ``device`` names (or its share).

    ``accelerate launch`` says so by the variable WORLD_SIZE, as every launcher of torch.distributed does.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return LaunchedRanks(device)
    return Ranks(resolve_device(device))
