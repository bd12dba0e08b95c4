"""An evaluation: every figure is its attack by itself, on disk as it finishes, and goes on after a kill."""

import pytest
import torch

from sip_explorer.attacks import APGD, PGD, AutoAttack, EvaluationSpec, evaluate, standard_attacks
from sip_explorer.attacks.evaluation_plan import images_path
from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Notice, Progress, SipError
from sip_explorer.records.adversarial import read_adversarial
from sip_explorer.records.sweeps import read_sweep


@pytest.fixture
def few(pictures):
    return pictures[0][:14], pictures[1][:14]


SPEC = EvaluationSpec(epsilons=(0.02, 0.0), attacks=("pgd", "apgd-ce+t"), micro_batch=8)


def _cells(events):
    return [event.data for event in events if isinstance(event, Artefact) and event.kind == "cell"]


def test_every_figure_is_the_attack_by_itself(model, few, tmp_path):
    events = list(evaluate({"m": model}, *few, SPEC, tmp_path, indices=range(100, 114), keep_images=True))
    cells = {(cell.attack, cell.epsilon): cell for cell in _cells(events)}

    assert set(cells) == {("pgd", 0.0), ("pgd", 0.02), ("apgd-ce+t", 0.0), ("apgd-ce+t", 0.02)}
    assert events[-1] == Finished("completed", {"figures": 4, "computed": 4})
    ids = torch.arange(100, 114)
    for name, attack in (
        ("pgd", PGD(steps=20, micro_batch=8)),
        ("apgd-ce+t", APGD.ce_and_targeted(micro_batch=8)),
    ):
        alone = attack(model, *few, epsilon=0.02, indices=ids)
        cell = cells[name, 0.02]
        assert torch.equal(torch.tensor(cell.success_per_image), alone.success)
        assert cell.micro_batch == 8
        kept = read_adversarial(images_path(tmp_path, cell.key))
        assert torch.equal(torch.tensor(kept.images), alone.images)
        assert kept.indices.tolist() == ids.tolist()
    broken = cells["apgd-ce+t", 0.02]
    assert broken.breakers == ("ce", "targeted-dlr 1", "targeted-dlr 2", "targeted-dlr 3", "targeted-dlr 4")
    assert (broken.broken_by_per_image >= 0).sum() == (broken.success_per_image & broken.clean_correct).sum()
    assert cells["pgd", 0.0].success == cells["pgd", 0.0].clean_wrong
    assert sorted(cell.key.name for cell in read_sweep(tmp_path)) == sorted(
        cell.key.name for cell in cells.values()
    )


def test_autoattack_is_a_figure_and_goes_on_within_it(model, pictures, tmp_path):
    five = pictures[0][:5], pictures[1][:5]
    spec = EvaluationSpec(epsilons=(0.03,), batch_size=3)
    token = CancelToken()
    steps = evaluate({"m": model}, *five, spec, tmp_path, token=token)
    for _ in range(90):
        next(steps)
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert not read_sweep(tmp_path)
    assert len(list((tmp_path / "unfinished").iterdir())) == 1

    (cell,) = _cells(evaluate({"m": model}, *five, spec, tmp_path))

    alone = AutoAttack(epsilon=0.03, batch_size=3)(model, *five)
    assert torch.equal(torch.tensor(cell.success_per_image), alone.success)
    assert torch.equal(torch.tensor(cell.broken_by_per_image), alone.broken_by)
    assert cell.breakers == ("apgd-ce", "apgd-t", "fab-t", "square")
    assert not list((tmp_path / "unfinished").iterdir())


