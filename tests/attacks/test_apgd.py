"""Auto-PGD: as strong as its authors', the same in any company, within its ball, without a trace."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sip_explorer.attacks import APGD, PGD
from sip_explorer.attacks.apgd_queue import RunQueue
from sip_explorer.attacks.apgd_slots import _windows
from sip_explorer.records import Cancelled, CancelToken, SipError

STANDARD = APGD.ce_and_targeted(steps=12, micro_batch=9, epsilon=0.03)


def _equal(found, expected, rows):
    for name in ("images", "success", "clean_correct", "logits", "clean_logits", "broken_by", "steps"):
        assert torch.equal(getattr(found, name), getattr(expected, name)[rows]), name
    assert torch.equal(found.zero_gradient_fraction, expected.zero_gradient_fraction[rows])


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("loss", [("ce", "targeted-dlr"), "log-odds"])
def test_as_strong_as_the_authors_own(norm, loss, model, pictures):
    from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted

    images, labels = pictures
    radius = {"linf": 0.03, "l2": 0.3}[norm]
    model.eval()
    with torch.no_grad():
        common = dict(norm={"linf": "Linf", "l2": "L2"}[norm], eps=radius, n_iter=30, device="cpu", seed=0)
        theirs = APGDAttack(model, **common).perturb(images, labels)
        left = (model(theirs).argmax(1) == labels).nonzero()[:, 0]
        assert len(left) > 3
        targeted = APGDAttack_targeted(model, n_target_classes=4, **common)
        theirs[left] = targeted.perturb(images[left], labels[left])
        standing = int((model(theirs).argmax(1) == labels).sum())

    ours = APGD(norm=norm, epsilon=radius, steps=30, loss=loss)(model, images, labels)

    assert 0 < standing < 55
    assert int((~ours.success).sum()) <= standing + 1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_bitwise_the_same_in_every_batch_order_and_neighbourhood(norm, precision, model, pictures):
    images, labels = pictures
    ids = torch.arange(100, 160)
    attack = APGD.ce_and_targeted(
        norm=norm, epsilon={"linf": 0.03, "l2": 0.3}[norm], steps=8, micro_batch=9, precision=precision
    )
    together = attack(model, images, labels, indices=ids)

    assert 5 < int(together.success.sum()) < 55
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    for rows in (shuffled, torch.tensor([17]), torch.arange(50, 60), torch.arange(1, 60, 7)):
        _equal(attack(model, images[rows], labels[rows], indices=ids[rows]), together, rows)


def test_an_image_is_broken_by_the_first_run_that_can(model, pictures):
    together = STANDARD(model, *pictures)
    first = APGD(loss="ce", steps=12, micro_batch=9, epsilon=0.03)(model, *pictures)

    by_first = first.success & first.clean_correct
    assert together.runs == ("ce", *(f"targeted-dlr {rank}" for rank in (1, 2, 3, 4)))
    assert torch.equal(together.broken_by == 0, by_first)
    assert torch.equal(together.images[by_first], first.images[by_first])
    assert (together.broken_by > 0).any()
    assert torch.equal(together.success, ~together.clean_correct | (together.broken_by >= 0))
    stands = ~together.success
    assert (together.steps[stands] == 5 * 12).all()
    assert (together.steps[~together.clean_correct] == 0).all()


@settings(max_examples=25, deadline=None)
@given(
    norm=st.sampled_from(["linf", "l2"]),
    epsilon=st.sampled_from([0.0, 1 / 255, 0.3, 1.0]),
    loss=st.sampled_from(["ce", "log-odds", "targeted-dlr"]),
    masked=st.sampled_from(["no", "hard", "soft", "nothing"]),
    seed=st.integers(0, 9),
)
def test_never_outside_the_ball_the_budget_or_the_unit_interval(norm, epsilon, loss, masked, seed):
    numbers = torch.Generator().manual_seed(seed)
    images = (torch.rand(5, 3, 4, 4, generator=numbers) * 1.5 - 0.25).clamp(0, 1)
    soft = (torch.rand(5, 1, 4, 4, generator=numbers) * 2 - 0.5).clamp(0, 1)
    labels = torch.randint(4, (5,), generator=numbers)
    budget = {"no": None, "hard": (soft >= 0.5).float(), "soft": soft, "nothing": 0 * soft}[masked]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.Tanh(), nn.Linear(8, 4))

    attack = APGD(norm=norm, epsilon=epsilon, loss=loss, steps=5, micro_batch=4)
    result = attack(network, images, labels, budget=budget)

    moved = result.images - images
    share = torch.ones_like(soft) if budget is None else budget
    assert result.images.min() >= 0
    assert result.images.max() <= 1
    assert torch.equal(moved * (share == 0), torch.zeros_like(moved))
    if norm == "linf":
        assert (moved.abs() <= epsilon * share + 1e-6).all()
    else:
        safe = torch.where(share > 0, share, 1)
        rounding = 1e-6 + (6e-8 / safe).expand_as(moved).flatten(1).norm(dim=1)
        assert ((moved / safe).flatten(1).norm(dim=1) <= epsilon + rounding).all()
    if epsilon == 0 or masked == "nothing":
        assert torch.equal(result.images, images)
        assert result.steps.count_nonzero() == 0


def test_nothing_is_changed_between_steps_after_a_cancel_or_a_fault(model, pictures):
    model.train()
    model[1].eval()
    model[0].weight.requires_grad_(False)
    model[3].bias.grad = kept = torch.ones(16)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    random, modes = torch.get_rng_state(), [module.training for module in model.modules()]

    def unchanged():
        assert [module.training for module in model.modules()] == modes
        assert [p.requires_grad for p in model.parameters()].count(False) == 1
        assert torch.equal(kept, torch.ones_like(kept))
        assert torch.equal(torch.get_rng_state(), random)
        return all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())

    token = CancelToken()
    for number, _state in enumerate(STANDARD.iterate(model, *pictures)):
        assert unchanged()
        if number == 5:
            break
    steps = STANDARD.iterate(model, *pictures, token=token)
    next(steps)
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert unchanged()
    with pytest.raises(SipError, match="wrap it"):
        STANDARD(nn.Sequential(model, _Pair()), *pictures)
    assert unchanged()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_any_gradient_mode_of_the_caller_will_do(mode, model, pictures):
    expected = STANDARD(model, *pictures)

    with mode():
        found = STANDARD(model, *(values.clone() for values in pictures))

    assert torch.equal(found.images, expected.images)
    assert not found.images.requires_grad


class _Pair(nn.Module):
    def forward(self, logits):
        return logits, logits


def test_progress_ends_with_every_image(model, pictures):
    states = list(STANDARD.iterate(model, *pictures))
    result = STANDARD(model, *pictures)

    assert {state.total for state in states} == {60}
    assert [state.finished for state in states] == sorted(state.finished for state in states)
    assert states[0].finished == 0
    assert states[-1].finished == 60
    assert states[-1].broken == int(result.success.sum())


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_in_half_precision_the_verdict_is_float32(precision, model, pictures):
    attack = APGD(steps=8, epsilon=0.03, precision=precision)
    result = attack(model, *pictures)

    with torch.no_grad():
        wrong = model.eval()(result.images).argmax(1) != pictures[1]
    assert torch.equal(result.success, wrong | ~result.clean_correct)
    exact = APGD(steps=8, epsilon=0.03)(model, *pictures)
    assert abs(int(exact.success.sum()) - int(result.success.sum())) <= 2


def test_never_weaker_than_as_many_steps_of_pgd(model, pictures):
    ours = APGD(steps=20, epsilon=0.03)(model, *pictures)
    plain = PGD(steps=20, epsilon=0.03)(model, *pictures)

    assert int(ours.success.sum()) >= int(plain.success.sum()) - 1


def test_a_confident_model_is_broken_by_log_odds_and_not_by_cross_entropy(model, pictures):
    class Confident(nn.Module):
        def forward(self, images):
            return 100 * model(images)

    found = {loss: APGD(steps=10, epsilon=0.05, loss=loss)(Confident(), *pictures) for loss in
             ("log-odds", "ce")}  # fmt: skip

    assert found["ce"].zero_gradient_fraction.mean() > 0.1
    assert found["log-odds"].zero_gradient_fraction.count_nonzero() == 0
    assert int(found["log-odds"].success.sum()) >= int(found["ce"].success.sum())


def test_eot_finds_what_noise_hides(pictures, model):
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, images):
            return self.model(images + 0.3 * torch.randn_like(images))

    one, many = (
        APGD(steps=10, epsilon=0.05, eot=draws)(Noisy(), *pictures, indices=range(60)) for draws in (1, 12)
    )

    exact = APGD(steps=10, epsilon=0.05)(model, *pictures)
    right = exact.clean_correct
    with torch.no_grad():
        fooled = {
            name: int((model.eval()(found.images).argmax(1) != pictures[1])[right].sum())
            for name, found in (("one", one), ("many", many))
        }
    assert fooled["many"] > fooled["one"]


def test_the_checks_are_those_of_the_paper():
    windows = _windows(100, torch.device("cpu"))

    places = windows.nonzero()[:, 0].tolist()
    assert places == [22, 41, 57, 70, 80, 87, 93, 99]
    assert windows[places].tolist() == [22, 19, 16, 13, 10, 7, 6, 6]


def test_two_classes(pictures):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        two = nn.Sequential(nn.Flatten(), nn.Linear(144, 2))
    images = pictures[0]
    with torch.no_grad():
        labels = two(images).argmax(1)

    assert bool(APGD(epsilon=0.3, steps=10)(two, images, labels).success.any())
    with pytest.raises(SipError, match="targeted dlr compares the 4 largest outputs"):
        APGD.ce_and_targeted(steps=2, epsilon=0.001)(two, images, labels)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"loss": ()}, "has no loss"),
        ({"loss": (1,)}, "loss is 1"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 2.5}, "steps is 2.5; it must be a whole number"),
        ({"norm": "l1"}, "norm is 'l1'"),
        ({"precision": "float64"}, "precision is 'float64'"),
        ({"rho": 1.5}, "rho is 1.5"),
    ],
)
def test_settings_that_cannot_be_meant(settings, sentence):
    with pytest.raises(SipError, match=sentence):
        APGD(**settings)


def test_threat_models_name_norm_and_radius():
    assert (APGD.threat_model("l2-0.5").norm, APGD.threat_model("l2-0.5").epsilon) == ("l2", 0.5)
    assert PGD.threat_model("l2-0.5").step == "normalised"
    assert PGD.threat_model("linf-8/255", steps=3).epsilon == 8 / 255
    with pytest.raises(SipError, match=r"choose one of linf-8/255, l2-0\.5, linf-0\.1"):
        PGD.threat_model("l7")


@pytest.mark.parametrize("micro_batch", [9, 50])
def test_idle_rows_begin_later_runs_and_the_verdict_is_that_of_one_after_another(
    micro_batch, model, pictures
):
    # At 50 rows, most runs of the images that stand go on side by side; at 9 few do.
    attack = APGD.ce_and_targeted(steps=10, epsilon=0.03, restarts=2, micro_batch=micro_batch)
    images, labels = pictures[0][:40], pictures[1][:40]
    found = attack(model, images, labels, indices=range(40))

    alone = APGD(loss="ce", steps=10, epsilon=0.03, restarts=2, micro_batch=micro_batch)
    first = alone(model, images, labels, indices=range(40))
    by_first = first.clean_correct & first.success
    assert found.runs[:2] == ("ce", "ce restart 2")
    assert torch.equal((found.broken_by >= 0) & (found.broken_by < 2), by_first)
    assert torch.equal(found.broken_by[by_first], first.broken_by[by_first])
    assert torch.equal(found.images[by_first], first.images[by_first])
    assert (found.steps[~found.success] == 10 * len(found.runs)).all()
    broken = found.broken_by >= 0
    assert (found.broken_by > 1).any()
    assert (found.steps[broken] >= 10 * found.broken_by[broken]).all()
    assert (found.steps[broken] <= 10 * (found.broken_by[broken] + 1)).all()
    moved = found.images != images
    assert moved.flatten(1).any(1)[found.clean_correct].all()  # the best of the first loss is kept


@settings(max_examples=200, deadline=None)
@given(
    outcomes=st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=6),
    lengths=st.lists(st.integers(1, 5), min_size=24, max_size=24),
    rows=st.integers(1, 7),
)
def test_whatever_ends_first_the_first_run_that_breaks_is_the_verdict(outcomes, lengths, rows):
    queue = RunQueue(range(len(outcomes)), 4)
    under_way: dict[tuple[int, int], int] = {}
    verdicts: dict[int, int | None] = {}
    begun = []
    while True:
        while len(under_way) < rows and (item := queue.next()):
            begun.append(item)
            under_way[item] = lengths[4 * item[0] + item[1]]
        if not under_way:
            break
        for item in under_way:
            under_way[item] -= 1
        ended = [item for item, left in under_way.items() if left == 0]
        for image, run in ended:
            if (image, run) in under_way:
                for other in [run, *queue.over(image, run, broke=outcomes[image][run])]:
                    del under_way[image, other]
        for image in {image for image, _ in ended}:
            verdicts[image] = queue.broken_by(image)
            queue.settle(image)

    expected = {
        image: next((run for run, broke in enumerate(runs) if broke), None)
        for image, runs in enumerate(outcomes)
    }
    assert verdicts == expected
    assert queue.finished == len(outcomes)
    assert queue.broken == sum(run is not None for run in expected.values())
    assert len(begun) == len(set(begun))
    if rows == 1:  # nothing is done that turns out to be of no use
        assert len(begun) == sum(4 if run is None else run + 1 for run in expected.values())
