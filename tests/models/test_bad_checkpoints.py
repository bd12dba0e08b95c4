"""Whatever a file holds: nothing in it runs, and there is one sentence that names it."""

import io
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_files import tiny, write_torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from sip_explorer.models import inspect_checkpoint, load_checkpoint, save_checkpoint
from sip_explorer.records import SipError

KINDS = ["own.safetensors", "new.pt", "old.pt"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Whole files of each kind, by name."""
    folder = tmp_path_factory.mktemp("whole")
    content = {"state_dict": tiny().network.state_dict(), "epoch": 3}
    save_checkpoint(folder / "own.safetensors", tiny())
    write_torch(folder / "new.pt", content)
    write_torch(folder / "old.pt", content, old=True)
    return {name: (folder / name).read_bytes() for name in KINDS}


def refusal(path: Path, work: Callable[[Path], object] = load_checkpoint) -> str:
    """Return the one sentence that ``work`` refuses the file with."""
    with pytest.raises(SipError) as caught:
        work(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 9, 14, 15, 16, 60, 400, 0.25, 0.5, 0.75, -9, -1])
def test_a_file_cut_short(tmp_path: Path, whole: dict[str, bytes], name: str, length: float) -> None:
    data = whole[name]
    path = tmp_path / name
    path.write_bytes(data[: int(length * len(data)) if isinstance(length, float) else length])
    for work in (inspect_checkpoint, load_checkpoint):
        refusal(path, work)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(KINDS),
    changes=st.lists(st.tuples(st.integers(-3000, 3000), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_a_file_with_changed_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    whole: dict[str, bytes],
    name: str,
    changes: list[tuple[int, int]],
) -> None:
    data = bytearray(whole[name])
    for position, value in changes:
        data[position] = value
    path = tmp_path_factory.mktemp("changed") / name
    path.write_bytes(data)
    for work in (inspect_checkpoint, load_checkpoint):
        with suppress(SipError):  # a change may also do no harm
            work(path)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before 1.6"])
def test_nothing_in_a_file_runs(tmp_path: Path, old: bool) -> None:
    sprung = tmp_path / "sprung"
    content = {"state_dict": tiny().network.state_dict(), "args": Trap(sprung)}
    path = write_torch(tmp_path / "trap.pt", content, old=old)
    info = inspect_checkpoint(path)
    assert info.metadata["foreign"] == (f"{open.__module__}.open",)
    assert len(info.entries) == 12
    state = load_checkpoint(path).network.state_dict()
    assert all(torch.equal(state[key], value) for key, value in tiny().network.state_dict().items())
    assert not sprung.exists()
    torch.load(path, weights_only=False)["args"].close()  # the trap does work
    assert sprung.exists()


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before 1.6"])
def test_a_whole_pickled_module_is_named_and_not_imported(tmp_path: Path, old: bool) -> None:
    path = write_torch(tmp_path / "module.pt", torch.nn.Sequential(torch.nn.Linear(2, 2)), old=old)
    assert "torch.nn.modules.container.Sequential" in inspect_checkpoint(path).metadata["foreign"]
    assert "save its state_dict()" in refusal(path)


def test_a_file_cannot_alter_the_reader(tmp_path: Path) -> None:
    # BUILD on what the file names: on the function that rebuilds tensors and on a storage class.
    def change(name: str) -> bytes:
        return b"\x80\x02" + f"c{name}\n".encode() + b"}X\x08\x00\x00\x00__name__X\x01\x00\x00\x00xsb."

    for name in ("torch._utils\n_rebuild_tensor_v2", "torch\nFloatStorage", "torch\nSize", "os\nsystem"):
        path = tmp_path / "build.pt"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("build/data.pkl", change(name))
        assert "damaged" in refusal(path, inspect_checkpoint)


def test_listing_and_inspecting_do_not_load_torch(tmp_path: Path, whole: dict[str, bytes]) -> None:
    for name, data in whole.items():
        (tmp_path / name).write_bytes(data)
    program = (
        "import sys; from sip_explorer.models import architecture_names, inspect_checkpoint\n"
        "assert 'resnet50' in architecture_names()\n"
        "for path in sys.argv[1:]: print(inspect_checkpoint(path).architecture)\n"
        "assert 'torch' not in sys.modules"
    )
    paths = [str(tmp_path / name) for name in KINDS]
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["small-cnn"] * 3


def test_size_does_not_matter_to_an_inspection(tmp_path: Path) -> None:
    # 8 GB of weights that lie in a hole of the file: only the header can be read in any time at all.
    header = b'{"weight":{"dtype":"F32","shape":[2000000000],"data_offsets":[0,8000000000]}}'
    path = tmp_path / "large.safetensors"
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 8_000_000_000)
    info = inspect_checkpoint(path)
    assert (info.size_bytes, info.entries[0].shape) == (8_000_000_085, (2_000_000_000,))


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "nothing")


def write_script(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps({}, 2))
        archive.writestr("net/constants.pkl", pickle.dumps((), 2))


def write_state(changes: dict[str, torch.Tensor | None]) -> Callable[[Path], None]:
    state = {**tiny().network.state_dict(), **changes}
    return lambda path: torch.save({key: value for key, value in state.items() if value is not None}, path)


def write_own(old: str, new: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        save_checkpoint(path, tiny())
        data = path.read_bytes()
        assert old.encode() in data
        assert len(old) == len(new)
        path.write_bytes(data.replace(old.encode(), new.encode()))

    return write


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, weight=np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: None, "is not there"),
        (Path.mkdir, "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("once upon a time there was a checkpoint"), "is no checkpoint"),
        (lambda path: path.write_text('{"a": {"b": 3}, "once": "upon a time"}'), "is no checkpoint"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99)), "HDF5"),
        (lambda path: path.write_bytes(pickle.dumps({"weight": [1.0]})), "plain pickle"),
        (lambda path: path.write_bytes(npz()), "no torch checkpoint"),
        (write_zip, "no torch checkpoint"),
        (write_script, "TorchScript"),
        (lambda path: torch.save({"epoch": 3}, path), "holds no tensors"),
        (lambda path: torch.save([torch.zeros(3)], path), "holds no tensors"),
        (lambda path: torch.save({"weight": torch.zeros(3, 3)}, path), "choose the architecture"),
        (write_state({"features.2.weight": None}), "choose the architecture"),
        (write_state({"features.2.weight": torch.zeros(64, 32, 5, 5)}), "of shape (64, 32, 5, 5)"),
        (write_state({"features.2.bias": torch.full((64,), float("nan"))}), "not finite"),
        (write_state({"features.2.bias": torch.zeros(64, dtype=torch.int8)}), "torch.int8"),
        (lambda path: save_file({"weight": torch.zeros(2)}, path), "choose the architecture"),
        (write_own('\\"format\\": 1', '\\"format\\": 2'), "newer SIP Explorer"),
        (write_own('\\"kind\\": \\"classifier\\"', '\\"kind\\": \\"protoflows\\"'), "not a classifier"),
        (write_own("small-cnn", "large-cnn"), "'large-cnn'"),
        (write_own('\\"input_shape\\": [1, 4, 4]', '\\"input_shape\\": [1, 8, 8]'), "of shape"),
        (write_own('\\"input_shape\\": [1, 4, 4]', '\\"input_shape\\": [1, 5, 5]'), "multiple of 4"),
        (write_own('\\"std\\": [0.5]', '\\"std\\": [0.0]'), "above 0"),
        (write_own('\\"mean\\"', '\\"meal\\"'), "damaged description"),
    ],
)
def test_one_sentence_for_a_file_that_is_none(
    tmp_path: Path, write: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "some.file"
    write(path)
    assert words in refusal(path)


def test_another_architecture_than_the_file_names(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "own.safetensors", tiny())
    with pytest.raises(SipError, match="is a small-cnn, not a resnet18"):
        load_checkpoint(tmp_path / "own.safetensors", "resnet18")
