"""What a person is told of a set before it is imported."""

from collections.abc import Sequence

from sip_explorer.data.sources.listing import SourceImage


def class_note(classes: Sequence[str], origin: str) -> tuple[str, ...]:
    """Say how many classes there are and after what they are named."""
    if not classes:
        return ()
    shown = ", ".join(classes[:3]) + (", …" if len(classes) > 3 else ".")
    return (f"{len(classes)} classes, named after {origin}: {shown}",)


def split_note(images: Sequence[SourceImage]) -> tuple[str, ...]:
    """Say the split that the set brings, where it has one."""
    test = sum(image.test is True for image in images)
    train = sum(image.test is False for image in images)
    if not test and not train:
        return ()
    return (f"Its own split: {train:,} images for training, {test:,} for testing.",)


def extras_note(images: Sequence[SourceImage]) -> tuple[str, ...]:
    """Say how many images bring boxes and object masks, where some do."""
    boxed = sum(bool(image.boxes) for image in images)
    masked = sum(image.segmentation is not None for image in images)
    notes = []
    if masked:
        notes.append(f"Object masks of {masked:,} images.")
    if boxed:
        notes.append(f"Boxes of {boxed:,} images.")
    return tuple(notes)
