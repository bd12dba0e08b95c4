"""Networks that are no architecture of ours: the user's own class, and exported programs."""

from collections.abc import Mapping
from typing import Any

import torch

from sip_explorer.models import recognition
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.exported import load_exported
from sip_explorer.models.exported_files import EXPORTED, ExportedFile
from sip_explorer.models.filling import best_keys, fill
from sip_explorer.models.inspection import CheckpointInfo
from sip_explorer.models.making import Size, classifier_of, described, inside, none, origin_of
from sip_explorer.models.own_code import build_own, counted_classes, fitting_input
from sip_explorer.models.torch_tensors import read_state
from sip_explorer.records import SipError


def own_classifier(
    info: CheckpointInfo, name: str, ours: Mapping[str, Any], size: Size | None, classes: int, own_code: bool
) -> Classifier:
    """Return the classifier of a user's own class; what it needs beside its weights is inside it."""
    classes = classes or (len(ours["classes"]) if ours else counted_classes(info.shapes))
    network = build_own(info.path, name, classes, own_code=own_code)
    layout = recognition.find_layout(info.shapes)
    keys = {key: key for key in info.shapes}
    candidates = [keys]
    while keys and len({key.partition(".")[0] for key in keys}) == 1 and all("." in key for key in keys):
        keys = {key.partition(".")[2]: stored for key, stored in keys.items()}
        candidates.append(keys)
    names = best_keys([*candidates, layout.keys], network.state_dict().keys())
    read = read_state(info)
    fill(info.path, name, network, {key: read[stored] for key, stored in names.items()})
    given = size or (tuple(ours["input_shape"]) if ours else None)
    shape, count = fitting_input(info.path, name, network, given, info.shapes)
    if ours:
        if len(ours["classes"]) != count:
            raise SipError(
                f"{info.path} names {len(ours['classes'])} classes and {name} has {count}; check it."
            )
        labels, values, origin = described(info, name, ours, layout, {}, shape[0], count)
    else:
        used = set(names.values())
        found = None if layout.mean in used else inside(layout, read, shape[0])
        values, source = found or (none(shape[0]), "assumed: none, the class may normalise by itself")
        labels = tuple(f"class {index}" for index in range(count))
        origin = origin_of(info, normalisation=source, classes="not named in the file")
    return classifier_of(info, network, name, labels, shape, values, origin)


def exported_classifier(
    info: CheckpointInfo, architecture: str | None, size: Size | None, own_code: bool, device: torch.device
) -> Classifier:
    program: ExportedFile = info.metadata["program"]
    if architecture not in (None, EXPORTED):
        raise SipError(
            f"{info.path} is an exported program, not a {architecture}; leave the architecture open."
        )
    if size is not None and tuple(size) != program.input_shape:
        taken = " × ".join(map(str, program.input_shape))
        raise SipError(f"{info.path} was exported for images of {taken}; leave the size open.")
    network = load_exported(info.path, program, own_code=own_code, device=device)
    mode = "training" if program.training else "evaluation"
    origin = origin_of(
        info,
        normalisation="assumed: none, the program may normalise by itself",
        classes="not named in the file",
    )
    origin["mode"] = f"fixed by the export: {mode}"
    if program.training:
        origin["mode"] += ", so a prediction depends on the batch or on chance; export the model after eval()"
    if program.batch:
        origin["batch"] = f"fixed by the export: {program.batch} images at once"
    labels = tuple(f"class {index}" for index in range(program.classes))
    shape = program.input_shape
    return classifier_of(info, network, EXPORTED, labels, shape, none(shape[0]), origin)
