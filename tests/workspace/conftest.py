"""An open workspace of twelve toy images."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sip_explorer.workspace import Workspace

# So that the tests here, and the script that one of them kills, share `toy_workspaces`.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a closed toy workspace, only to be copied."""
    from toy_workspaces import make_workspace

    path = tmp_path_factory.mktemp("template") / "toys"
    make_workspace(path).close()
    return path


@pytest.fixture
def workspace(toys: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Open a toy workspace of the test's own and close it in the end."""
    path = tmp_path / "toys"
    shutil.copytree(toys, path)
    opened = Workspace.open(path)
    yield opened
    opened.close(discard=True)
