"""How far people agree on one image, and a model with them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sip_explorer.salience.blurred_maps import blurred_ranking, correlation, map_ranking
from sip_explorer.salience.same_size import same_size
from sip_explorer.salience.strokes import PROTECTED

Mask = NDArray[np.uint8]
Floats = NDArray[np.float64]


def iou(a: Mask, b: Mask) -> float:
    """Return protected pixels of both / of either (Jaccard), in [0, 1]; 1 where neither protects any."""
    return float(_iou(_overlap_of(a, b))[0, 1])


def dice(a: Mask, b: Mask) -> float:
    """Return 2 · protected pixels of both / the sum of each one's, in [0, 1]; 1 where both are empty."""
    return float(_dice(_overlap_of(a, b))[0, 1])


def blurred_spearman(a: Mask, b: Mask, sigma: float | None = None) -> float:
    """Return Spearman's rank correlation of two people's blurred masks, in [-1, 1].

    A constant mask (empty, or full) against one that is not gives 0; two constant masks give NaN, which
    means leave out (`blurred_maps.correlation`). ``sigma`` is in pixels, `blurred_maps.default_sigma` if
    None; large masks are averaged down first (`blurred_maps.small_shape`).
    """
    same_size([a, b])
    return correlation(blurred_ranking(a, sigma), blurred_ranking(b, sigma))


def human_alignment(masks: Sequence[Mask], sigma: float | None = None) -> float:
    """Return the mean of `blurred_spearman` over all pairs of people; NaN where no pair has one.

    The "average inter-rater alignment" that Fel et al. 2022 (arXiv 2211.04533) divide by.
    """
    return mean_known(pairs_of(Comparison.of(masks, sigma).spearman))


def model_alignment(model_map: Mask, masks: Sequence[Mask], sigma: float | None = None) -> float:
    """Return how well a model's map agrees with people, 1 meaning as well as people with each other.

    The mean over people of Spearman's correlation of the model's map with the person's blurred mask, divided
    by `human_alignment` (Fel et al. 2022, arXiv 2211.04533). NaN where people do not agree (human alignment
    not above 0, or only one person): nothing could be divided by. Over many images divide the means, as the
    authors do (``click_me.py``), not image by image: one image's human alignment may be near 0.

    Parameters
    ----------
    model_map
        uint8 of any size.
    """
    compared = Comparison.of(masks, sigma, model_map)
    return share_of(mean_known(compared.model), mean_known(pairs_of(compared.spearman)))


class Comparison:
    """The masks of one image, compared pair by pair; people are added one at a time.

    Parameters
    ----------
    sigma, model_map
        As in `model_alignment`.

    Attributes
    ----------
    pixels : int
    overlap : int64 (n, n)
        Pixels that both protect; on the diagonal each one's own.
    model : float64 (n,)
        Spearman's correlation of the model's map with each one's mask; empty without a map.
    """

    def __init__(self, sigma: float | None = None, model_map: Mask | None = None) -> None:
        self.pixels = 0
        self._sigma, self._map = sigma, model_map
        self._protected: list[NDArray[np.bool_]] = []
        self._rankings: list[Floats] = []
        self._overlap: list[list[int]] = []

    @classmethod
    def of(
        cls, masks: Sequence[Mask], sigma: float | None = None, model_map: Mask | None = None
    ) -> "Comparison":
        """Compare ``masks``; `SipError` where there are none, or they differ in size."""
        same_size(masks)
        compared = cls(sigma, model_map)
        for mask in masks:
            compared.add(mask)
        return compared

    def add(self, mask: Mask) -> None:
        """Add a person's mask, uint8 (H, W) of the size of the others."""
        protected = mask >= PROTECTED
        self.pixels = mask.size
        own = int(np.count_nonzero(protected))
        self._overlap.append([int(np.count_nonzero(protected & other)) for other in self._protected] + [own])
        self._protected.append(protected)
        self._rankings.append(blurred_ranking(mask, self._sigma))

    @property
    def overlap(self) -> NDArray[np.int64]:
        count = len(self._overlap)
        found = np.zeros((count, count), np.int64)
        for row, values in enumerate(self._overlap):
            found[row, : row + 1] = found[: row + 1, row] = values
        return found

    @property
    def iou(self) -> Floats:
        """float64 (n, n), 1 on the diagonal."""
        return _iou(self.overlap)

    @property
    def dice(self) -> Floats:
        """float64 (n, n), 1 on the diagonal."""
        return _dice(self.overlap)

    @property
    def spearman(self) -> Floats:
        """float64 (n, n); NaN where two masks are constant (`blurred_maps.correlation`)."""
        return np.array([[correlation(a, b) for b in self._rankings] for a in self._rankings], np.float64)

    @property
    def model(self) -> Floats:
        if self._map is None or not self._protected:
            return np.zeros(0)
        height, width = self._protected[0].shape
        asked = map_ranking(self._map, (height, width), self._sigma)
        return np.array([correlation(asked, ranked) for ranked in self._rankings], np.float64)


