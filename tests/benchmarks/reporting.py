"""What the benchmarks have in common: how a run is described, kept on disk and printed."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sip_explorer.records.atomic import write_text
from sip_explorer.records.intervals import wilson

ROOT = Path(__file__).resolve().parents[2]


def parser(documentation: str, name: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--threads", type=int, default=torch.get_num_threads())
    made.add_argument("--seed", type=int, default=0)
    made.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "benchmarks" / name,
        help="folder of what is known so far; a run that was broken off goes on from it",
    )
    return made


def machine(device: str = "cpu") -> str:
    """Return where figures come from: software, threads, processor and what it can do."""
    able = torch.cpu.get_capabilities()
    amx = "AMX" if has_amx() else "no AMX"
    halves = (
        ", ".join(name for name in ("avx512_bf16", "avx512_fp16") if able.get(name)) or "no AVX-512 halves"
    )
    words = (
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"{able.get('cpu_name') or platform.machine()} "
        f"({torch.backends.cpu.get_cpu_capability()}, {halves}, {amx})"
    )
    return words if device == "cpu" else f"{words}, {torch.cuda.get_device_name(device)}"


def has_amx() -> bool:
    """Return whether the processor multiplies bfloat16 matrices in tiles."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def load() -> str:
    """Return how busy the machine is; timings count only where nothing else runs."""
    minute, *_ = os.getloadavg()
    return f"load average of the last minute {minute:.1f} on {os.cpu_count()} cores"


def say(*words: object) -> None:
    """Tell how far the run is, beside the figures."""
    print(*words, file=sys.stderr, flush=True)


def share(count: int, total: int) -> str:
    """Return a share in percent with its 95 % interval (Wilson) and the counts."""
    low, high = wilson(count, total)
    return f"{100 * count / total:.1f} % ({100 * low:.1f} to {100 * high:.1f}; {count} of {total})"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(value) for value in line) + " |" for line in lines)


class Ledger:
    """Figures by name in one JSON file, on disk as soon as they are known.

    ``settings`` say what they are figures of; a file with others is refused, since figures of two
    machines or two selections do not compare.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        settings = json.loads(json.dumps(settings))
        self._content: dict[str, Any] = {"settings": settings, "figures": {}}
        if path.exists():
            self._content = json.loads(path.read_text(encoding="utf-8"))
            before = self._content["settings"]
            for name in before | settings:
                if before.get(name) != settings.get(name):
                    raise SystemExit(
                        f"{path} holds figures with {name} {before.get(name)!r}, not {settings.get(name)!r}: "
                        "choose another --out, or the settings of that run to go on with it."
                    )

    def get(self, name: str) -> Any:
        """Return a figure, None where it is not known yet."""
        return self._content["figures"].get(name)

    def put(self, name: str, value: Any) -> Any:
        """Keep a figure on disk and return it."""
        self._content["figures"][name] = value
        write_text(self._path, json.dumps(self._content, indent=1, ensure_ascii=False) + "\n")
        return value
