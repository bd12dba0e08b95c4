"""The normalisations in common use, and their words."""

from collections.abc import Sequence

NONE = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CIFAR10 = ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
EFFICIENTNET_LITE = ((127 / 255,) * 3, (128 / 255,) * 3)

_NAMES = {
    IMAGENET: "ImageNet's",
    CIFAR10: "CIFAR-10's",
    HALF: "to [−1, 1]",
    EFFICIENTNET_LITE: "(x − 127) / 128 of 8-bit pixels",
}


def describe(mean: Sequence[float], std: Sequence[float]) -> str:
    """Return the normalisation (x - mean) / std in words."""
    if not any(mean) and all(value == 1 for value in std):
        return "none: the network takes [0, 1] as it is"
    figures = f"mean {_figures(mean)}, standard deviation {_figures(std)}"
    for (known_mean, known_std), name in _NAMES.items():
        if _close(mean, known_mean) and _close(std, known_std):
            return f"{name}: {figures}"
    return figures


def _figures(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in (values[:1] if len(set(values)) == 1 else values))


def _close(found: Sequence[float], known: Sequence[float]) -> bool:
    same = known[:1] if len(found) == 1 and len(set(known)) == 1 else known
    return len(found) == len(same) and all(abs(a - b) < 1e-3 for a, b in zip(found, same, strict=True))
