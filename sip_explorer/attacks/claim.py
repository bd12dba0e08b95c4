"""A folder belongs to one sweep, evaluation or transfer: settings, images and weights in common."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sip_explorer.records import SipError
from sip_explorer.records.sweeps import FORMAT, REGIONS, read_manifest, write_manifest


def claim_folder(
    folder: Path,
    settings: Mapping[str, Any],
    axes: Mapping[str, list[Any]],
    models: Mapping[str, nn.Module],
    images: Tensor,
    labels: Tensor,
    ids: Tensor,
    device: torch.device,
    *,
    kind: str = "sweep",
    salience: Tensor | None = None,
    salience_source: str = "",
) -> None:
    """Write the manifest, joined with the folder's own where there are results.

    Parameters
    ----------
    folder
        Of the sweep; made if it is not there.
    settings
        What all cells share, as JSON values.
    axes
        What the cells differ in, as JSON values; values of an earlier start are kept.
    models
        Each known by the hash of its weights.
    images, labels, ids
        The selection: (N, C, H, W), (N,) and (N,).
    device
        Where the attack runs.
    kind
        What the sentences call it: sweep, evaluation or transfer.
    salience, salience_source
        (N, 1, H, W), where the attack is kept to regions, and where it comes from: parts of the manifest from
        the first such start on.

    Raises
    ------
    SipError
        The folder holds another sweep, or one of an earlier format.
    """
    a = "an" if kind[0] in "aeiou" else "a"
    before = read_manifest(folder) or {}
    if before and before["format"] < FORMAT:
        # Its cells do not say their step rule and restarts: new ones could not be told from them.
        raise SipError(
            f"The folder {folder} holds {a} {kind} of an earlier version of SIP Explorer, which can be read "
            "but not continued: choose a new folder."
        )
    if before and not any(folder.rglob("*.h5")):
        before = {}  # nothing has come of it, as where the labels were not the model's
    selection = {
        "images": len(images),
        "shape": list(images.shape[1:]),
        "content": digest(images, labels, ids),
        "indices": ids.tolist(),
    }
    hashes = {name: digest(*model.state_dict().values()) for name, model in models.items()}
    for what, now in (("settings", dict(settings)), ("selection", selection)):
        if before and before[what] != now:
            other = next(key for key in before[what] | now if before[what].get(key) != now.get(key))
            raise SipError(
                f"The folder {folder} holds {a} {kind} with other {what} ({other}): choose a new folder, or "
                f"the {what} of that {kind} to go on with it."
            )
    regions = before.get("salience", {})
    if salience is not None:
        regions = regions or {"content": digest(salience), "source": salience_source}
    if salience is not None and regions["content"] != digest(salience):
        raise SipError(
            f"The folder {folder} holds {a} {kind} with another salience of the same images (was one painted "
            "since?): choose a new folder."
        )
    for name, value in before.get("models", {}).items():
        if hashes.get(name, value) != value:
            raise SipError(
                f"The folder {folder} holds results of another model named {name}: choose a new folder."
            )
    software = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "threads": torch.get_num_threads(),
    }
    environments = before.get("environments", [])
    known = before.get("axes", {})
    if before and "regions" in axes:  # one from before there were any was everywhere
        known = {"regions": list(REGIONS[:1])} | known
    origins = {
        name: dict(found) for name, model in models.items() if (found := getattr(model, "origin", None))
    }
    write_manifest(
        folder,
        {
            "settings": dict(settings),
            "axes": {axis: list(dict.fromkeys(known.get(axis, []) + axes[axis])) for axis in axes},
            "models": before.get("models", {}) | hashes,
            "origins": before.get("origins", {}) | origins,
            **({"salience": regions} if regions else {}),
            "selection": selection,
            "environments": environments + ([] if software in environments else [software]),
        },
    )


def digest(*values: Tensor) -> str:
    """Return a hash of shapes, types and numbers: what two starts must have in common."""
    found = hashlib.blake2b(digest_size=16)
    for value in values:
        found.update(str((tuple(value.shape), value.dtype)).encode())
        found.update(np.asarray(value.detach().cpu().contiguous().flatten().view(torch.uint8)).tobytes())
    return found.hexdigest()
