"""What is assumed of a checkpoint that does not say it: its normalisation and the names of its classes."""

from collections.abc import Sequence

from sip_explorer.models.catalogue import CIFAR10_CLASSES, CIFAR_RESNETS, fingerprints

Normalisation = tuple[Sequence[float], Sequence[float]]


def assumed_normalisation(name: str, channels: int) -> tuple[Normalisation, str]:
    """Return the (mean, std) of an architecture's usual weights, and a sentence that says so."""
    if name in fingerprints():
        return fingerprints()[name].normalisation, (
            "assumed: the file does not say, so the one of torchvision's published weights"
        )
    return ((0.0,) * channels, (1.0,) * channels), (
        "assumed: the file does not say, and CIFAR networks trained for robustness take [0, 1]"
    )


def assumed_classes(name: str, count: int, channels: int) -> tuple[Sequence[str], str]:
    """Return one class name per logit, and where they are from."""
    if name in fingerprints() and count == 1000:
        import torchvision

        weights = torchvision.models.ResNet18_Weights.DEFAULT
        return tuple(weights.meta["categories"]), "assumed: ImageNet's 1000"
    if name in CIFAR_RESNETS and count == 10 and channels == 3:
        return CIFAR10_CLASSES, "assumed: CIFAR-10's"
    return tuple(f"class {index}" for index in range(count)), "not named in the file"
