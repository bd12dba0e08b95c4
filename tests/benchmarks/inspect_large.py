"""Print time and memory of a look into a checkpoint of 2 GB, each in a process of its own.

Run: python tests/benchmarks/inspect_large.py [gigabytes]. The files are as torch.save and safetensors write
them, but for holes in place of the tensors, so that the disk holds only the headers. Memory is the highest
resident size above that of an empty process of Python; time and memory include importing the program.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LAYERS = 300

CHILD = """
import resource, sys, time
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
before, began = peak(), time.perf_counter()
from sip_explorer.models import inspect_checkpoint
info = inspect_checkpoint(sys.argv[1])
took = time.perf_counter() - began
print(f"{info.size_bytes / 1e9:.2f} {len(info.entries)} {took:.3f} {peak() - before:.1f}")
assert "torch" not in sys.modules
"""


def large_safetensors(path: Path, size: int) -> None:
    """Write a safetensors file of about ``size`` bytes, its tensors in a hole."""
    each = size // LAYERS // 4096 * 4096
    table = {
        f"layers.{index}.weight": {
            "dtype": "F32",
            "shape": [each // 4096, 1024],
            "data_offsets": [index * each, (index + 1) * each],
        }
        for index in range(LAYERS)
    }
    header = json.dumps(table).encode()
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + LAYERS * each)


class Holes:
    """A file that keeps what is small of what is written to it, and a hole in place of the rest."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - closed by `close`

    def write(self, data: object) -> int:
        """Write ``data``, or only go on by as much."""
        length = memoryview(data).nbytes  # type: ignore[arg-type]
        if length > 2**20:
            self._file.seek(length, 1)
        else:
            self._file.write(data)  # type: ignore[arg-type]
        return length

    def flush(self) -> None:
        """Hand on what was written."""
        self._file.flush()

    def close(self) -> None:
        """End the file where the writing ended."""
        self._file.truncate()
        self._file.close()


def large_old(path: Path, size: int) -> None:
    """Write a file of PyTorch's format before 1.6: what torch.save writes, the storages in holes."""
    import torch

    each = size // LAYERS // 4096 * 4096
    file = Holes(path)
    state = {f"layers.{index}.weight": torch.empty(each // 4096, 1024) for index in range(LAYERS)}
    torch.save(state, file, _use_new_zipfile_serialization=False)
    file.close()


def large_zip(path: Path, size: int) -> None:
    """Write a torch file of about ``size`` bytes: the pickle of torch.save, the storages in holes."""
    import torch

    each = size // LAYERS // 4096 * 4096
    with torch.serialization.skip_data():
        torch.save({f"layers.{i}.weight": torch.empty(each // 4096, 1024) for i in range(LAYERS)}, path)


def main() -> None:
    """Print one line a format."""
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 2) * 1e9)
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (
            ("safetensors", large_safetensors),
            ("torch (zip)", large_zip),
            ("torch before 1.6", large_old),
        ):
            path = Path(folder) / "large"
            write(path, size)
            held = path.stat().st_blocks * 512 / 1e6
            run = subprocess.run(
                [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True
            )
            gigabytes, tensors, seconds, megabytes = run.stdout.split()
            print(
                f"{name}: {gigabytes} GB ({held:,.0f} MB on disk), {tensors} tensors, {seconds} s, "
                f"{megabytes} MB above an empty process"
            )
            path.unlink()


if __name__ == "__main__":
    main()
