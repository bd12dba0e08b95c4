"""Checkpoints into classifiers."""

from collections.abc import Sequence
from pathlib import Path

import torch

from sip_explorer.models import recognition
from sip_explorer.models.architectures import hollow_network
from sip_explorer.models.catalogue import head_key, is_architecture
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.filling import fill
from sip_explorer.models.heads import other_heads, two_heads
from sip_explorer.models.inspection import CheckpointInfo, inspect_checkpoint
from sip_explorer.models.making import Normalisation, Size, classifier_of, described, naming
from sip_explorer.models.other_networks import exported_classifier, own_classifier
from sip_explorer.models.own_code import is_own_code
from sip_explorer.models.own_files import our_metadata
from sip_explorer.models.refusals import check_tensors, unknown_architecture
from sip_explorer.models.torch_tensors import read_state
from sip_explorer.records import SipError


def load_checkpoint(
    path: Path | str,
    architecture: str | None = None,
    *,
    weights: str | None = None,
    classes: Sequence[str] | None = None,
    normalisation: Normalisation | None = None,
    input_shape: Size | None = None,
    own_code: bool = False,
    device: str | torch.device = "cpu",
) -> Classifier:
    """Return the classifier of a checkpoint file, in evaluation mode, in float32.

    Nothing in the file is executed: tensors are read as plain bytes, whatever lies beside them. What a
    foreign file does not say (normalisation, class names) is assumed, and ``origin`` says so.

    Parameters
    ----------
    path : path
        Safetensors (ours or any state dict), a torch file that holds a state dict at any depth, or a
        program of ``torch.export.save`` (.pt2).
    architecture : str, optional
        A name of `architecture_names`, or ``package.module:Class`` with ``own_code``; found from keys
        and shapes if None.
    weights : str, optional
        Which of the file's state dicts: a name of `CheckpointInfo.variants`; the first if None.
    classes : sequence of str, optional
        One name per logit, in place of those of the file.
    normalisation : (mean, std), optional
        One float per channel each, in units of the [0, 1] image, in place of the file's or the
        assumed one.
    input_shape : (C, H, W), optional
        The images that the network takes, in place of what its weights tell.
    own_code : bool
        Whether a person agreed that code is run: ``package.module``, or what an exported program
        carries.

    Raises
    ------
    SipError
        If the file is damaged, foreign, of an unknown architecture or does not fit the given one.
    """
    info = inspect_checkpoint(path, weights)
    if info.kind == "exported":
        classifier = exported_classifier(info, architecture, input_shape, own_code, torch.device(device))
    else:
        check_tensors(info)
        classifier = _of_state(info, architecture, input_shape, len(classes or ()), own_code)
    if info.weights and len(info.variants) > 1:
        classifier.origin["weights"] = f"{info.weights} (the file holds {', '.join(info.variants)})"
    if normalisation is not None:
        classifier = _normalised(info, classifier, normalisation)
    if classes is not None:
        if len(classes) != len(classifier.classes):
            raise SipError(
                f"{info.path} has {len(classifier.classes)} classes, not {len(classes)}; name as many."
            )
        classifier.classes = tuple(classes)
        classifier.origin["classes"] = "given"
    return classifier.eval().to(device)


def _of_state(
    info: CheckpointInfo, architecture: str | None, size: Size | None, classes: int, own_code: bool
) -> Classifier:
    ours = our_metadata(info, architecture)
    name = architecture or info.architecture
    if is_own_code(name):
        return own_classifier(info, name, ours, size, classes, own_code)
    if not is_architecture(name):
        raise (not name and two_heads(info)) or unknown_architecture(info, name)
    layout = recognition.find_layout(info.shapes)
    shapes = {key: info.shapes[stored] for key, stored in layout.keys.items()}
    state = read_state(info)
    if not ours and not shapes.get(head_key(name)):
        raise SipError(
            f"{info.path} lacks {head_key(name)} of a {name}; choose the architecture it was trained with, "
            "or a file that is whole."
        )
    shape = size or (tuple(ours["input_shape"]) if ours else recognition.input_shape(name, shapes))
    names, values, origin = described(
        info, name, ours, layout, state, shape[0], shapes.get(head_key(name), (0,))[0]
    )
    network_state = {key: state[stored] for key, stored in layout.keys.items()}
    try:
        network = hollow_network(name, shape, len(names))
        extra = [key for key in network_state if key not in network.state_dict()]
        if architecture and (others := other_heads(shapes, extra, head_key(name))):
            network_state = {key: value for key, value in network_state.items() if key not in extra}
            origin["head"] = f"{head_key(name)}; left out: {', '.join(others)}"
        fill(info.path, name, network, network_state)
    except SipError as error:
        raise naming(info, error) from error
    return classifier_of(info, network, name, names, shape, values, origin)


def _normalised(info: CheckpointInfo, classifier: Classifier, values: Normalisation) -> Classifier:
    origin = {**classifier.origin, "normalisation": "given"}
    return classifier_of(
        info,
        classifier.network,
        classifier.architecture,
        classifier.classes,
        classifier.input_shape,
        values,
        origin,
    )
