"""The wheel carries what the program needs besides Python, and nothing of the results."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_demo_and_recipes_and_no_results(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    resources = ROOT / "resources"
    shipped = {
        f"sip_explorer/{path.relative_to(ROOT)}"
        for folder in ("demo", "recipes")
        for path in (resources / folder).rglob("*")
        if path.is_file()
    }
    assert len(shipped) > 10
    assert {name for name in names if "/resources/" in name} == {*shipped, "sip_explorer/resources/README.md"}
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "sip_explorer").rglob("*.py")}
    assert code <= names
    assert not [name for name in names if name.startswith(("tests/", "packaging/"))]
