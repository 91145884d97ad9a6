"""A canvas for drawing with soft, anti-aliased shapes in units of the drawing rather than in pixels."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Canvas", "Colour", "moved", "smooth", "tapered"]

Colour = tuple[int, int, int]
"""Blue, green, red: 0 to 255."""
SUBPIXEL_BITS = 4
STEPS_PER_SPAN = 8
LEAST_SIGMA_PX = 0.3
"""A smaller blur is none."""
REACH_SIGMAS = 2.6
"""How far a blurred edge or a glow is drawn, in standard deviations."""


class Canvas:
    """Paints on a picture in place. A point (x, y) of the drawing lies at pixel ((x, y) - origin) * scale."""

    def __init__(
        self, bgr: NDArray[np.uint8], scale: float, origin: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        self.bgr = bgr
        self.scale = scale
        self.origin = origin

    def fill(
        self,
        points: ArrayLike,
        colour: Colour,
        opacity: float = 1.0,
        blur: float = 0.0,
        within: NDArray[np.uint8] | None = None,
    ) -> None:
        """Fill the polygon `points`, (N, 2), its edge blurred by a Gaussian of standard deviation `blur`.

        `within`, (H, W) uint8 of the whole picture, limits the paint to where it is not 0.
        """
        pixels = (np.asarray(points, np.float64) - self.origin) * self.scale
        self._lay(pixels, colour, opacity, blur * self.scale, within)

    def stroke(
        self,
        points: ArrayLike,
        widths: Sequence[float],
        colour: Colour,
        opacity: float = 1.0,
        blur: float = 0.0,
        within: NDArray[np.uint8] | None = None,
    ) -> None:
        """A brush stroke through `points`, as wide as `widths` along the way; pointed where they are 0."""
        self.fill(tapered(smooth(points), widths), colour, opacity, blur, within)

    def glow(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        opacity: float = 1.0,
        turn: float = 0.0,
        within: NDArray[np.uint8] | None = None,
    ) -> None:
        """A Gaussian spot with standard deviations `radii` along axes turned by `turn` radians."""
        x, y = (np.asarray(centre) - self.origin) * self.scale
        reach = REACH_SIGMAS * max(radii) * self.scale
        box = self._clip(x - reach, y - reach, x + reach + 1, y + reach + 1)
        if box is None:
            return
        x0, y0, x1, y1 = box
        step = max(1, min(8, int(min(radii) * self.scale / 6)))
        across = np.arange(x0, x1, step, dtype=np.float32)[None, :] + np.float32((step - 1) / 2 - x)
        down = np.arange(y0, y1, step, dtype=np.float32)[:, None] + np.float32((step - 1) / 2 - y)
        cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        u = (across * cosine + down * sine) / np.float32(radii[0] * self.scale)
        v = (down * cosine - across * sine) / np.float32(radii[1] * self.scale)
        alpha = np.exp(-0.5 * (u * u + v * v)) * np.float32(opacity)
        if step > 1:
            whole = (alpha.shape[1] * step, alpha.shape[0] * step)
            alpha = np.asarray(cv2.resize(alpha, whole)[: y1 - y0, : x1 - x0], np.float32)
        self._blend(box, alpha, colour, within)

    def mask(self, points: ArrayLike, blur: float = 0.0) -> NDArray[np.uint8]:
        """The polygon `points` as coverage of the whole picture, (H, W) uint8."""
        mask = np.zeros(self.bgr.shape[:2], np.uint8)
        pixels = (np.asarray(points, np.float64) - self.origin) * self.scale
        pad = REACH_SIGMAS * blur * self.scale + 2
        low, high = pixels.min(axis=0) - pad, pixels.max(axis=0) + pad
        box = self._clip(low[0], low[1], high[0], high[1])
        if box is not None:
            region = mask[box[1] : box[3], box[0] : box[2]]
            _fill_polygon(region, pixels - box[:2])
            region[:] = _blurred(region, blur * self.scale)
        return mask

    def shade(
        self, colours: NDArray[np.float32], corner: tuple[float, float], mask: NDArray[np.uint8]
    ) -> None:
        """Lay `colours`, (h, w, 3) float32 pixels from `corner` on, through `mask`, (H, W) uint8."""
        x, y = (round(float(value)) for value in (np.asarray(corner) - self.origin) * self.scale)
        box = self._clip(x, y, x + colours.shape[1], y + colours.shape[0])
        if box is None:
            return
        x0, y0, x1, y1 = box
        laid = cv2.convertScaleAbs(colours[y0 - y : y1 - y, x0 - x : x1 - x])
        alpha = mask[y0:y1, x0:x1] * np.float32(1 / 255)
        region = self.bgr[y0:y1, x0:x1]
        region[:] = cv2.blendLinear(laid, region, alpha, 1 - alpha)

    def polygon(self, points: ArrayLike, colour: Colour) -> None:
        """Fill the polygon `points` in full strength: the quick way for many small shapes."""
        pixels = (np.asarray(points, np.float64) - self.origin) * self.scale
        corners = np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(self.bgr, [corners], colour, cv2.LINE_AA, SUBPIXEL_BITS)

    def sheet(self) -> "Canvas":
        """A copy to draw on, to be laid over this one by `merge`."""
        return Canvas(self.bgr.copy(), self.scale, self.origin)

    def merge(self, sheet: "Canvas", mask: NDArray[np.uint8]) -> None:
        """Lay `sheet` over this canvas through `mask`, (H, W) uint8."""
        x, y, width, height = cv2.boundingRect(mask)
        if width and height:
            box = np.s_[y : y + height, x : x + width]
            alpha = mask[box] * np.float32(1 / 255)
            self.bgr[box] = cv2.blendLinear(sheet.bgr[box], self.bgr[box], alpha, 1 - alpha)

    def _lay(
        self,
        pixels: NDArray[np.float64],
        colour: Colour,
        opacity: float,
        sigma: float,
        within: NDArray[np.uint8] | None,
    ) -> None:
        pad = REACH_SIGMAS * sigma + 2
        low, high = pixels.min(axis=0) - pad, pixels.max(axis=0) + pad
        box = self._clip(low[0], low[1], high[0], high[1])
        if box is None:
            return
        x0, y0, x1, y1 = box
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        _fill_polygon(mask, pixels - (x0, y0))
        alpha = np.multiply(_blurred(mask, sigma), np.float32(opacity / 255), dtype=np.float32)
        self._blend(box, alpha, colour, within)

    def _blend(
        self,
        box: tuple[int, int, int, int],
        alpha: NDArray[np.float32],
        colour: Colour,
        within: NDArray[np.uint8] | None,
    ) -> None:
        x0, y0, x1, y1 = box
        if within is not None:
            limited = cv2.multiply(within[y0:y1, x0:x1], alpha, scale=1 / 255, dtype=cv2.CV_32F)
            alpha = np.asarray(limited, np.float32)
        region = self.bgr[y0:y1, x0:x1]
        paint = np.empty_like(region)
        paint[:] = colour
        region[:] = cv2.blendLinear(paint, region, alpha, 1 - alpha)

    def _clip(self, x0: float, y0: float, x1: float, y1: float) -> tuple[int, int, int, int] | None:
        """The whole pixels of the picture inside a box; None when there are none."""
        left, top = max(0, int(np.floor(x0))), max(0, int(np.floor(y0)))
        right = min(self.bgr.shape[1], int(np.ceil(x1)))
        bottom = min(self.bgr.shape[0], int(np.ceil(y1)))
        return (left, top, right, bottom) if right > left and bottom > top else None


def moved(points: ArrayLike, x: float, y: float) -> NDArray[np.float64]:
    """`points`, (N, 2) or (2,), shifted by (x, y)."""
    shifted: NDArray[np.float64] = np.asarray(points, np.float64) + np.array((x, y))
    return shifted


def smooth(points: ArrayLike, closed: bool = False) -> NDArray[np.float64]:
    """A Catmull-Rom curve through `points`, (N, 2), as a denser polyline; needs two points or more."""
    through = np.asarray(points, np.float64)
    if len(through) < 3:
        return through
    if closed:
        padded = np.concatenate([through[-1:], through, through[:2]])
    else:
        first, last = 2 * through[0] - through[1], 2 * through[-1] - through[-2]
        padded = np.concatenate([first[None], through, last[None]])
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(STEPS_PER_SPAN) / STEPS_PER_SPAN)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    dense = curve.reshape(-1, 2)
    return dense if closed else np.concatenate([dense, through[-1:]])


def tapered(line: NDArray[np.float64], widths: Sequence[float]) -> NDArray[np.float64]:
    """The outline of a line as wide as `widths`, spread evenly over its length: a polygon, (2N, 2)."""
    steps = np.diff(line, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    half = np.interp(along / max(along[-1], 1e-9), np.linspace(0, 1, len(widths)), widths) / 2
    direction = np.gradient(line, axis=0)
    direction /= np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-9)[:, None]
    offset = np.stack([-direction[:, 1], direction[:, 0]], axis=1) * half[:, None]
    return np.concatenate([line + offset, (line - offset)[::-1]])


def _fill_polygon(mask: NDArray[np.uint8], pixels: NDArray[np.float64]) -> None:
    corners = np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [corners], (255,), cv2.LINE_AA, SUBPIXEL_BITS)


def _blurred(mask: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    if sigma <= LEAST_SIGMA_PX:
        return mask
    step = max(1, int(sigma / 5))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), np.uint8)
    height, width = mask.shape
    small = cv2.resize(mask, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)
