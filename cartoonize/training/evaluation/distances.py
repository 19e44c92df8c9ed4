"""Distances between two sets of pictures by their features: FID and KID, each with a 95 % confidence interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float64]  # (pictures, features)
Distance: TypeAlias = Callable[[Vectors, Vectors], float]

HALVES = 100  # random halves that an interval is made of


class Estimate(NamedTuple):
    """A number with the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Return the same in another unit."""
        return Estimate(*(factor * number for number in self))


def fid(a: Vectors, b: Vectors) -> float:
    """Return the Fréchet distance of the normal distributions of the sets' means and covariances (Heusel et al. 2017).

    |μa - μb|² + tr(Σa + Σb - 2 (Σa Σb)^½). It is too large for few pictures: compare only what is of as many.
    """
    A, B = ((vectors - vectors.mean(0)) / np.sqrt(len(vectors) - 1) for vectors in (a, b))  # Σa = AᵀA, Σb = BᵀB
    # The roots of Σa Σb's eigenvalues are the singular values of ABᵀ: exact also where the covariances have no inverse.
    crossed = np.linalg.svd(A @ B.T, compute_uv=False).sum()
    return float(np.sum((a.mean(0) - b.mean(0)) ** 2) + np.sum(A**2) + np.sum(B**2) - 2 * crossed)


def kid(a: Vectors, b: Vectors) -> float:
    """Return the squared maximum mean discrepancy under k(x, y) = (x·y / features + 1)³ (Bińkowski et al. 2018).

    Unbiased for any number of pictures, so that it may be below 0.
    """
    within = [_mean_of_pairs(vectors) for vectors in (a, b)]
    return float(sum(within) - 2 * _kernel(a, b).mean())


def estimate(distance: Distance, a: Vectors, b: Vectors) -> Estimate:
    """Return a distance with its interval: the value ± 1.96 times its spread over random halves of both sets.

    Half of n numbers, drawn without putting back, vary as much around their own as n do around the truth.
    """
    rng = np.random.default_rng(0)
    values = [distance(*(_half(vectors, rng) for vectors in (a, b))) for _ in range(HALVES)]
    value, reach = distance(a, b), 1.96 * float(np.std(values, ddof=1))
    return Estimate(value, value - reach, value + reach)


def mean(values: NDArray[np.float64]) -> Estimate:
    """Return the mean of numbers (n,) with its interval."""
    reach = 1.96 * float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return Estimate(float(values.mean()), float(values.mean() - reach), float(values.mean() + reach))


def _half(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    return vectors[rng.permutation(len(vectors))[: len(vectors) // 2]]


def _kernel(a: Vectors, b: Vectors) -> Vectors:
    kernel: Vectors = (a @ b.T / a.shape[1] + 1) ** 3
    return kernel


def _mean_of_pairs(vectors: Vectors) -> float:
    """Return the kernel's mean over pairs of different pictures."""
    kernel, n = _kernel(vectors, vectors), len(vectors)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
