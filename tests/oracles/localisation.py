"""Slow rewrites of the localisation metrics, pixel by pixel in exact fractions."""

from fractions import Fraction

import numpy as np


def near_mask(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Dilate by testing every mask pixel's rectangle against every cell's centre."""
    heights = [Fraction(size, cells) for size, cells in zip(mask.shape, grid, strict=True)]
    near = np.zeros(grid, dtype=bool)
    for row, col in np.ndindex(*grid):
        centre = [(Fraction(index) + Fraction(1, 2)) * step
                  for index, step in zip((row, col), heights, strict=True)]  # fmt: skip
        for pixel in np.argwhere(mask):
            # The pixel covers [i, i + 1); dilated by one cell, (i - step, i + 1 + step).
            near[row, col] |= all(
                int(i) - step < c < int(i) + 1 + step
                for i, c, step in zip(pixel, centre, heights, strict=True)
            )
    return near


def mask_coverage(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Cut every pixel into as many parts as there are cells and sum what falls in each cell."""
    rows, cols = grid
    fine = np.kron(mask, np.ones((rows, cols)))
    height, width = mask.shape
    covered = np.zeros(grid)
    for row, col in np.ndindex(*grid):
        cell = fine[row * height : (row + 1) * height, col * width : (col + 1) * width]
        covered[row, col] = cell.mean()
    return covered


def pointing_hit(image: np.ndarray, mask: np.ndarray) -> float:
    """Average over every cell that holds the greatest value."""
    near = near_mask(mask, image.shape)
    best = max(image.ravel())
    hits = [near[cell] for cell in np.ndindex(*image.shape) if image[cell] == best]
    return sum(hits) / len(hits)


def energy_inside(image: np.ndarray, mask: np.ndarray) -> float:
    """Sum cell by cell."""
    covered = mask_coverage(mask, image.shape)
    inside = total = 0.0
    for cell in np.ndindex(*image.shape):
        relevance = max(0.0, float(image[cell]))
        inside += relevance * covered[cell]
        total += relevance
    return inside / total


def _points(image: np.ndarray, mask: np.ndarray) -> list[tuple[float, bool]]:
    """Value and truth of every point of a raster so fine that no point is cut by a border."""
    rows, cols = image.shape
    height, width = mask.shape
    return [
        (float(image[y // height, x // width]), bool(mask[y // rows, x // cols]))
        for y, x in np.ndindex(rows * height, cols * width)
    ]


def _counts(points: list[tuple[float, bool]], threshold: float) -> tuple[int, int, int]:
    """True positives, false positives, false negatives."""
    true = sum(1 for value, inside in points if value >= threshold and inside)
    taken = sum(1 for value, _ in points if value >= threshold)
    return true, taken - true, sum(inside for _, inside in points) - true


def iou_at(image: np.ndarray, mask: np.ndarray, threshold: float) -> float:
    """At an absolute threshold, point by point."""
    true, false, missed = _counts(_points(image, mask), threshold)
    return true / (true + false + missed)


def iou_best(image: np.ndarray, mask: np.ndarray) -> float:
    """Try every value as a threshold."""
    return max(iou_at(image, mask, value) for value in set(image.ravel()))


def auprc(image: np.ndarray, mask: np.ndarray) -> float:
    """Average precision: one step for every distinct value."""
    points = _points(image, mask)
    area = recall = 0.0
    for threshold in sorted(set(image.ravel()), reverse=True):
        true, false, missed = _counts(points, threshold)
        area += (true / (true + missed) - recall) * true / (true + false)
        recall = true / (true + missed)
    return area
