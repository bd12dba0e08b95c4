"""Files that are no checkpoint, or whose weights cannot be used: named for what they are."""

import gzip
import hashlib
import io
import json
import pickle
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import torchvision
from checkpoint_files import hollow_state, tiny, write_torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from test_bad_checkpoints import refusal
from torch import nn

from sip_explorer.models import file_digest, inspect_checkpoint, load_checkpoint
from sip_explorer.records import Cancelled, CancelToken, SipError

HTML = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 45123\n"
# The first bytes of a model that onnx.helper.make_model wrote (ir_version 8, producer_name "pytorch").
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.0.1" + bytes(40)


def tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("net.pt"), io.BytesIO())


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["kernel"] = np.zeros(3)


def zipped(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"nothing")

    return write


def script(path: Path) -> None:
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.rand(1, 2)), path)


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("net.pt", lambda p: p.write_text(HTML), "is a web page, probably an error page of the download"),
        (
            "net.pt",
            lambda p: p.write_text("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
            "XML page",
        ),
        ("net.pt", lambda p: p.write_text(POINTER), "Git LFS pointer.*git lfs pull"),
        ("net.pt", lambda p: p.write_text("Quota exceeded"), "is text .“Quota exceeded…”."),
        ("net.pt", lambda p: p.write_bytes(bytes(4096)), "nothing but zeros"),
        ("net.pt.gz", lambda p: p.write_bytes(gzip.compress(b"net")), "compressed with gzip; unpack it"),
        ("net.pth.tar", tar, "is a tar archive; unpack it"),
        ("net.h5", hdf5, "HDF5 file, as Keras and TensorFlow write"),
        ("net.zip", zipped("weights/net.pth"), "holds weights/net.pth; unpack it"),
        ("net.npz", lambda p: np.savez(p, weight=np.zeros(3)), "NumPy archive"),
        ("net.npy", lambda p: np.save(p, np.zeros(3)), r"NumPy array \(.npy\)"),
        ("net.onnx", lambda p: p.write_bytes(ONNX), "ONNX model"),
        ("renamed.pt", lambda p: p.write_bytes(ONNX), "ONNX model"),
        ("graph.pb", lambda p: p.write_bytes(b"\x0a\x05input" + bytes(60)), "TensorFlow graph"),
        ("saved_model.pb", lambda p: p.write_bytes(b"\x08\x01\x12\x90\x01" + bytes(60)), "TensorFlow graph"),
        ("flax.msgpack", lambda p: p.write_bytes(b"\x82\xa6params\xc0\xa4step\x01"), "JAX or Flax"),
        ("net.tflite", lambda p: p.write_bytes(b"\x1c\0\0\0TFL3" + bytes(60)), "TensorFlow Lite"),
        ("net.pt", script, "is a TorchScript program"),
        ("photo.pt", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(60)), "is a picture"),
        (
            "model.safetensors.index.json",
            lambda p: p.write_text(json.dumps({"metadata": {}, "weight_map": {"a": "b"}})),
            "index of a checkpoint in several files",
        ),
    ],
)
def test_files_of_other_kinds_are_named(
    tmp_path: Path, name: str, write: Callable[[Path], object], words: str
) -> None:
    write(tmp_path / name)
    for work in (inspect_checkpoint, load_checkpoint):
        assert re.search(words, refusal(tmp_path / name, work))


def header(table: object, data: int) -> bytes:
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text + bytes(data)


