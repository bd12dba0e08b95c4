"""Images by prototype: the nearest, those that it answers for, and how usual an image is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.looking.heat import log_density
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

BATCH = 32


@dataclass(frozen=True, eq=False)
class LatentIndex:
    """N images as a flow sees them; arrays on the CPU, rows in the order of ``ids``.

    Attributes
    ----------
    ids : int64 (N,), what the images are called.
    latents : float16 (N, C, H, W).
    log_likelihoods : float32 (N,), log p(x) in nats of the 8-bit images under equal class priors.
    predicted : int64 (N,), the class.
    component : int64 (N,), of the predicted class, the most responsible prototype.
    responsibility : float32 (N,), p(c, k|x) of that prototype.
    """

    ids: NDArray[np.int64]
    latents: NDArray[np.float16]
    log_likelihoods: NDArray[np.float32]
    predicted: NDArray[np.int64]
    component: NDArray[np.int64]
    responsibility: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    def log_densities(self, prototype: Prototype) -> NDArray[np.float32]:
        """Return log N(z; μ, Σ) of every image, float32 (N,), nats."""
        parts = []
        for start in range(0, len(self), 4096):
            rows = torch.from_numpy(self.latents[start : start + 4096]).to(prototype.mean)
            parts.append(log_density(prototype, rows).cpu().float().numpy())
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def nearest(self, prototype: Prototype, n: int = 8) -> NDArray[np.int64]:
        """Return the ids of the n images of the highest density under a prototype, highest first."""
        order = np.argsort(-self.log_densities(prototype), kind="stable")
        return np.asarray(self.ids[order[:n]])

    def context(self, prototype: Prototype, n: int = 8) -> NDArray[np.int64]:
        """Return the ids of n images that the prototype answers for, evenly over their densities.

        From the densest to the least dense: what the prototype stands for, its rim included. Fewer
        than n where it answers for fewer.
        """
        mine = np.flatnonzero((self.predicted == prototype.label) & (self.component == prototype.component))
        order = mine[np.argsort(-self.log_densities(prototype)[mine], kind="stable")]
        places = np.unique(np.linspace(0, max(0, len(order) - 1), min(n, len(order))).round().astype(int))
        return np.asarray(self.ids[order[places]])

    def usage(self, classes: int, components: int) -> NDArray[np.int64]:
        """Return for how many images each prototype answers, int64 (classes, components)."""
        cells = self.predicted * components + self.component
        return np.bincount(cells, minlength=classes * components).reshape(classes, components)

    def typicality(self, log_likelihood: float) -> float:
        """Return how usual a log-likelihood is, in [0, 1]: its two-sided percentile among the images.

        1 is the median; 0.02 means that 1 % of the images lie farther out on its side. Both ends are
        unusual: an image may be unusual by being too likely (Nalisnick et al. 2019, arXiv 1906.02994).
        """
        if not len(self):
            raise SipError("No image has been indexed; index the images of training first.")
        below = np.mean(self.log_likelihoods < log_likelihood)
        above = np.mean(self.log_likelihoods > log_likelihood)
        return float(1 - abs(below - above))


def index_images(
    flow: ProtoFlow,
    ids: Sequence[int] | NDArray[np.integer],
    read: Callable[[Sequence[int]], Tensor],
    token: CancelToken | None = None,
    seed: int = 0,
) -> Iterator[Event | None]:
    """Encode images into a `LatentIndex`, as a job.

    Parameters
    ----------
    ids : what to read, in the order of the index.
    read : gives float NCHW images in [0, 1] of a few ids.
    token : ``stop`` keeps what is encoded so far.
    seed : of the dequantisation noise.

    Yields
    ------
    Started, Progress, ``Artefact("latent-index", data=LatentIndex)``, Finished.
    """
    token = token or CancelToken()
    wanted = [int(number) for number in ids]
    if not wanted:
        raise SipError("There are no images to index; import some first.")
    yield Started(f"Encoding {len(wanted):,} images", len(wanted))
    parts: list[_Rows] = []
    done = 0
    for start in range(0, len(wanted), BATCH):
        token.check()
        if token.stopping and parts:
            break
        chunk = wanted[start : start + BATCH]
        parts.append(_rows(flow, read(chunk), seed))
        done += len(chunk)
        yield Progress(done, len(wanted))
    index = LatentIndex(
        np.asarray(wanted[:done], np.int64), *(np.concatenate(column) for column in zip(*parts, strict=True))
    )
    yield Artefact("latent-index", data=index)
    yield Finished("completed" if done == len(wanted) else "stopped", {"images": done})


_Rows = tuple[
    NDArray[np.float16],
    NDArray[np.float32],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float32],
]


@torch.no_grad()
def _rows(flow: ProtoFlow, images: Tensor, seed: int) -> _Rows:
    code = flow.encode(images, seed)
    joint = flow.component_log_likelihood(code.z)
    likelihood = flow.log_likelihood_of(code).total
    predicted = torch.logsumexp(joint, 2).argmax(1)
    within = joint[torch.arange(len(joint)), predicted]
    component = within.argmax(1)
    responsibility = torch.softmax(joint.flatten(1), 1).reshape(joint.shape)
    share = responsibility[torch.arange(len(joint)), predicted, component]
    return (
        code.z.to("cpu", torch.float16).numpy(),
        likelihood.cpu().float().numpy(),
        predicted.cpu().numpy(),
        component.cpu().numpy(),
        share.cpu().float().numpy(),
    )
