"""AutoAttack is its authors' own, as a job: same outcome, no trace, resumed after a kill."""

import gc
import logging
import sys
import threading

import h5py
import pytest
import torch
from torch import nn

from sip_explorer.attacks.authors import SteppedModel
from sip_explorer.attacks.autoattack import AutoAttack, AutoAttackState
from sip_explorer.attacks.quiet import QuietModel
from sip_explorer.records import Cancelled, CancelToken, Notice, SipError

SEED = 3


class _Turned(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, signs):
        ctx.save_for_backward(signs)
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0], None


class _Masked(nn.Module):
    """A model whose gradient leads astray at images that are bright on average."""

    def __init__(self, model: nn.Module, brightest: float) -> None:
        super().__init__()
        self.model, self.brightest, self.calls = model, brightest, 0

    def forward(self, images):
        self.calls += 1
        bright = images.mean((1, 2, 3), keepdim=True) > self.brightest
        return self.model(_Turned.apply(images, torch.where(bright, -1.0, 1.0)))


@pytest.fixture
def eight(pictures):
    return pictures[0][:8], pictures[1][:8]


@pytest.fixture
def plain():
    """Return a small network for 10 × 10, which Square can do in L2 too, and images it gets right."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = nn.Sequential(nn.Flatten(), nn.Linear(100, 16), nn.ReLU(), nn.Linear(16, 5))
        images = torch.rand(4, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    return network, images, network(images).argmax(1)


def _by_the_authors(model, images, labels, *, norm, epsilon, batch_size, version="standard"):
    from pyautoattack import AutoAttack as Authors

    with torch.random.fork_rng():
        model.eval()
        judge = Authors(model, norm=norm, eps=epsilon, seed=SEED, version=version)
        judge.apgd_targeted.n_target_classes = judge.fab.n_target_classes = 4
        found = judge.run_standard_evaluation(images, labels, batch_size=batch_size)
        model.train()
    return found


def _assert_theirs(result, theirs, labels):
    images, predictions = theirs
    assert torch.equal(result.images, images)
    assert torch.equal(result.success, predictions != labels)
    assert torch.equal(result.logits.argmax(1), predictions)
    assert torch.equal(result.clean_correct, result.clean_logits.argmax(1) == labels)
    assert torch.equal(result.broken_by >= 0, result.success & result.clean_correct)


def _drained(steps, until=lambda event: False):
    """Return the events and the result, None where ``until`` ended it before."""
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value
        if until(events[-1]):
            steps.close()
            return events, None


def _threads():
    return [thread for thread in threading.enumerate() if thread.name == "attack"]


def test_an_evaluation_killed_again_and_again_ends_as_the_authors_own_does(model, eight, tmp_path):
    masked = _Masked(model, 0.5)
    theirs = _by_the_authors(masked, *eight, norm="Linf", epsilon=0.06, batch_size=3)
    attack = AutoAttack(epsilon=0.06, seed=SEED, batch_size=3)
    path = tmp_path / "autoattack.h5"

    first = attack.iterate(masked, *eight, state=path)
    begun, _ = _drained(first, lambda event: isinstance(event, AutoAttackState) and event.attack == "apgd-t")
    second = attack.iterate(masked, *eight, state=path)
    went_on, _ = _drained(
        second, lambda event: isinstance(event, AutoAttackState) and event.attack == "fab-t"
    )
    finished, result = _drained(attack.iterate(masked, *eight, state=path))

    _assert_theirs(result, theirs, eight[1])
    assert result.runs == ("apgd-ce", "apgd-t", "fab-t", "square")
    assert {-1, 0, 1, 3} <= set(result.broken_by.tolist())
    runs = [[e for e in run if isinstance(e, AutoAttackState)] for run in (begun, went_on, finished)]
    for states in runs:
        assert [state.done for state in states] == sorted(state.done for state in states)
        assert [state.robust for state in states] == sorted((state.robust for state in states), reverse=True)
    assert {state.total for states in runs for state in states} == {runs[-1][-1].done}
    assert [states[0].attack for states in runs] == ["apgd-ce", "apgd-t", "fab-t"]
    notices = [event.message for event in finished if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "Square Attack has decreased the robust accuracy" in notices[0]

    masked.calls = 0
    again, same = _drained(attack.iterate(masked, *eight, state=path))
    assert masked.calls == 0
    assert [event.message for event in again] == notices
    assert torch.equal(same.images, result.images)
    assert torch.equal(same.logits, result.logits)
    assert torch.equal(same.broken_by, result.broken_by)
    assert not _threads()


def test_in_l2_too_it_is_the_authors_own(plain):
    network, images, labels = plain
    masked = _Masked(network, 0.0)
    theirs = _by_the_authors(masked, images, labels, norm="L2", epsilon=1.5, batch_size=4)

    result = AutoAttack(norm="l2", epsilon=1.5, seed=SEED, batch_size=4)(masked, images, labels)

    _assert_theirs(result, theirs, labels)
    assert 3 in result.broken_by  # the others by Square


def test_the_version_for_randomised_models_is_the_authors_own(plain):
    network, images, labels = plain[0], plain[1][:3], plain[2][:3]
    theirs = _by_the_authors(network, images, labels, norm="Linf", epsilon=0.2, batch_size=3, version="rand")

    result = AutoAttack(epsilon=0.2, seed=SEED, batch_size=3, version="rand")(network, images, labels)

    _assert_theirs(result, theirs, labels)
    assert result.runs == ("apgd-ce", "apgd-dlr")
    assert bool(result.success.any())


def test_a_randomised_model_ends_alike_for_one_seed(plain):
    network, images, labels = plain

    class Noisy(nn.Module):
        def forward(self, images):
            return network(images + 0.05 * torch.randn_like(images))

    attack = AutoAttack(epsilon=0.5, seed=SEED)
    first = attack(Noisy(), images, labels)
    torch.rand(5)
    again = attack(Noisy(), images, labels)

    assert torch.equal(first.images, again.images)
    assert torch.equal(first.logits, again.logits)


class _Process:
    """What an attack must leave alone, remembered."""

    def __init__(self, model):
        self._model = model
        self._state = self._now()
        self._numbers = [value.clone() for value in (*model.state_dict().values(), *self._grads())]

    def _grads(self):
        return [p.grad for p in self._model.parameters() if p.grad is not None]

    def _now(self):
        return (
            [module.training for module in self._model.modules()],
            [(p.requires_grad, id(p.grad)) for p in self._model.parameters()],
            torch.get_rng_state().tolist(),
            (torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"), torch.get_num_threads()),
            (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark, sys.gettrace()),
        )

    def assert_untouched(self, *, ended):
        assert self._now() == self._state
        for now, before in zip(
            (*self._model.state_dict().values(), *self._grads()), self._numbers, strict=True
        ):
            assert torch.equal(now, before)
        if ended:
            assert not _threads()


@pytest.fixture
def mixed(model):
    """Return the model in a state of its own: modes, a frozen layer, some .grad, dropout."""
    whole = nn.Sequential(nn.Dropout(0.5), *model).train()
    whole[2].eval()
    whole[1].weight.requires_grad_(False)
    for parameter in whole.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.full_like(parameter, 0.25)
    return whole


def _restless(model, images):
    """Return a model that hands over at every forward pass, and a work of many of them."""
    stepped = SteppedModel(QuietModel(model, images), breath=0)

    def work():
        torch.manual_seed(0)
        point = images.clone()
        for _ in range(3):
            point.requires_grad_()
            loss = stepped(point + 0.1 * torch.rand_like(point)).logsumexp(1).sum()
            loss.backward()
            point = (point + point.grad).detach()
        return point

    return stepped, work


def test_nothing_is_changed_between_steps_or_at_the_end(mixed, eight):
    process = _Process(mixed)
    stepped, work = _restless(mixed, eight[0])

    steps = stepped.run(work)
    for _ in range(3):
        next(steps)
        process.assert_untouched(ended=False)
        torch.rand(1)
        process = _Process(mixed)  # the caller may draw in between
    events, result = _drained(steps)

    process.assert_untouched(ended=True)
    assert events == []
    assert stepped.passes == 3
    expected = _drained(stepped.run(work))[1]
    assert torch.equal(result, expected)


def test_nothing_is_changed_by_a_whole_evaluation_a_cancel_or_a_closed_one(mixed, eight):
    process = _Process(mixed)
    attack = AutoAttack(epsilon=0.03, batch_size=4)

    token = CancelToken()
    steps = attack.iterate(mixed, *eight, token=token)
    for event in steps:
        process.assert_untouched(ended=False)
        if isinstance(event, AutoAttackState) and event.attack == "apgd-t":
            break
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    process.assert_untouched(ended=True)

    steps = attack.iterate(mixed, *eight)
    next(steps)
    steps.close()
    process.assert_untouched(ended=True)

    steps = attack.iterate(mixed, *eight)
    next(steps)
    del steps, event
    gc.collect()
    process.assert_untouched(ended=True)


@pytest.mark.parametrize("calls", [0, 1, 9, 40])
def test_nothing_is_changed_when_the_model_fails(calls, mixed, eight):
    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.left = mixed, calls

        def forward(self, images):
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("out of memory")
            return self.model(images)

    failing = Failing()
    process = _Process(failing)

    with pytest.raises(RuntimeError, match="out of memory"):
        AutoAttack(epsilon=0.05)(failing, *eight)

    process.assert_untouched(ended=True)


def test_the_attack_runs_only_while_the_generator_waits_for_it(model, eight):
    stepped = SteppedModel(QuietModel(model, eight[0]), breath=0)
    turns = []

    def work():
        turns.append((torch.is_grad_enabled(), torch.get_num_threads(), threading.current_thread().name))
        for _ in range(5):
            stepped(eight[0])
            turns.append("attack")
        return "done"

    with torch.inference_mode():
        steps = stepped.run(work)
        for passes in steps:
            turns.append(passes)

    assert turns[0] == (True, torch.get_num_threads(), "attack")
    assert turns[1:] == [0, "attack", 1, "attack", 2, "attack", 3, "attack", 4, "attack"]


def test_any_gradient_mode_and_autocast_of_the_caller_will_do(plain):
    network, images, labels = plain
    attack = AutoAttack(epsilon=0.5, seed=SEED)
    expected = attack(network, images, labels)

    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = attack(network, images.clone(), labels.clone())

    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.logits, expected.logits)


def test_without_any_room_no_image_is_attacked(plain):
    network, images, labels = plain

    result = AutoAttack(epsilon=0.0)(network, images, labels)

    assert torch.equal(result.images, images)
    assert not bool(result.success.any())


def test_warnings_of_the_authors_are_told_once_and_printed_nowhere(plain, capfd, caplog):
    network, images, labels = plain

    class Noisy(nn.Module):
        def forward(self, images):
            return network(images + 0.05 * torch.randn_like(images)).softmax(1)

    with caplog.at_level(logging.WARNING):
        steps = AutoAttack(epsilon=0.1).iterate(Noisy(), images, labels)
        events, _ = _drained(steps, lambda event: isinstance(event, AutoAttackState))

    told = [event.message for event in events if isinstance(event, Notice)]
    assert len(told) == 2
    assert "randomized" in told[0]
    assert "probability distribution" in told[1]
    assert "flags_doc" not in " ".join(told)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_what_it_cannot_judge_is_refused(plain, pictures):
    network, images, labels = plain
    attack = AutoAttack(epsilon=0.1)

    class Wrapped(nn.Module):
        def __init__(self, change):
            super().__init__()
            self.change = change

        def forward(self, images):
            return self.change(network(images))

    with pytest.raises(SipError, match="APGD with log-odds"):
        attack(Wrapped(lambda logits: logits[:, :3]), images, labels * 0)
    with pytest.raises(SipError, match="needs 3 classes and this model has 2"):
        AutoAttack(version="rand")(Wrapped(lambda logits: logits[:, :2]), images, labels * 0)
    with pytest.raises(SipError, match="no gradient to the images"):
        attack(Wrapped(torch.Tensor.detach), images, labels)
    with pytest.raises(SipError, match="not finite"):
        attack(Wrapped(torch.log), images, labels)
    with pytest.raises(SipError, match="12 × 12 pixels"):
        AutoAttack(norm="l2")(network, *pictures)
    with pytest.raises(SipError, match="Epsilon 2 is not possible"):
        AutoAttack(epsilon=2)(network, images, labels)
    with pytest.raises(SipError, match="choose one of standard, rand"):
        AutoAttack(version="plus")
    with pytest.raises(SipError, match="choose one of linf, l2"):
        AutoAttack(norm="l1")
    with pytest.raises(SipError, match="batch_size is 0"):
        AutoAttack(batch_size=0)
    with pytest.raises(SipError, match=r"batch_size is 2\.5; it must be a whole number"):
        AutoAttack(batch_size=2.5)
    assert not _threads()


def test_without_the_authors_package_the_sentence_says_how_to_get_it(plain, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyautoattack", None)

    with pytest.raises(SipError, match="pip install pyautoattack"):
        AutoAttack()(*plain)


def test_the_state_of_another_evaluation_is_refused(plain, tmp_path):
    network, images, labels = plain
    path = tmp_path / "autoattack.h5"
    attack = AutoAttack(epsilon=0.0)
    _drained(attack.iterate(network, images, labels, state=path))

    def go_on(attack=attack, images=images, labels=labels):
        next(attack.iterate(network, images, labels, state=path))

    with pytest.raises(SipError, match="with other epsilon"):
        go_on(AutoAttack(epsilon=0.1))
    with pytest.raises(SipError, match="with other batch size"):
        go_on(AutoAttack(epsilon=0.0, batch_size=3))
    with pytest.raises(SipError, match="with other images"):
        go_on(images=images.flip(0))
    with pytest.raises(SipError, match="with other images"):
        go_on(labels=labels.roll(1) + 1)
    with torch.no_grad():
        network[1].weight[0, 0] += 1
    with pytest.raises(SipError, match="with other weights"):
        go_on()
    with h5py.File(path, "a") as file:
        file.attrs["format"] = 99
    with pytest.raises(SipError, match="newer version"):
        go_on()
    with h5py.File(path, "a") as file:
        file.attrs["kind"] = "sweep-cell"
    with pytest.raises(SipError, match="choose another file"):
        go_on()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SipError, match="delete it to begin anew"):
        go_on()
