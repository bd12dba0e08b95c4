"""Does every classifier of timm and torchvision load from its own state dict, with the same logits?

    python tests/benchmarks/timm_checkpoints.py [--largest 30] [--library timm] [--only-keys]

Each is built by its library with random weights and saved; the file is opened here without being told
anything, and the logits of two random images are compared. ``--only-keys`` asks of every network,
however large, whether its keys are recognised.
"""

import argparse
import logging
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import timm
import torch
import torchvision
from torch import nn

from sip_explorer.models import load_checkpoint
from sip_explorer.models.architectures import hollow_network
from sip_explorer.models.fingerprints import TIMM, TIMM_PREFIX, fingerprint_of, fingerprints
from sip_explorer.models.recognition import candidates, find_layout, input_shape
from sip_explorer.records import SipError

TOLERANCE = 1e-5


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--largest", type=float, default=30, help="millions of parameters at most")
    arguments.add_argument("--library", choices=("timm", "torchvision"), default="timm")
    arguments.add_argument("--only-keys", action="store_true")
    chosen = arguments.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    counts: Counter[str] = Counter()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(fingerprints(chosen.library)):
            full = TIMM_PREFIX + name if chosen.library == TIMM else name
            verdict, words = (
                of_keys(full)
                if chosen.only_keys
                else of_logits(full, Path(folder) / "net.pt", chosen.largest)
            )
            counts[verdict] += 1
            if verdict not in ("same", "recognised", "too large"):
                print(f"{verdict}: {full} {words}", flush=True)
    listed = ", ".join(f"{verdict} {count}" for verdict, count in counts.most_common())
    print(f"{chosen.library}: {listed}; {time.perf_counter() - started:.0f} s")


def build(name: str) -> nn.Module:
    """Return the network as its library builds it, for 6 classes."""
    if name.startswith(TIMM_PREFIX):
        return timm.create_model(name.removeprefix(TIMM_PREFIX), pretrained=False, num_classes=6)  # type: ignore[no-any-return]
    options = {"aux_logits": False, "init_weights": True} if name in ("inception_v3", "googlenet") else {}
    return torchvision.models.get_model(name, weights=None, num_classes=6, **options)  # type: ignore[no-any-return]


def of_keys(name: str) -> tuple[str, str]:
    """Whether the name is among the candidates for its keys, and whether it comes first."""
    known = fingerprint_of(name)
    assert known is not None
    try:
        state = hollow_network(name, (3, known.size, known.size), 6).state_dict()
    except SipError as error:
        return "not built", str(error)
    found = candidates({key: tuple(value.shape) for key, value in state.items()})
    if found[:1] == (name,):
        return "recognised", ""
    return ("after another", f"after {found[0]}") if name in found else ("not recognised", str(found))


def of_logits(name: str, path: Path, largest: float) -> tuple[str, str]:
    """Whether a file of the network gives the library's logits."""
    with torch.device("meta"):
        try:
            size = sum(value.numel() for value in build(name).parameters()) / 1e6
        except NotImplementedError:
            size = 0.0
    if size > largest:
        return "too large", f"{size:.0f} M"
    network = build(name).eval()
    for value in network.parameters():
        if value.ndim < 2 or not value.any():
            nn.init.normal_(value, 0.5 if value.ndim < 2 else 0.0, 0.2)
    torch.save(network.state_dict(), path)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    keys = find_layout(shapes).keys
    if not candidates({key: shapes[stored] for key, stored in keys.items()}):
        return "not recognised", ""
    try:
        back = load_checkpoint(path)
        images = torch.rand(2, *input_shape(back.architecture, shapes))
        with torch.no_grad():
            expected, found = network((images - back.mean) / back.std), back(images)
            off = ((found - expected).abs() / expected.abs().clamp(min=1)).max().item()
            if off > TOLERANCE and back.architecture != name:
                back = load_checkpoint(path, name)
                expected, found = network((images - back.mean) / back.std), back(images)
                other = ((found - expected).abs() / expected.abs().clamp(min=1)).max().item()
                verdict = "as another candidate" if other <= TOLERANCE else "other logits"
                return verdict, f"off by {off:.1e} as {candidates(shapes)[0]}, {other:.1e} as itself"
    except Exception as error:  # a network that fails is a finding; the others still count
        return "failed", f"{type(error).__name__}: {str(error)[:150]}"
    return ("same", "") if off <= TOLERANCE else ("other logits", f"off by {off:.1e}")


if __name__ == "__main__":
    main()
