"""Make ``sip_explorer/models/fingerprints.json``: how torchvision's classifiers are told by their weights.

    python packaging/make_fingerprints.py

For each architecture: a digest of its key names and shapes without the last layer, the keys of the
last layer (its first axis counts the classes), the side of the images its published weights were
made for, and their normalisation where it is not ImageNet's.
"""

import json
from pathlib import Path

import torch
import torchvision
from torchvision.models import regnet

from sip_explorer.models.catalogue import fingerprint
from sip_explorer.models.normalisation import HALF, IMAGENET

TARGET = Path(__file__).resolve().parents[1] / "sip_explorer" / "models" / "fingerprints.json"
AUXILIARY = ("inception_v3", "googlenet")


def main() -> None:
    table: dict[str, dict[str, object]] = {}
    for name in torchvision.models.list_models(module=torchvision.models):
        shapes, others = key_shapes(name, 7), key_shapes(name, 9)
        head = [key for key in shapes if shapes[key] != others[key]]
        published = torchvision.models.get_model_weights(name).DEFAULT.transforms()
        entry: dict[str, object] = {"digest": fingerprint(shapes, head), "head": head}
        entry["size"] = published.crop_size[0]
        if name.startswith("vit_"):
            entry["size"] = 224  # and any other: the length of the position embedding tells
        normalisation = (tuple(published.mean), tuple(published.std))
        if name in AUXILIARY:
            normalisation = HALF  # their published weights undo ImageNet's inside (transform_input)
        if normalisation != IMAGENET:
            entry["normalisation"] = normalisation
        table[name] = entry
    digests = [entry["digest"] for entry in table.values()]
    assert len(set(digests)) == len(digests), "two architectures look the same"
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(table.items()))
    TARGET.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"{TARGET}: {len(table)} architectures, torchvision {torchvision.__version__}")


def key_shapes(name: str, classes: int) -> dict[str, tuple[int, ...]]:
    """Return key -> shape of the architecture, built without memory."""
    options: dict[str, object] = {"num_classes": classes}
    if name in AUXILIARY:
        options |= {"aux_logits": False, "init_weights": False}
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None, **options)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def regnet_on_meta() -> None:
    """Let RegNet work out its widths with real numbers although its layers are built without memory."""
    plain = regnet.BlockParams.from_init_params.__func__

    def with_numbers(cls: type, *values: object, **named: object) -> object:
        with torch.device("cpu"):
            return plain(cls, *values, **named)

    regnet.BlockParams.from_init_params = classmethod(with_numbers)


if __name__ == "__main__":
    regnet_on_meta()
    main()
