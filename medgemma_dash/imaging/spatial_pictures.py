"""Black and white pictures of known layout: do soft tokens stand where their cells are?"""

import numpy as np
from jaxtyping import Bool, UInt8

CELL_PIXELS = 14
CHECKERS = 4  # a side


def spatial_layouts(grid: tuple[int, int]) -> dict[str, Bool[np.ndarray, "rows cols"]]:
    """The white cells of each picture: together no mirroring, turn or transposition goes unseen."""
    rows, cols = grid
    row, col = np.indices(grid)
    down, across = (row + 0.5) / rows, (col + 0.5) / cols
    return {
        "split": across < 0.5,
        "quadrants": (down < 0.5) & (across < 0.5),
        # Above the middle and right of it.
        "circle": np.hypot(down - 0.375, across - 0.625) < 0.3,
        "checkerboard": ((down * min(CHECKERS, rows)).astype(int)
                         + (across * min(CHECKERS, cols)).astype(int)) % 2 == 0,
    }  # fmt: skip


def as_picture(white: Bool[np.ndarray, "rows cols"]) -> UInt8[np.ndarray, "height width 3"]:
    """Each cell as a square of white or black."""
    cells = np.where(white, np.uint8(255), np.uint8(0))
    wide = np.kron(cells, np.ones((CELL_PIXELS, CELL_PIXELS), np.uint8))
    return np.repeat(wide[..., None], 3, axis=2)
