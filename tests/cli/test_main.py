"""The command line as a person meets it: exit codes, one sentence per fault, help with an example."""

import importlib.metadata
import subprocess
import sys

import pytest
import typer

from sip_explorer.cli import main as entry
from sip_explorer.cli.commands import app
from sip_explorer.records import Cancelled, SipError


def _commands(command, path=()):
    """Every command and group as (words, command)."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*path, name))


ALL = list(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "top" for path, _ in ALL])
def test_help_says_what_it_does_and_gives_an_example(path, command, capsys):
    assert entry.main([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example: " in shown
    assert f"sip-explorer {' '.join(path)}".strip() in " ".join(shown.split())


def test_the_way_to_the_window_knows_every_command():
    assert {path[0] for path, _ in ALL if path} == entry.COMMANDS


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is neither a command nor a folder named nowhere"),
        ([".", "."], "one word too many"),
        (["--nope"], "--nope"),
        (["train"], "name a recipe"),
        (["models"], "Missing command"),
        (["models", "inspect"], "checkpoint"),
        (["sweep", "--model", "a", "--steps", "0"], "--steps"),
        (["sweep", "--model", "a", "--steps", "many"], "--steps"),
        (["prototypes", "sample", "x", "--temperature", "-1"], "--temperature"),
    ],
)
def test_bad_usage_is_one_sentence_and_2(words, sentence, capsys):
    assert entry.main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert sentence in shown.err
    assert "--help" in shown.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["models", "inspect", "gone.pt"], "gone.pt"),
        (["import", "gone", "new"], "gone"),
        (["train", "gone.toml"], "gone.toml"),
        (["prototypes", "sample", "gone.safetensors"], "gone.safetensors"),
        (["sweep", "--model", "a", "--workspace", "gone"], "gone"),
        (["sweep", "--model", "a", "--epsilons", "-1/255"], "-1/255"),
        (["sweep", "--model", "a", "--epsilons", "nan"], "nan"),
        (["sweep", "--model", "a", "--batch-sizes", "0"], "batch sizes"),
    ],
)
def test_a_bad_file_or_value_is_one_sentence_and_1(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert entry.main(words) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert sentence in error
    assert "fault of the program" not in error


def test_debug_shows_the_traceback():
    with pytest.raises(SipError):
        entry.main(["--debug", "models", "inspect", "gone.pt"])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            SipError("The file a.pt is damaged:\n fetch it again."),
            "The file a.pt is damaged: fetch it again.\n",
        ),
        (Cancelled(), "Cancelled; what was already written stays.\n"),
        (KeyboardInterrupt(), "Cancelled; what was already written stays.\n"),
        (PermissionError(13, "Permission denied", "/root/x"), "/root/x: Permission denied.\n"),
        (
            ZeroDivisionError("oops"),
            "A fault of the program, ZeroDivisionError: oops. See its details with --debug.\n",
        ),
    ],
)
def test_every_fault_is_one_sentence(error, sentence, capsys):
    assert entry._explain(error) == 1
    assert capsys.readouterr().err == sentence


def test_the_installed_command_and_the_module_are_the_same_program():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="sip-explorer")
    assert script.load() is entry.main
    done = subprocess.run(
        [sys.executable, "-m", "sip_explorer", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"sip-explorer {importlib.metadata.version('sip-explorer')}\n"


def test_without_a_display_it_says_what_to_do_instead(monkeypatch, capsys):
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert entry.main([]) == 1
    assert capsys.readouterr().err == (
        "There is no display here: see the whole job with sip-explorer tour --out tour.\n"
    )
