"""What may be imported where: no window toolkit below the faces, no torch before the window shows."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sip_explorer

PACKAGE = Path(sip_explorer.__file__).parent
FACES = ("qt", "cli")
CORE = ("records", "models", "data", "attacks", "salience", "protoflow", "training")
CORE_MAY_IMPORT = {
    "torch",
    "torchvision",
    "numpy",
    "h5py",
    "safetensors",
    "sip_explorer",
    "PIL",
}  # torchvision needs PIL

# Imports the modules named after the first argument, as where the packages named in it are not installed.
BLOCKER = """
import importlib, sys
blocked = set(sys.argv[1].split(","))

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in blocked else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
for name in sys.argv[2:]:
    importlib.import_module(name)
assert not blocked & {name.partition(".")[0] for name in sys.modules}
"""


def _modules(*packages: str) -> list[str]:
    """Every module below the packages, by its dotted name."""
    names = []
    for package in packages:
        for path in sorted((PACKAGE / package).rglob("*.py")):
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def _import_without(blocked: set[str], modules: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKER, ",".join(sorted(blocked)), *modules],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _below_the_faces() -> list[str]:
    packages = [path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]
    return [name for name in packages if name not in FACES]


def _outside_the_needs_of(names: set[str]) -> set[str]:
    """The importable packages of this environment that the named distributions do not need."""
    needed: set[str] = set()
    waiting = [name.lower() for name in names]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for line in requirements:
            if "extra ==" not in line:
                waiting.append(_normal(re.match(r"[\w.-]+", line).group()))
    outside = set()
    for package, distributions in importlib.metadata.packages_distributions().items():
        if not {_normal(distribution) for distribution in distributions} & needed:
            outside.add(package)
    return outside - {"sip_explorer"} - set(sys.stdlib_module_names)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_below_the_faces_imports_without_the_window_toolkit():
    blocked = {"PySide6", "shiboken6", "pyqtgraph", "superqt", "qtpy"}
    _import_without(blocked, _modules(*_below_the_faces(), "cli"))


def test_the_core_imports_with_nothing_but_its_five_libraries():
    blocked = _outside_the_needs_of({"torch", "torchvision", "numpy", "h5py", "safetensors"})
    assert {"PySide6", "timm", "scipy", "typer", "skimage", "psygnal"} <= blocked
    assert not {"torch", "numpy", "typing_extensions"} & blocked
    _import_without(blocked, _modules(*CORE))


@pytest.mark.parametrize("package", CORE)
def test_a_core_package_names_only_its_libraries_at_module_level(package):
    found = []
    for path in sorted((PACKAGE / package).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                top = name.partition(".")[0]
                if top not in CORE_MAY_IMPORT and top not in sys.stdlib_module_names:
                    found.append(f"{path.relative_to(PACKAGE)}: {name}")
    assert not found


def test_nothing_that_the_window_needs_imports_torch():
    # The window shows before torch is loaded; timm, scipy and skimage would take as long or pull it in.
    slow = {"torch", "torchvision", "timm", "scipy", "skimage", "accelerate", "pyautoattack"}
    _import_without(slow, _modules("records", "workspace", "jobs", "state", "qt", "cli"))


def test_the_way_to_the_window_passes_no_command_line_library():
    _import_without({"torch", "typer", "click", "rich", "numpy"}, ["sip_explorer.cli.main"])
