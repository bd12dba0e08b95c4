"""What ``sip-explorer evaluate`` refuses, and what is left behind by commands that end early."""

import numpy as np
import pytest

from sip_explorer.cli.attacked import results_folder
from sip_explorer.cli.main import main
from sip_explorer.models import build_classifier, save_checkpoint
from sip_explorer.records import Cancelled
from sip_explorer.workspace import Workspace

CLASSES = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Eight images; two models of their four classes, one that overflows, one of other classes."""
    folder = tmp_path_factory.mktemp("refusals")
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 8, 1), np.uint8)
    labels = np.arange(8) % 4
    Workspace.from_arrays(
        folder / "workspace", "noise", pixels, labels, CLASSES, test=np.ones(8, bool)
    ).close()
    for seed, name in enumerate(("first", "second", "broken", "other")):
        model = build_classifier(
            "small-cnn",
            classes=CLASSES[:2] if name == "other" else CLASSES,
            input_shape=(1, 8, 8),
            mean=[0],
            std=[1],
            seed=seed,
        )
        if name == "broken":
            model.network.classifier[-1].weight.data.fill_(3e38)
        save_checkpoint(folder / f"{name}.safetensors", model)
        assert main(["models", "add", str(folder / f"{name}.safetensors"), str(folder / "workspace")]) == 0
    return folder / "workspace"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--attacks", "pgd,deepfool"],
            "The attack 'deepfool' is unknown; choose one of pgd, apgd, apgd-ce+t,",
        ),
        (["--attacks", ","], "The evaluation has no attacks: choose at least one."),
        (["--epsilons", "much"], "Epsilon “much” is not a number"),
        (["--norm", "l1"], "The norm is 'l1'; choose one of linf, l2."),
        (
            ["--threat-model", "linf-1"],
            "The threat model linf-1 is unknown; choose one of linf-8/255, l2-0.5",
        ),
        (["--threat-model", "l2-0.5", "--epsilons", "1"], "--threat-model says norm and epsilon: leave out"),
        (["--split", "validation"], "There is no split 'validation': choose train or test."),
        (["--device", "abacus"], "There is no device 'abacus'"),
        (["-m", "other"], "first and other take other images or know other classes: attack them one by one."),
        (
            ["--batch-size", "9"],
            "--batch-size is AutoAttack's: add autoattack to --attacks, or leave it out.",
        ),
        (["--png", "png", "--epsilons", "0"], "At ε 0 no image changes: give an epsilon above 0 with --png."),
        (["--transfer", "--health"], "--transfer and --health are different work: choose one of them."),
        (["--health", "--judge", "x.npy"], "--health and --judge are different work: choose one of them."),
        (["--transfer"], "choose at least two models"),
        (
            ["--transfer", "-m", "second", "--attacks", "pgd,apgd"],
            "--transfer takes one attack, pgd, apgd or apgd-ce+t",
        ),
        (
            ["--transfer", "-m", "second", "--attacks", "autoattack"],
            "--transfer takes one attack, pgd, apgd or",
        ),
        (
            ["--transfer", "-m", "second", "--epsilons", "0.1,0.2"],
            "One epsilon is needed and --epsilons gives 2: choose one of them.",
        ),
        (
            ["--transfer", "--png", "png"],
            "--transfer tries the examples of each model on every other, so --png",
        ),
        (
            ["--health", "--out", "out"],
            "--health examines each model and keeps nothing, so --out means nothing:",
        ),
        (
            ["--judge", "x.npy", "--attacks", "pgd"],
            "--judge judges the images of a file and attacks nothing, so --attacks means nothing: leave it",
        ),
        (["--judge", "x.npy", "--seed", "0"], "so --seed means nothing: leave it out."),
        (["--judge", "gone.npy"], "gone.npy"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_gets_one_sentence_and_leaves_no_folder(
    workspace, tmp_path, monkeypatch, capsys, words, sentence
):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = sorted(workspace.glob("*/*"))
    assert main(["evaluate", "-w", str(workspace), "-m", "first", *words]) == 1

    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert "fault of the program" not in error
    assert sorted(workspace.glob("*/*")) == before
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "-m", "broken", "--attacks", "pgd"],
        ["evaluate", "-m", "first", "-m", "broken", "--transfer"],
        ["sweep", "-m", "broken"],
    ],
    ids=["evaluate", "transfer", "sweep"],
)
def test_a_model_that_fails_under_attack_leaves_no_folder(workspace, capsys, words):
    before = sorted(workspace.glob("*/*"))

    assert main([*words, "-w", str(workspace)]) == 1

    assert "The model answered with numbers that are not finite" in capsys.readouterr().err
    assert sorted(workspace.glob("*/*")) == before


def test_a_cancelled_command_says_where_it_goes_on_and_an_empty_folder_is_removed(tmp_path, capsys):
    made = tmp_path / "new"

    def make():
        made.mkdir()
        return made

    def cancelled(names):
        with results_folder(None, make) as folder:
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text("here", encoding="utf-8")
            raise Cancelled

    with pytest.raises(Cancelled):
        cancelled(["manifest.json"])
    assert not made.exists()
    assert capsys.readouterr().out == ""

    with pytest.raises(Cancelled):
        cancelled(["manifest.json", "unfinished/one.h5"])
    assert (made / "unfinished" / "one.h5").exists()
    assert capsys.readouterr().out == f"What was found so far is in {made}; --out with this folder goes on.\n"
