"""What a program of ``torch.export.save`` may hold to be loaded without running anything of its author.

Checked against torch 2.11 to 2.15 (``torch/_export/serde/serialize.py``, ``torch/fx/graph.py``): names
become part of source code that is compiled, size expressions are evaluated, and a node may name any
function that is reached from ``torch``, ``math`` or ``operator``.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_IDENTIFIER = re.compile(r"([A-Za-z_]\w*)?", re.ASCII)
_PATH = re.compile(r"[\w.]*", re.ASCII)
_MEMBER = re.compile(r"[\w-]+", re.ASCII)
_OPERATOR = re.compile(
    r"torch\.ops\.(aten|prims)\.\w+\.\w+|_operator\.(add|sub|mul|floordiv|truediv|mod|neg|eq|ne|lt|le|gt|ge|"
    r"getitem|and_|or_)|math\.(ceil|floor|trunc)|torch\.sym_(int|float|max|min|not|ite|sum)|"
    r"torch\.ops\.higher_order\.(wrap_with_set_grad_enabled|wrap_with_autocast|cond)",
    re.ASCII,
)
_FILES = re.compile(r"from_file|save|load")  # operators of aten that reach the disk
_EXPRESSION = re.compile(
    r"(?:Symbol|Integer|Float|Rational|Add|Mul|Max|Min|Mod|FloorDiv|CeilDiv|PythonMod|CleanDiv|positive|"
    r"integer|nonnegative|real|finite|True|False|true|false|Equality|Unequality|LessThan|GreaterThan|"
    r"StrictLessThan|StrictGreaterThan|'[a-z]{1,4}\d{1,9}'|precision|-?\d{1,12}(?!\d)|[(),= +*/-])*",
    re.ASCII,
)
_ARGUMENTS = frozenset(
    """as_none as_tensor as_tensors as_int as_ints as_float as_floats as_string as_strings as_sym_int
    as_sym_ints as_scalar_type as_memory_format as_layout as_device as_bool as_bools as_sym_bool
    as_sym_bools as_graph as_optional_tensors as_optional_tensor as_sym_float as_sym_floats as_complex
    as_nested_tensors as_int_lists as_float_lists as_name as_expr""".split()  # noqa: SIM905
)
_TREES = frozenset((None, "builtins.tuple", "builtins.list", "builtins.dict"))


def findings(
    program: Mapping[str, Any],
    weights: Mapping[str, Any],
    constants: Mapping[str, Any],
    members: Collection[str],
) -> tuple[str, ...]:
    """Return in words what in a program could run code when it is loaded, at most five; else nothing."""
    found = dict.fromkeys(
        (*_in_payloads(weights), *_in_payloads(constants), *_in_members(members), *_in_program(program))
    )
    return tuple(found)[:5]


def cleaned(program: Mapping[str, Any]) -> dict[str, Any]:
    """Return the program without what it runs without: guards, traces of source code, inner signatures."""
    module = program["graph_module"]
    return {
        "graph_module": {
            "graph": _without_metadata(module["graph"]),
            "signature": module["signature"],
            "module_call_graph": [entry for entry in module["module_call_graph"] if entry["fqn"] == ""],
            "metadata": {},
            "treespec_namedtuple_fields": {},
        },
        "opset_version": program["opset_version"],
        "range_constraints": program["range_constraints"],
        "schema_version": program["schema_version"],
        "verifiers": program.get("verifiers", []),
        "torch_version": program.get("torch_version", ""),
        "guards_code": [],
    }


def _without_metadata(value: Any) -> Any:
    if isinstance(value, dict):
        if "target" in value and "inputs" in value:
            value = {**value, "metadata": {}}
        return {key: _without_metadata(item) for key, item in value.items()}
    return [_without_metadata(item) for item in value] if isinstance(value, list) else value


def _in_payloads(payloads: Mapping[str, Any]) -> Iterator[str]:
    for key, payload in payloads.items():
        path = payload["path_name"]
        if payload["use_pickle"] is not False or not re.match(r"(weight|tensor)_", path):
            yield f"a pickled object ({key})"
        if not _MEMBER.fullmatch(path) or not _PATH.fullmatch(key):
            yield f"a name that is none ({key!r:.60})"


def _in_members(members: Collection[str]) -> Iterator[str]:
    if any(name.startswith("data/aotinductor/") for name in members):
        yield "machine code"
    if re.fullmatch(
        r"data/weights/[^/]+\.pt", next((n for n in members if n.startswith("data/weights/")), "")
    ):
        yield "pickled weights"


def _in_program(program: Mapping[str, Any]) -> Iterator[str]:
    clean = cleaned(program)
    yield from _in_values(clean)
    for entry in clean["graph_module"]["module_call_graph"]:
        signature = entry.get("signature") or {}
        for name in signature.get("forward_arg_names") or ():
            if not (isinstance(name, str) and _IDENTIFIER.fullmatch(name)):
                yield f"a name that is none ({name!r:.60})"
        for spec in (signature.get("in_spec"), signature.get("out_spec")):
            if spec is not None and not _plain_tree(json.loads(spec)):
                yield "arguments or results of a class of its own"


def _in_values(value: Any, key: str = "") -> Iterator[str]:
    """Walk through the JSON; ``key`` is the one that ``value`` lies under."""
    if isinstance(value, dict):
        for inner, item in value.items():
            if inner.startswith("as_") and inner not in _ARGUMENTS:
                yield f"an argument of a kind of its own ({inner.removeprefix('as_')})"
            if inner in ("custom_obj", "token"):
                yield "an object of its own"
            yield from _in_values(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _in_values(item, key)
    elif isinstance(value, str):
        yield from _in_text(key, value)


def _in_text(key: str, text: str) -> Iterator[str]:
    if key in ("name", "as_name"):
        if not _IDENTIFIER.fullmatch(text):
            yield f"a name that is none ({text!r:.60})"
    elif key.endswith("_name") or key == "fqn":
        if not _PATH.fullmatch(text):
            yield f"a name that is none ({text!r:.60})"
    elif key == "expr_str":
        if len(text) > 2000 or not _EXPRESSION.fullmatch(text) or "**" in text:
            yield f"an expression of its own ({text:.60})"
    elif key == "target" and (not _OPERATOR.fullmatch(text) or _FILES.search(text)):
        yield f"the operator {text:.60}"


def _plain_tree(tree: Any) -> bool:
    """Whether a description of nested arguments names only tuples, lists and dicts keyed by words."""
    if isinstance(tree, list):
        return len(tree) == 2 and type(tree[0]) is int and _plain_tree(tree[1])
    if not isinstance(tree, dict) or tree.get("type") not in _TREES:
        return False
    context = tree.get("context")
    if context is not None:
        keys = json.loads(context) if isinstance(context, str) else 0
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            return False
    return all(isinstance(child, dict) and _plain_tree(child) for child in tree.get("children_spec", ()))
