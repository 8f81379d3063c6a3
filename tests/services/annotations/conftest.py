"""Three small pictures to annotate."""

from pathlib import Path

import numpy as np
import pytest

from tests.services.annotations.annotation_files import HEIGHT, WIDTH, save


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for name in ("a.png", "b.jpg", "patient1/study2/view1_frontal.jpg"):
        save(folder / name, np.full((HEIGHT, WIDTH), 90, np.uint8))
    return folder