def entry(start: int, stop: int, shape: list[int], dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}, 12), "bytes of b overlap"),
        (header({"a": entry(0, 8, [2]), "b": entry(12, 20, [2])}, 20), "hole of 4 bytes before b"),
        (header({"a": entry(4, 12, [2])}, 12), "hole of 4 bytes before a"),
        (
            header({"a": entry(0, 8, [3])}, 8),
            r"a has 8 bytes for the shape \(3,\) of float32, which takes 12",
        ),
        (header({"a": entry(0, 8, [2], "F16")}, 8), "of float16, which takes 4"),
        (header({"a": entry(0, 8, [2])}, 7), "cut short"),
        (header({"a": entry(0, 8, [2])}, 9), "followed by bytes that belong to no tensor"),
        (header({"a": entry(0, 8, [-2])}, 8), "damaged"),
        (header({"a": entry(0, 8, [2.0])}, 8), "damaged"),
        (
            header(
                b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],'
                b'"data_offsets":[0,4]}}',
                4,
            ),
            "names a twice",
        ),
        (header(b'{"a": [', 4), "header is no valid JSON"),
        ((200 * 2**20).to_bytes(8, "little") + b"{" + bytes(20), "header has 210 MB"),
        ((5000).to_bytes(8, "little") + b"{" + bytes(20), "ends within its header"),
        (b"\xff" * 8 + b"{}", "no checkpoint"),
    ],
)
def test_a_safetensors_file_that_breaks_a_rule(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    assert re.search(words, refusal(path, inspect_checkpoint))


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.lists(st.integers(0, 4), max_size=3), max_size=4),
    st.data(),
)
def test_what_is_taken_is_what_the_safetensors_package_takes(
    tmp_path_factory: pytest.TempPathFactory, shapes: dict[str, list[int]], data: st.DataObject
) -> None:
    from safetensors import SafetensorError, safe_open

    whole = bytearray(
        save({key: torch.zeros(shape) for key, shape in shapes.items() if key != "__metadata__"})
    )
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(8, len(whole) - 1))
        whole[at] = data.draw(st.sampled_from(b'0123456789[]{},":F6'))
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    path.write_bytes(whole)
    try:
        with safe_open(path, "pt") as file:
            theirs = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except SafetensorError:
        theirs = None
    try:
        ours = inspect_checkpoint(path).shapes
    except SipError:
        ours = None
    if ours is not None and theirs is not None:
        assert ours == theirs
    elif theirs is None:
        assert ours is None


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("wrap", [lambda net: net, lambda net: {"model": net, "epoch": 3}])
def test_a_pickled_module_comes_with_the_lines_that_save_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Callable[[nn.Module], object], old: bool
) -> None:
    path = write_torch(tmp_path / "net.pt", wrap(tiny().network), old=old)
    with pytest.raises(
        SipError, match=r"whole pickled object \(sip_explorer\.models\.small_cnn\.SmallCNN\)"
    ) as caught:
        load_checkpoint(path)
    lines = caught.value.detail.splitlines()
    assert len(lines) == 3
    if wrap(0) == 0:  # they do what they say
        monkeypatch.chdir(tmp_path)
        exec("\n".join(lines))
        assert load_checkpoint(tmp_path / "net-weights.pt").architecture == "small-cnn"


def quantised_tensor() -> torch.Tensor:
    return torch.quantize_per_tensor(torch.rand(64, 32, 4, 4), 0.1, 0, torch.qint8)


def quantised_layers() -> dict[str, object]:
    return dict(torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4))).state_dict())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda state: state.update({"features.2.weight": quantised_tensor()}),
            "quantised weights .features.2.weight as",
        ),
        (
            lambda state: (state.clear(), state.update(quantised_layers())),
            "quantised weights .0._packed_params",
        ),
        (lambda state: state.update({"features.2.weight": torch.eye(9).to_sparse()}), "sparse weights"),
        (lambda state: state.update({"features.2.weight": torch.eye(9).to_sparse_csr()}), "sparse weights"),
        (
            lambda state: state.update({"features.2.bias": torch.empty(64, device="meta")}),
            "without its numbers",
        ),
        (
            lambda state: state["features.2.bias"][3:5].fill_(float("nan")),
            "2 values in features.2.bias that are not",
        ),
        (lambda state: state.update({"features.2.bias": torch.zeros(64, dtype=torch.int64)}), "torch.int64"),
    ],
)
def test_weights_that_cannot_be_used(tmp_path: Path, change: Callable[[dict], object], words: str) -> None:
    state = {key: value.clone() for key, value in tiny().network.state_dict().items()}
    change(state)
    path = write_torch(tmp_path / "net.pt", {"model": state})
    assert re.search(words, refusal(path))


