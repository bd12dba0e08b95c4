"""A look into a program of ``torch.export.save`` (.pt2) that executes nothing; needs no torch.

Such a file is a ZIP archive: the graph as JSON, the weights as plain bytes, and example inputs as a
pickle. ``torch.export.load`` runs what a hostile file asks for: it unpickles the example inputs and every
tensor marked so, evaluates size expressions as Python, calls whatever function of ``torch`` a node names,
and writes names into source code that it compiles. So what may be in a file is listed here, and a file
with anything else is loaded only where a person agreed to run its code.
"""

import json
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sip_explorer.models.exported_rules import findings
from sip_explorer.records import SipError

EXPORTED = "exported program"
"""The architecture of a classifier that is one."""

JSON_LIMIT = 128 * 2**20
_TYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
    10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16",
}  # fmt: skip
_IMAGE_TYPES = ("float32", "float16", "bfloat16", "float64")


@dataclass(frozen=True)
class ExportedFile:
    """What an exported program says of itself.

    Attributes
    ----------
    tensors : tuple of (key, shape, dtype)
    input_shape : (C, H, W)
        Of the images that it was exported with.
    input_dtype : str
    batch : int
        The number of images that it takes at once, 0 where it takes any within the next two.
    least, most : int
        The fewest and the most images at once; ``most`` is 0 where there is no limit.
    classes : int
    training : bool
        Whether it was exported in training mode (batch statistics or dropout in the graph).
    carries : tuple of str
        What in it could run code when it is loaded, in words; empty where nothing could.
    torch_version : str
        Of the torch that wrote it.
    """

    tensors: tuple[tuple[str, tuple[int, ...], str], ...] = ()
    input_shape: tuple[int, int, int] = (0, 0, 0)
    input_dtype: str = "float32"
    batch: int = 0
    least: int = 1
    most: int = 0
    classes: int = 0
    training: bool = False
    carries: tuple[str, ...] = ()
    torch_version: str = ""


def is_exported(names: Collection[str]) -> bool:
    """Whether a ZIP archive with these members is an exported program."""
    return any(re.fullmatch(r"[^/]+/models/[^/]+\.json", name) for name in names) or (
        "serialized_exported_program.json" in names
    )


