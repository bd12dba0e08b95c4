"""Do checkpoints of RobustBench's architectures load, and give RobustBench's logits?

    pip install --target FOLDER --no-deps robustbench==1.1.1 …    (and what its models import)
    PYTHONPATH=FOLDER python tests/benchmarks/robustbench_checkpoints.py [--largest 300]

Every model of RobustBench's lists (CIFAR-10, CIFAR-100, ImageNet; one of each architecture) is built by
that package with random weights and random statistics, saved as a state dict, and opened here without
being told anything. Compared are the logits of random images. Published weights are not needed, and none
are downloaded. Where a network differs from another in nothing that its keys show, the architecture that
gives the same logits must be among the candidates; the list says so. So it does where the code, not the
file, holds a normalisation that is not the one assumed ("not as assumed": a trial on images finds it).
"""

import argparse
import logging
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pyautoattack
import torch
from torch import nn

from sip_explorer.models import inspect_checkpoint, load_checkpoint, recognition
from sip_explorer.models.normalisation import HALF, NONE
from sip_explorer.records import SipError

TOLERANCE = 1e-5
VERDICTS = ("same", "another candidate", "not as assumed", "other logits", "unknown", "not built")
NORMALISATIONS = {"[0, 1]": NONE, "[−1, 1]": HALF}
SIDES = {"cifar10": 32, "cifar100": 32, "imagenet": 224}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--largest", type=float, default=300, help="millions of parameters at most")
    largest = arguments.parse_args().largest
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    counts = dict.fromkeys(VERDICTS, 0)
    seen: set[tuple[object, ...]] = set()
    with tempfile.TemporaryDirectory() as folder:
        for data, name, network in models():
            if isinstance(network, str):
                counts["not built"] += 1
                print(f"not built          {data:9s}{name}: {network}")
                continue
            shapes = tuple((key, tuple(value.shape)) for key, value in network.state_dict().items())
            size = sum(value.numel() for value in network.parameters()) / 1e6
            kind = (type(network).__name__, shapes)
            if kind in seen or size > largest:
                continue
            seen.add(kind)
            started = time.perf_counter()
            verdict, words = compare(network, SIDES[data], Path(folder) / "net.pt")
            counts[verdict] += 1
            seconds = time.perf_counter() - started
            print(f"{verdict:19s}{data:9s}{name} ({size:.1f} M): {words}, {seconds:.1f} s", flush=True)
    print("; ".join(f"{verdict} {count}" for verdict, count in counts.items()))


def models() -> Iterator[tuple[str, str, nn.Module | str]]:
    """Yield (data set, name, network with random weights, or why there is none)."""
    import sys

    torch.hub.load_state_dict_from_url = no_download
    sys.modules.setdefault("autoattack", pyautoattack)  # the same package under its former name
    from robustbench.model_zoo import model_dicts

    for data, threats in model_dicts.items():
        for models_of_threat in threats.values():
            for name, entry in models_of_threat.items():
                if data.value not in SIDES or "Standard" in name:
                    continue
                if isinstance(entry.get("gdrive_id"), list):
                    yield data.value, name, "an ensemble"
                    continue
                try:
                    yield data.value, name, entry["model"]().eval()
                except Exception as error:  # other people's code: what it needs may be missing
                    yield data.value, name, f"{type(error).__name__}: {str(error)[:80]}"


def no_download(address: str, **_: object) -> None:
    raise OSError(f"would download {address}")


def compare(network: nn.Module, side: int, path: Path) -> tuple[str, str]:
    """Save the network with random numbers in it, open the file, compare."""
    randomise(network)
    torch.save({"state_dict": network.state_dict(), "epoch": 1}, path)
    images = torch.rand(2, 3, side, side)
    with torch.no_grad():
        expected = network(images)
    info = inspect_checkpoint(path)
    if not info.architecture:
        return "unknown", f"{len(info.entries)} tensors"
    layout = recognition.find_layout(info.shapes)
    shapes = {key: info.shapes[stored] for key, stored in layout.keys.items()}
    words = []
    for name in recognition.candidates(shapes):
        try:
            with torch.no_grad():
                found = load_checkpoint(path, name)(images)
        except SipError as error:
            words.append(f"{name}: {error}")
            continue
        off = difference(found, expected)
        words.append(f"{name} off by {off:.1e}")
        if off <= TOLERANCE:
            return ("same" if name == info.architecture else "another candidate"), ", ".join(words)
    for what, pair in NORMALISATIONS.items():
        with torch.no_grad():
            found = load_checkpoint(path, normalisation=pair)(images)
        off = difference(found, expected)
        if off <= TOLERANCE:
            return "not as assumed", ", ".join([*words, f"with {what} off by {off:.1e}"])
    return "other logits", ", ".join(words)


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, as a share of the largest logit where that is above 1."""
    return ((found - expected).abs().max() / expected.abs().max().clamp(min=1)).item()


def randomise(network: nn.Module) -> None:
    """Give statistics and scales values that make every layer count."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, module.in_features**-0.5)


if __name__ == "__main__":
    main()
