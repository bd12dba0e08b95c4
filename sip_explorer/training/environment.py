"""Where and with what a run works: the device, the arithmetic, the versions."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import sip_explorer
from sip_explorer.records import SipError


def resolve_device(name: str) -> torch.device:
    """Return the device that ``name`` ("auto", "cpu", "cuda", "cuda:1") means on this machine."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SipError(f"There is no device {name!r}: use auto, cpu, cuda or cuda:0.") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SipError(
            f"The device {name!r} is not on this machine ({torch.cuda.device_count()} CUDA devices): "
            "use auto or cpu."
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SipError(f"The device {name!r} is not on this machine: use auto or cpu.")
    if device.type not in ("cpu", "cuda", "mps"):
        raise SipError(f"The device {name!r} is not supported: use auto, cpu or cuda.")
    return device


def resolve_precision(name: str, device: torch.device) -> str:
    """Return the arithmetic that ``name`` means: "auto" is bfloat16 where the hardware has it."""
    if name != "auto":
        return name
    return "bfloat16" if _gains_from_bfloat16(device) else "float32"


def _gains_from_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@contextmanager
def threads(recorded: int | None, device: torch.device) -> Iterator[None]:
    """Work with the thread count that the run began with: sums depend on it in their last bits."""
    here = torch.get_num_threads()
    if recorded is None or device.type != "cpu" or recorded == here:
        yield
        return
    torch.set_num_threads(int(recorded))
    try:
        yield
    finally:
        torch.set_num_threads(here)


def describe_environment(device: torch.device, **decided: Any) -> dict[str, Any]:
    """Return versions, device, threads and what the run ``decided``, for environment.json."""
    return {
        "sip_explorer": sip_explorer.__version__,
        "commit": _commit(),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.machine()}",
        **{name: _version(name) for name in ("torch", "torchvision", "numpy", "h5py", "safetensors")},
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        **decided,
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    """Return the commit of the checkout that the program runs from; empty outside one."""
    root = Path(sip_explorer.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
