"""prototypes/<id>.h5: written once, read back whole."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.records.prototypes import PrototypeRecord, file_hash, read_prototypes, write_prototypes


def record(samples: int = 3) -> PrototypeRecord:
    generator = np.random.default_rng(0)
    return PrototypeRecord(
        "ab" * 32, ("Trouser", "Bag", "Ärmel"), np.full((3, 2), 0.5),
        generator.integers(0, 256, (3, 2, 4, 5, 1), np.uint8),
        generator.integers(0, 256, (3, 2, samples, 4, 5, 1), np.uint8), 0.7, 0.5, 11,
    )  # fmt: skip


@pytest.mark.parametrize("samples", [3, 0])
def test_what_is_written_is_read(tmp_path: Path, samples: int) -> None:
    made = record(samples)
    write_prototypes(tmp_path / "p.h5", made)
    back = read_prototypes(tmp_path / "p.h5")
    for name in ("weights", "means", "samples"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name))
    for name in ("checkpoint_hash", "classes", "temperature", "halves_temperature", "seed"):
        assert getattr(back, name) == getattr(made, name)


def test_faults_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "p.h5"
    with pytest.raises(SipError, match="is not there"):
        read_prototypes(path)
    write_prototypes(path, record())
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(SipError, match="cannot be read as prototypes"):
        read_prototypes(path)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["means"] = 1
    with pytest.raises(SipError, match="holds no prototypes"):
        read_prototypes(tmp_path / "foreign.h5")
    with pytest.raises(SipError, match="decode them again"):
        replace(record(), classes=("one",))


def test_what_format_2_adds_is_read_and_a_file_of_format_1_has_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "p.h5"
    usage, active = np.arange(6).reshape(3, 2), np.array([[True, False]] * 3)
    write_prototypes(path, replace(record(), truncated=1.5, usage=usage, active=active))
    back = read_prototypes(path)
    np.testing.assert_array_equal(back.usage, usage)
    np.testing.assert_array_equal(back.active, active)
    assert back.truncated == 1.5
    with h5py.File(path, "r+") as file:  # as format 1 was written
        for name in ("usage", "active"):
            del file[name]
        del file.attrs["truncated"]
        file.attrs["format"] = "sip-explorer prototypes 1"
    old = read_prototypes(path)
    np.testing.assert_array_equal(old.means, record().means)
    assert (old.truncated, old.usage, old.active) == (None, None, None)
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = "sip-explorer prototypes 3"
    with pytest.raises(SipError, match="newer SIP Explorer"):
        read_prototypes(path)
    with pytest.raises(SipError, match="decode them again"):
        replace(record(), usage=usage[:2])


def test_a_file_is_known_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_hash(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