class ProtectedCounts:
    """Krippendorff's alpha (nominal: protected or not) over the pixels of many images, from counts alone.

    A pixel that k of the m people who did its image protect adds k (k − 1) / (m − 1) coincidences of
    protected with protected (Krippendorff 2011, step B). The sum of k (k − 1) over an image is the sum of
    all pairs' overlaps, so no matrix of ratings is needed. Every pixel counts once: a large image weighs
    more than a small one. Images that fewer than two people did are not pairable and add nothing.
    """

    def __init__(self) -> None:
        self._protected = self._all = 0  # values that pixels were given
        self._coincidences = 0.0  # of protected with protected

    def add(self, compared: Comparison) -> None:
        """Add one image."""
        overlap = compared.overlap
        people = len(overlap)
        if people < 2:
            return
        own = int(np.trace(overlap))
        self._protected += own
        self._all += people * compared.pixels
        self._coincidences += (int(overlap.sum()) - own) / (people - 1)

    @property
    def alpha(self) -> float:
        """At most 1; 0 by chance alone; NaN where all pixels are alike or there is none."""
        left = self._all - self._protected
        observed = 2 * (self._protected - self._coincidences)
        return _alpha(observed, 2 * self._protected * left, self._all)


def krippendorff_alpha(ratings: Floats, level: str = "nominal") -> float:
    """Return Krippendorff's alpha: 1 − observed / expected disagreement.

    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania 2011, section D
    (any number of raters, missing values).

    Parameters
    ----------
    ratings
        float (raters, units), NaN where a rater did not rate a unit. Units with fewer than two ratings are
        left out.
    level
        "nominal": values are the same or not; "interval": they disagree by the square of their difference.

    Returns
    -------
    At most 1; NaN where no two ratings can be paired, or all of them are the same.

    Raises
    ------
    ValueError
        For another level.
    """
    if level not in ("nominal", "interval"):
        raise ValueError(f"the level is {level!r}: nominal or interval")
    known = ~np.isnan(ratings)
    paired = known.sum(axis=0) >= 2
    ratings, known = ratings[:, paired], known[:, paired]
    given = known.sum(axis=0)
    values = ratings[known]
    if not len(values):
        return math.nan
    if level == "nominal":
        # Of m ratings, m² − Σ n_c² ordered pairs differ.
        kinds, counts = np.unique(values, return_counts=True)
        alike = sum(((ratings == kind).sum(axis=0).astype(np.float64) ** 2 for kind in kinds), np.zeros(1))
        within = given.astype(np.float64) ** 2 - alike
        expected = float(len(values)) ** 2 - float((counts.astype(np.float64) ** 2).sum())
    else:
        # The squares of all ordered differences of m ratings add up to 2 m Σ (v − mean)².
        filled = np.where(known, ratings, 0.0)
        away = np.where(known, ratings - filled.sum(axis=0) / given, 0.0)
        within = 2 * given * (away**2).sum(axis=0)
        expected = 2 * len(values) * float(((values - values.mean()) ** 2).sum())
    return _alpha(float((within / (given - 1)).sum()), expected, len(values))


def pairs_of(matrix: Floats) -> Floats:
    """Return the values of an (n, n) matrix above its diagonal: one for each pair."""
    return matrix[np.triu_indices(len(matrix), 1)]


def mean_known(values: Sequence[float] | Floats) -> float:
    """Return the mean of those that are not NaN; NaN where there is none."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else math.nan


def share_of(value: float, ceiling: float) -> float:
    """Return ``value`` / ``ceiling``; NaN where the ceiling is not above 0."""
    return value / ceiling if ceiling > 0 else math.nan


def _alpha(observed: float, expected: float, values: int) -> float:
    """Return 1 − (observed / values) / (expected / (values (values − 1)))."""
    return 1 - observed * (values - 1) / expected if expected > 0 else math.nan


def _overlap_of(a: Mask, b: Mask) -> NDArray[np.int64]:
    same_size([a, b])
    stack = np.stack([a >= PROTECTED, b >= PROTECTED]).reshape(2, -1)
    both = np.count_nonzero(stack[0] & stack[1])
    return np.array([[np.count_nonzero(stack[0]), both], [both, np.count_nonzero(stack[1])]], np.int64)


def _iou(overlap: NDArray[np.int64]) -> Floats:
    own = overlap.diagonal()
    return _ratio(overlap, own[:, None] + own - overlap)


def _dice(overlap: NDArray[np.int64]) -> Floats:
    own = overlap.diagonal()
    return _ratio(2 * overlap, own[:, None] + own)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Floats:
    return np.divide(part, whole, out=np.ones(whole.shape), where=whole > 0)