def test_what_was_begun_in_larger_batches_is_not_left_behind(model, pictures, tmp_path):
    class Hungry(torch.nn.Module):
        """Runs out of memory with more than three images, once the clean ones are on disk."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, images):
            if len(images) > 3 and any(tmp_path.glob("unfinished/*.h5")):
                torch.empty(len(images) << 50)
            return self.model(images)

    five = pictures[0][:5], pictures[1][:5]
    spec = EvaluationSpec(epsilons=(0.5,), batch_size=5)
    (cell,) = _cells(evaluate({"m": Hungry()}, *five, spec, tmp_path))

    assert cell.micro_batch == 2
    assert not list((tmp_path / "unfinished").iterdir())


def test_figures_on_disk_are_kept_and_more_may_be_added(model, few, tmp_path):
    first = {cell.key: cell for cell in _cells(evaluate({"m": model}, *few, SPEC, tmp_path))}
    more = EvaluationSpec(epsilons=(0.0, 0.02, 0.1), attacks=("pgd",), micro_batch=8)

    events = list(evaluate({"m": model, "n": model}, *few, more, tmp_path))

    assert Notice("2 of 6 figures were there already and are kept.") in events
    assert not first.keys() & {cell.key for cell in _cells(events)}
    assert len(read_sweep(tmp_path)) == 8
    with pytest.raises(SipError, match=r"evaluation with other settings \(seed\)"):
        list(evaluate({"m": model}, *few, EvaluationSpec(epsilons=(0.1,), seed=1, micro_batch=8), tmp_path))


def test_stop_keeps_what_is_there_and_ends_after_the_figure(model, few, tmp_path):
    token = CancelToken()
    events = []
    for event in evaluate({"m": model}, *few, SPEC, tmp_path, token=token):
        events.append(event)
        if isinstance(event, Artefact):
            token.stop()

    assert events[-1] == Finished("stopped", {"figures": 1})
    assert len(read_sweep(tmp_path)) == 1


def test_progress_grows_to_its_total(model, few, tmp_path):
    steps = [e for e in evaluate({"m": model}, *few, SPEC, tmp_path) if isinstance(e, Progress)]

    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total
    assert len({step.done for step in steps}) > 40


def test_too_little_memory_halves_the_batch_and_is_recorded(model, few, tmp_path):
    class Hungry(torch.nn.Module):
        """Asks the allocator for more than any machine has where a batch has more than three images."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, images):
            if len(images) > 3:
                torch.empty(len(images) << 50)
            return self.model(images)

    events = list(evaluate({"m": Hungry()}, *few, EvaluationSpec(epsilons=(0.02,), attacks=("pgd",),
                                                                 micro_batch=8), tmp_path))  # fmt: skip

    (cell,) = _cells(events)
    assert cell.micro_batch == 2
    assert sum("Not enough memory" in e.message for e in events if isinstance(e, Notice)) == 2
    alone = PGD(steps=20, micro_batch=2)(model, *few, epsilon=0.02, indices=range(14))
    assert torch.equal(torch.tensor(cell.success_per_image), alone.success)


def test_in_l2_too(model, few, tmp_path):
    spec = EvaluationSpec(epsilons=(0.2,), attacks=("pgd", "apgd"), norm="l2")
    cells = _cells(evaluate({"m": model}, *few, spec, tmp_path, keep_images=True))

    assert [(cell.attack, cell.step) for cell in cells] == [("pgd", "normalised"), ("apgd", "adaptive")]
    for cell in cells:
        kept = torch.tensor(read_adversarial(images_path(tmp_path, cell.key)).images)
        assert ((kept - few[0]).flatten(1).norm(dim=1) <= 0.2 + 1e-6).all()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epsilons": ()}, "has no epsilons"),
        ({"epsilons": (0.1,), "attacks": ()}, "has no attacks"),
        ({"epsilons": (0.1,), "attacks": ("deepfool",)}, "'deepfool' is unknown; choose one of pgd, apgd"),
        ({"epsilons": (0.1,), "batch_size": 0}, "batch_size is 0"),
        ({"epsilons": (0.1,), "micro_batch": 2.5}, "micro_batch is 2.5; it must be a whole number"),
        ({"epsilons": (0.1, float("nan"))}, "Epsilon nan is not possible"),
        ({"epsilons": (-0.1, 0.1)}, "Epsilon -0.1 is not possible"),
        ({"epsilons": (0.1,), "norm": "l1"}, "norm is 'l1'"),
        ({"epsilons": (0.1,), "seed": 1.5, "attacks": ("apgd",)}, "seed is 1.5"),
    ],
)
def test_what_cannot_be_meant(settings, sentence):
    with pytest.raises(SipError, match=sentence):
        EvaluationSpec(**settings)


def test_the_standard_attacks_are_named():
    assert list(standard_attacks()) == ["pgd", "apgd", "apgd-ce+t", "autoattack"]
