"""Where a soft token lies on the original radiograph.

The processor stretches the whole radiograph to the model's square input, so the
grid of soft tokens covers the original exactly and each axis scales on its own.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A half-open rectangle in original pixels: top <= y < bottom, left <= x < right."""

    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True)
class PatchGrid:
    """A rows x cols grid of soft tokens stretched over a height x width radiograph."""

    rows: int
    cols: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if min(self.rows, self.cols, self.height, self.width) < 1:
            raise ValueError(f"A grid has at least one cell and one pixel, not {self}.")

    @property
    def cell_height(self) -> float:
        """Height of a cell in original pixels."""
        return self.height / self.rows

    @property
    def cell_width(self) -> float:
        """Width of a cell in original pixels."""
        return self.width / self.cols

    def box(self, row: int, col: int) -> Box:
        """The cell's rectangle in original pixels."""
        self._check(row, col)
        return Box(
            row * self.cell_height,
            col * self.cell_width,
            (row + 1) * self.cell_height,
            (col + 1) * self.cell_width,
        )

    def centre(self, row: int, col: int) -> tuple[float, float]:
        """The cell's centre (y, x) in original pixels."""
        self._check(row, col)
        return (row + 0.5) * self.cell_height, (col + 0.5) * self.cell_width

    def cell(self, y: float, x: float) -> tuple[int, int]:
        """The cell (row, col) that holds the original pixel (y, x).

        Raises ValueError when the pixel lies outside the radiograph.
        """
        if not (0 <= y < self.height and 0 <= x < self.width):
            raise ValueError(
                f"Pixel (y={y}, x={x}) lies outside the {self.height} x {self.width} radiograph."
            )
        return int(y / self.cell_height), int(x / self.cell_width)

    def cells_in(self, box: Box) -> tuple[tuple[int, int], ...]:
        """The cells whose centre lies in the box, row by row; of a box that holds no centre, the
        cell that holds its middle. Raises ValueError for a box outside the radiograph.
        """
        down = [r for r in range(self.rows) if box.top <= self.centre(r, 0)[0] < box.bottom]
        across = [c for c in range(self.cols) if box.left <= self.centre(0, c)[1] < box.right]
        if down and across:
            return tuple((row, col) for row in down for col in across)
        return (self.cell((box.top + box.bottom) / 2, (box.left + box.right) / 2),)

    def _check(self, row: int, col: int) -> None:
        if not (0 <= row < self.rows and 0 <= col < self.cols):
            raise ValueError(
                f"Cell (row={row}, column={col}) lies outside the {self.rows} x {self.cols} grid."
            )
