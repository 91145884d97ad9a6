"""From the colours of one face's skin to those of another's: one affine map of BGR.

It makes mean and covariance equal, and of all such maps it moves colours the least: the linear
Monge-Kantorovitch map of F. Pitie and A. Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
example-based colour transfer", CVMP 2007, in an opponent space as E. Reinhard et al. do it, "Color transfer
between images", IEEE CG&A 21(5), 2001. The opponent space is linear in gamma-coded BGR, so the map is three
rows of four numbers, exactly, which `cv2.transform` applies to 512 x 512 pixels in 0.06 ms; another light on
the same skin is such a map too: a gain for each channel. In Lab it would be none, and cost a table.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["IDENTITY", "Tone", "inliers", "mapping", "opponent", "tone"]

_TO_OPPONENT = np.array([[0.114, 0.587, 0.299], [-0.081312, -0.418688, 0.5], [0.5, -0.331264, -0.168736]])
"""From BGR to luma, Cr and Cb (ITU-R BT.601)."""
_FROM_OPPONENT = np.linalg.inv(_TO_OPPONENT)
_NOISE = (3.0, 1.5, 1.5)
"""Deviations of luma, Cr and Cb that are no colour but noise, in grey levels: what varies less is not scaled
by the ratio of two noises."""
_LIGHT = (0.1, 3.0)
"""Ratios of the means of a channel that another light may make: more would show noise and steps."""
_CONTRAST = (0.6, 1.6)
"""Gains of contrast along any direction of colour, when the light is taken out."""
_LEAST_BLACK, _GREATEST_BLACK = np.array([-0.13, -0.035, -0.035]), np.array([0.07, 0.035, 0.035])
"""Luma, Cr and Cb that black may become, in the luma of the target's skin: farther, pupils and nostrils turn
milky or coloured, or shadows lose their shape."""
_DARKEST = 4.0
"""Grey levels below which a mean tells nothing of the light."""
_ROUNDS = 2
"""Of telling what is unlike the rest: the first still has it in its deviation."""
_OUTLIER = 1.5
"""Deviations from the mean at which a pixel counts exp(-1/2): hair, glasses, a highlight."""
_LEAST_DEVIATION = (20.0, 6.0, 6.0)
"""Of luma, Cr and Cb: within these no pixel is an outlier, however even the rest is."""

IDENTITY: NDArray[np.float32] = np.eye(3, 4, dtype=np.float32)
IDENTITY.setflags(write=False)


@dataclass(frozen=True, slots=True)
class Tone:
    """Mean and covariance of colours in luma, Cr and Cb, of values from 0 to 255."""

    mean: NDArray[np.float64]
    """(3,)."""
    covariance: NDArray[np.float64]
    """(3, 3)."""


def opponent(bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 3) float32 luma, Cr and Cb of (N, 3) colours."""
    colours: NDArray[np.float32] = bgr.astype(np.float32) @ _TO_OPPONENT.T.astype(np.float32)
    return colours


def tone(colours: NDArray[np.float32], weight: NDArray[np.float32]) -> Tone:
    """Of (N, 3) `opponent` colours, each counting by its weight in (N,), not all 0."""
    share = weight / weight.sum()
    mean = share @ colours
    apart = colours - mean
    covariance = (apart * share[:, None]).T @ apart
    return Tone(mean.astype(np.float64), covariance.astype(np.float64))


def inliers(colours: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,): the weights of (N, 3) `opponent` colours, less where one is unlike the rest."""
    counted = weight
    for _ in range(_ROUNDS):
        usual = tone(colours, counted)
        deviation = np.maximum(np.sqrt(usual.covariance.diagonal()), _LEAST_DEVIATION).astype(np.float32)
        apart = (colours - usual.mean.astype(np.float32)) / deviation
        # max(axis=1) is several times slower on three columns.
        farthest = np.maximum(np.maximum(apart[:, 0] ** 2, apart[:, 1] ** 2), apart[:, 2] ** 2)
        counted = weight * np.exp(farthest / np.float32(-2 * _OUTLIER**2))
    return counted


def mapping(source: Tone, target: Tone) -> NDArray[np.float32]:
    """(3, 4) float32, for columns (b, g, r, 1): gives what has the tone `source` that of `target`.

    The mean as far as the limits of light allow, the covariance as far as those of contrast and of black do.
    """
    light = _light(source.mean, target.mean)
    mean = light @ source.mean
    lit = light @ source.covariance @ light.T
    noise = np.diag(np.square(_NOISE))
    root, inverse = _root(lit + noise)
    between, _ = _root(root @ (target.covariance + noise) @ root)
    gains, axes = np.linalg.eigh(inverse @ between @ inverse)
    contrast = (axes * gains.clip(*_CONTRAST)) @ axes.T
    luma = max(float(mean[0]), _DARKEST)
    black = (mean - contrast @ mean) / luma
    contrast[:, 0] += black - black.clip(_LEAST_BLACK, _GREATEST_BLACK)
    linear = contrast @ light
    matrix = np.empty((3, 4))
    matrix[:, :3] = _FROM_OPPONENT @ linear @ _TO_OPPONENT
    matrix[:, 3] = _FROM_OPPONENT @ (mean - linear @ source.mean)
    return matrix.astype(np.float32)


def _light(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3), of luma, Cr and Cb: the gain of each channel that brings one mean to the other."""
    own, other = (np.maximum(_FROM_OPPONENT @ mean, _DARKEST) for mean in (source, target))
    gain = (other / own).clip(*_LIGHT)
    return np.asarray(_TO_OPPONENT @ (gain[:, None] * _FROM_OPPONENT), np.float64)


def _root(covariance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The symmetric square root, and its inverse."""
    values, axes = np.linalg.eigh(covariance)
    root = np.sqrt(values.clip(1e-9))
    return (axes * root) @ axes.T, (axes / root) @ axes.T
