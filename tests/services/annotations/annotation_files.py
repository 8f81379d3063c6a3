"""Annotation files and pictures made by code."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from medgemma_dash.services.datasets.annotations import AnnotationSet

HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
HEIGHT, WIDTH = 40, 50


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write(images: Path, name: str, content: object) -> Path:
    path = images.parent / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def reasons(found: AnnotationSet) -> dict[str, str]:
    return {problem.place: problem.reason for problem in found.problems}


def packed(mask: np.ndarray) -> str:
    """COCO's packed run lengths, written from their description."""
    text = ""
    runs = run_lengths(mask)
    for index, run in enumerate(runs):
        number = run - runs[index - 2] if index > 2 else run
        while True:
            bits, number = number & 31, number >> 5
            done = (number == 0 and not bits & 16) or (number == -1 and bits & 16)
            text += chr(48 + (bits if done else bits | 32))
            if done:
                break
    return text


def run_lengths(mask: np.ndarray) -> list[int]:
    runs, value = [0], 0
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def random_mask(seed: int, share: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH)) < share


def coco(**changes: object) -> dict[str, object]:
    return {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 50, "height": 40}],
        "categories": [{"id": 3, "name": "Pleural  Effusion"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}],
    } | changes
