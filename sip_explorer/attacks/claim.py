"""A sweep folder belongs to one sweep: settings, images and weights that its cells have in common."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sip_explorer.attacks.plan import AXES, SweepSpec
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import read_manifest, write_manifest


def claim_folder(
    folder: Path,
    spec: SweepSpec,
    models: Mapping[str, nn.Module],
    images: Tensor,
    labels: Tensor,
    ids: Tensor,
    device: torch.device,
) -> None:
    """Write the manifest, joined with the folder's own; SipError where the two are different sweeps."""
    before = read_manifest(folder) or {}
    selection = {
        "images": len(images),
        "shape": list(images.shape[1:]),
        "content": _digest(images, labels, ids),
        "indices": ids.tolist(),
    }
    hashes = {name: _digest(*model.state_dict().values()) for name, model in models.items()}
    for what, now in (("settings", spec.common()), ("selection", selection)):
        if before and before[what] != now:
            other = next(key for key in now if before[what].get(key) != now[key])
            raise SipError(
                f"The folder {folder} holds a sweep with other {what} ({other}): choose a new folder, or the "
                f"{what} of that sweep to go on with it."
            )
    for name, value in before.get("models", {}).items():
        if hashes.get(name, value) != value:
            raise SipError(
                f"The folder {folder} holds cells of another model named {name}: choose a new folder."
            )
    software = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "threads": torch.get_num_threads(),
    }
    environments = before.get("environments", [])
    axes = {
        axis: list(dict.fromkeys(before.get("axes", {}).get(axis, []) + spec.axes()[axis])) for axis in AXES
    }
    write_manifest(
        folder,
        {
            "settings": spec.common(),
            "axes": axes,
            "models": before.get("models", {}) | hashes,
            "selection": selection,
            "environments": environments + ([] if software in environments else [software]),
        },
    )


def _digest(*values: Tensor) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        digest.update(str((tuple(value.shape), value.dtype)).encode())
        digest.update(np.asarray(value.detach().cpu().contiguous().flatten().view(torch.uint8)).tobytes())
    return digest.hexdigest()