def read_exported(path: Path) -> ExportedFile:
    """Return what the program in ``path`` takes and gives.

    Raises
    ------
    SipError
        If the file is damaged, or its program takes anything but images or gives anything but one row
        of class scores an image.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "serialized_exported_program.json" in names:
                return _of_before_2_8(archive)
            root, program, weights, constants = read_parts(archive)
            carries = findings(program, weights, constants, [name.removeprefix(root) for name in names])
            return _described(path, program, weights, carries)
    except SipError:
        raise
    except Exception as error:  # a hostile archive can raise anything
        raise SipError(
            f"{path} is cut short or damaged ({type(error).__name__}); copy or export it again."
        ) from error


def read_parts(archive: zipfile.ZipFile) -> tuple[str, Any, dict[str, Any], dict[str, Any]]:
    """Return the folder in the archive, the program, and what is said of weights and constants."""
    models = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/models/[^/]+\.json", name)]
    if len(models) != 1:
        raise ValueError("not one program")
    root = models[0].partition("/")[0] + "/"
    name = models[0].rpartition("/")[2].removesuffix(".json")
    program = read_json(archive, models[0])
    weights = read_json(archive, f"{root}data/weights/{name}_weights_config.json")["config"]
    constants = read_json(archive, f"{root}data/constants/{name}_constants_config.json")["config"]
    return root, program, dict(weights), dict(constants)


def read_json(archive: zipfile.ZipFile, name: str) -> Any:
    """Return a member of the archive that is JSON."""
    if archive.getinfo(name).file_size > JSON_LIMIT:
        raise ValueError("a description larger than is plausible")
    return json.loads(archive.read(name))


def _of_before_2_8(archive: zipfile.ZipFile) -> ExportedFile:
    program = read_json(archive, "serialized_exported_program.json")
    described = _described(Path(str(archive.filename)), program, {}, ())
    words = "weights in the pickled form of torch before 2.8"
    return ExportedFile(**{**vars(described), "carries": (words,)})


def _described(
    path: Path, program: Mapping[str, Any], weights: Mapping[str, Any], carries: tuple[str, ...]
) -> ExportedFile:
    graph, signature = program["graph_module"]["graph"], program["graph_module"]["signature"]
    values = graph["tensor_values"]
    inputs = [spec for spec in signature["input_specs"] if not spec.keys() & {"parameter", "buffer"}]
    inputs = [spec for spec in inputs if not spec.keys() & {"tensor_constant", "custom_obj", "token"}]
    outputs = [spec["user_output"] for spec in signature["output_specs"] if "user_output" in spec]
    if len(inputs) != 1 or "as_tensor" not in inputs[0].get("user_input", {}).get("arg", {}):
        raise SipError(
            f"{path} is a program of {len(inputs)} inputs where one batch of images is needed; "
            "export the model with one image tensor as its only argument."
        )
    if len(outputs) != 1 or "as_tensor" not in outputs[0]["arg"]:
        raise SipError(
            f"{path} is a program of {len(outputs)} outputs where one tensor of class scores is needed; "
            "export a module that returns the logits alone."
        )
    taken = values[inputs[0]["user_input"]["arg"]["as_tensor"]["name"]]
    given = values[outputs[0]["arg"]["as_tensor"]["name"]]
    sizes, scores = [_size(size) for size in taken["sizes"]], [_size(size) for size in given["sizes"]]
    dtype = _TYPES.get(taken["dtype"], "another type")
    if len(sizes) != 4 or dtype not in _IMAGE_TYPES:
        raise SipError(
            f"{path} is a program that takes {dtype} of shape {tuple(sizes)} where images (N, C, H, W) are "
            "needed; export the model with a batch of float images."
        )
    if len(scores) != 2 or scores[1] < 2:
        raise SipError(
            f"{path} is a program that gives a tensor of shape {tuple(scores)} where class scores (N, K) are "
            "needed; export a module that returns one row of logits an image."
        )
    least, most = _range(taken["sizes"][0], program.get("range_constraints", {}))
    return ExportedFile(
        tuple((str(key), _shape(value), _dtype(value)) for key, value in weights.items()),
        (sizes[1], sizes[2], sizes[3]),
        dtype,
        sizes[0] if "as_int" in taken["sizes"][0] else 0,
        least,
        most,
        scores[1],
        _trains(graph["nodes"]),
        carries,
        str(program.get("torch_version", "")),
    )


def _size(size: Mapping[str, Any]) -> int:
    value = size["as_int"] if "as_int" in size else ((size["as_expr"].get("hint") or {}).get("as_int") or 0)
    return int(value)


def _range(size: Mapping[str, Any], ranges: Mapping[str, Any]) -> tuple[int, int]:
    if "as_int" in size:
        return int(size["as_int"]), int(size["as_int"])
    symbol = re.search(r"'(\w+)'", size["as_expr"]["expr_str"])
    found = ranges.get(symbol[1]) if symbol else None
    if not found:
        return 1, 0
    return max(1, int(found.get("min_val") or 1)), int(found.get("max_val") or 0)


def _shape(payload: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(_size(size) for size in (payload.get("tensor_meta") or {}).get("sizes", ()))


def _dtype(payload: Mapping[str, Any]) -> str:
    return _TYPES.get((payload.get("tensor_meta") or {}).get("dtype", 0), "another type")


def _trains(nodes: list[Any]) -> bool:
    """Whether a node normalises by its batch or drops at random."""
    for node in nodes:
        if "batch_norm" in node["target"] or "dropout" in node["target"]:
            for argument in node["inputs"]:
                if argument["name"] in ("training", "train") and argument["arg"].get("as_bool") is True:
                    return True
    return False
