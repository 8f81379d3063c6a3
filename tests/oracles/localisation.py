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