def test_keys_that_do_not_fit_are_counted_and_listed(tmp_path: Path) -> None:
    state = dict(hollow_state("resnet18", classes=10))
    for key in [key for key in state if key.startswith("layer3.")]:
        del state[key]
    state |= {f"extra.{index}.weight": torch.zeros(1) for index in range(12)}
    state["layer1.0.conv1.weight"] = torch.zeros(1).expand(64, 64, 5, 5)
    path = write_torch(tmp_path / "net.pt", state)
    with pytest.raises(
        SipError, match=r"lacks layer3\.0\.conv1\.weight and \d+ more tensors of a resnet18"
    ) as caught:
        load_checkpoint(path, "resnet18")
    detail = caught.value.detail
    assert "extra.0 1" in detail
    assert "and 2 more" in detail
    assert "(64, 64, 5, 5) in the file, (64, 64, 3, 3) in the network" in detail
    assert detail.count("    extra.") == 10


def test_two_heads_are_named_and_one_is_chosen(tmp_path: Path) -> None:
    resnet = torchvision.models.resnet18(num_classes=10)
    resnet.fc_rotation = nn.Linear(512, 4)
    path = write_torch(tmp_path / "net.pt", {"model": resnet.state_dict()})
    sentence = refusal(path)
    assert "is a resnet18 with 2 heads" in sentence
    assert "fc (10 classes)" in sentence
    assert "fc_rotation (4 classes)" in sentence
    assert "choose the architecture resnet18" in sentence
    chosen = load_checkpoint(path, "resnet18")
    assert len(chosen.classes) == 10
    assert chosen.origin["head"] == "fc.weight; left out: fc_rotation.weight"


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000
    (tmp_path / "net.pt").write_bytes(data)
    assert file_digest(tmp_path / "net.pt") == hashlib.sha256(data).hexdigest()
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        file_digest(tmp_path / "net.pt", token)
    with pytest.raises(SipError, match="cannot be read"):
        file_digest(tmp_path)


def test_storages_that_the_archive_compresses_are_read_too(tmp_path: Path) -> None:
    state = tiny().network.state_dict()
    write_torch(tmp_path / "net.pt", state)
    with (
        zipfile.ZipFile(tmp_path / "net.pt") as old,
        zipfile.ZipFile(tmp_path / "small.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    found = load_checkpoint(tmp_path / "small.pt").network.state_dict()
    assert all(torch.equal(found[key], value) for key, value in state.items())


def test_a_plain_pickle_is_named(tmp_path: Path) -> None:
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"weight": [1.0]}, 4))
    assert "plain pickle" in refusal(tmp_path / "net.pkl")


def test_every_kind_of_number_is_read_as_torch_reads_it(tmp_path: Path) -> None:
    from sip_explorer.models.torch_tensors import read_state

    kinds = [
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.float8_e4m3fn,
        torch.int64,
        torch.int8,
    ]
    kinds += [torch.uint8, torch.uint16, torch.bool, torch.complex64]
    base = torch.arange(24).reshape(4, 6)
    state = {f"a.{kind}": base.to(kind) for kind in kinds}
    state |= {
        "a.turned": base.T,
        "a.part": base[1:, 2:4],
        "a.spread": base[:1, :1].expand(3, 5),
        "a.none": base[:0],
    }
    state["a.parameter"] = nn.Parameter(torch.rand(3))
    for old in (False, True):
        path = write_torch(tmp_path / "net.pt", state, old=old)
        found = read_state(inspect_checkpoint(path))
        for key, value in state.items():  # torch itself reads not all of them back from the old format
            assert torch.equal(found[key], value), key
            assert found[key].dtype == value.dtype


def test_float16_safetensors_and_torch_agree(tmp_path: Path) -> None:
    state = {key: value.half() for key, value in tiny().network.state_dict().items()}
    save_file(state, tmp_path / "a.safetensors")
    write_torch(tmp_path / "b.pt", state)
    images = torch.rand(2, 1, 4, 4)
    assert torch.equal(
        load_checkpoint(tmp_path / "a.safetensors")(images), load_checkpoint(tmp_path / "b.pt")(images)
    )
