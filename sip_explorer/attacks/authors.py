"""Attacks of other people, which block until they are done, carried out piece by piece."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor

from sip_explorer.attacks.quiet import QuietModel
from sip_explorer.records import CancelToken

A = TypeVar("A")
S = TypeVar("S")
T = TypeVar("T")

BREATH = 0.03  # seconds of an attack's work between two yields; it yields at the next forward pass


class SteppedModel:
    """The model as a blocking attack sees it, and the way to run that attack from a generator.

    The attack has a thread of its own, which runs only while the generator waits for it. Every forward
    pass is a place where it may be put on hold; the generator then yields, and model, gradients, random
    state and global flags are as if there were no attack. What the attack and a randomised model draw
    comes from one stream, which the attack may seed as it likes.

    Attributes
    ----------
    passes
        Forward passes since the last `run` began.
    """

    def __init__(self, quiet: QuietModel, *, breath: float = BREATH) -> None:
        self.passes = 0
        self._quiet = quiet
        self._breath = breath
        self._turns = _Turns()
        self._ask: Callable[[Tensor], Tensor] = torch.nn.Identity()

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits (n, K) of ``images`` (n, C, H, W); called by the attack, in its thread."""
        self._turns.hand_over_after(self._breath)
        self.passes += 1
        return self._ask(images)

    def run(self, attack: Callable[[], T], token: CancelToken | None = None) -> Generator[int, None, T]:
        """Run ``attack``, which calls this model, and return what it returns; yields the passes so far.

        However the generator ends, the attack's thread has ended before it.

        Raises
        ------
        Cancelled
            ``token`` was cancelled.
        Exception
            Whatever ``attack`` raises.
        """
        self.passes = 0
        turns = self._turns = _Turns()
        stream = self._as_the_caller_computes()
        results: list[T] = []

        def perform() -> None:
            with stream():
                results.append(attack())

        turns.start(perform)
        try:
            while True:
                if token is not None:
                    token.check()
                with self._quiet.lent() as self._ask, _random_states_kept(self._quiet.device):
                    turns.proceed()
                if turns.over:
                    return results[0]
                yield self.passes
        finally:
            turns.end()

    def _as_the_caller_computes(self) -> Callable[[], AbstractContextManager[object]]:
        """Return what gives the attack's thread the caller's number of threads and CUDA stream."""
        threads, device = torch.get_num_threads(), self._quiet.device
        stream = torch.cuda.current_stream(device) if device.type == "cuda" else None

        def settings() -> AbstractContextManager[object]:
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            return nullcontext() if stream is None else torch.cuda.stream(stream)

        return settings


class _Abandoned(BaseException):
    """Unwinds an attack that nobody waits for any more."""


class _Turns:
    """A generator and the thread of its attack, of which exactly one runs at any time."""

    def __init__(self) -> None:
        self.over = False
        self._abandoned = False
        self._error: BaseException | None = None
        self._to_attack, self._to_generator = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._since = 0.0

    def start(self, work: Callable[[], None]) -> None:
        """Make the thread; it waits for its first turn."""
        # A daemon: a program that ends while a generator is on hold must not wait for it.
        self._thread = threading.Thread(target=self._perform, args=(work,), name="attack", daemon=True)
        self._thread.start()

    def proceed(self) -> None:
        """Let the attack run until it hands over or ends; raises what it raised."""
        self._since = time.monotonic()
        self._to_attack.release()
        try:
            self._to_generator.acquire()
        except BaseException:  # Ctrl-C while waiting: the attack must not go on beside what follows
            self.end()
            raise
        error, self._error = self._error, None
        if error is not None:
            raise error

    def hand_over_after(self, seconds: float) -> None:
        """Give the turn back if the attack had it for so long; called in the attack's thread."""
        if not self._abandoned and time.monotonic() - self._since >= seconds:
            self._to_generator.release()
            self._to_attack.acquire()
        if self._abandoned:
            raise _Abandoned

    def end(self) -> None:
        """End the thread if it still lives, and wait for that."""
        if self._thread is not None:
            self._abandoned = True
            self._to_attack.release()
            self._thread.join()

    def _perform(self, work: Callable[[], None]) -> None:
        self._to_attack.acquire()
        try:
            if not self._abandoned:
                work()
        except _Abandoned:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self.over = True
            self._to_generator.release()


def relayed(steps: Generator[A, None, T], say: Callable[[A], S]) -> Generator[S, None, T]:
    """Yield what is to be said of each of ``steps``, and return what they return."""
    try:
        while True:
            yield say(next(steps))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


@contextmanager
def _random_states_kept(device: torch.device) -> Iterator[None]:
    """Put back the random state of every GPU but ``device``: a torch.manual_seed sets them all."""
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        yield
        return
    others = [n for n in range(torch.cuda.device_count()) if torch.device("cuda", n) != device]
    states = [torch.cuda.get_rng_state(number) for number in others]
    try:
        yield
    finally:
        for number, state in zip(others, states, strict=True):
            torch.cuda.set_rng_state(state, number)
