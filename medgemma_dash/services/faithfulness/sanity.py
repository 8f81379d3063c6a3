"""Sanity checks of maps and of the pipeline: what has to hold before any figure means something."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.imaging.spatial_pictures import as_picture, spatial_layouts
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.metrics.infidelity import max_sensitivity, scaled_infidelity
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.pictures import encode_pictures
from medgemma_dash.models.randomisation import PARTS, Part, caches_aside, layer_count, randomised
from medgemma_dash.services.explaining.explain import explain_target
from medgemma_dash.services.faithfulness.plan import (
    COMPLETENESS,
    ENTROPY_CHANGE,
    RANDOM_MAPS,
    RANDOMISED_CORRELATION,
    REPEATED,
    SENSITIVITY,
    SPATIAL_AREA,
)

NOISE_LEVELS, NOISE_DRAWS = 5, 3  # grey levels at most, up or down; 2% of the range


@dataclass(frozen=True)
class Finding:
    """One line of the table "sanity"; method: "" for what no method takes part in."""

    check: str
    method: str
    step: str
    value: float
    passed: bool


Cells = Float[np.ndarray, " cells"]
Piece = Callable[[VisionLanguageModel, Check | None], list[Finding]]


@dataclass(frozen=True, eq=False)
class Sanity:
    """The checks of some methods' maps of one target, piece by piece.

    maps: what each method found. masks, scores: cells removed at random, by this removal, and the
    target's log-probability then; whole: with none removed.
    """

    answer: Answer
    target: Target
    maps: Mapping[str, Explanation]
    removal: str
    masks: np.ndarray
    scores: Float[np.ndarray, " variants"]
    whole: float
    seed: int

    def pieces(self, model: VisionLanguageModel) -> Iterator[Piece]:
        """Each a few runs of the model, after which it is what it was."""
        yield _spatial_order
        for method in self.maps:
            yield partial(self._repeated, method)
        for part in PARTS:
            # The weights are drawn once for all methods.
            yield from (partial(self._at_depth, part, top) for top in depths(model, part))
        for method in self.maps:
            yield partial(self._disturbed, method)
        yield self._without_model

    def _map(
        self,
        model: VisionLanguageModel,
        method: str,
        check: Check | None,
        answer: Answer | None = None,
    ) -> Cells:
        """The method's map now; empty where it finds nothing."""
        try:
            shown = answer or self.answer
            found = explain_target(model, shown, self.target, method=method, check=check)
        except NoExplanationError:
            return np.zeros_like(self.maps[method].cells)
        return found.cells

    def _repeated(
        self, method: str, model: VisionLanguageModel, check: Check | None
    ) -> list[Finding]:
        before = self.maps[method].cells
        gap = float(np.abs(self._map(model, method, check) - before).max())
        value = gap / float(np.abs(before).max())
        return [Finding("repeatability", method, "", value, value <= REPEATED)]

    def _at_depth(
        self, part: Part, top: int, model: VisionLanguageModel, check: Check | None
    ) -> list[Finding]:
        of = layer_count(model, part)
        with model.lock, randomised(model, part, top, self.seed):
            maps = {method: self._map(model, method, check) for method in self.maps}
        found = []
        for method, after in maps.items():
            before = self.maps[method].cells
            correlation = _spearman(before, after)
            change = _entropy_change(before, after)
            step, name = f"{top} of {of} layers", f"{part} randomisation"
            found += [
                Finding(name, method, step, correlation, abs(correlation) < RANDOMISED_CORRELATION),
                Finding(f"{name}, entropy", method, step, change, abs(change) >= ENTROPY_CHANGE),
            ]
        return found

    def _disturbed(
        self, method: str, model: VisionLanguageModel, check: Check | None
    ) -> list[Finding]:
        with model.lock, caches_aside(model):
            maps = [
                self._map(model, method, check, with_noise(self.answer, self.seed + draw))
                for draw in range(NOISE_DRAWS)
            ]
        value = max_sensitivity(self.maps[method].cells, maps)
        step = f"noise of {NOISE_LEVELS} grey levels"
        return [Finding("max-sensitivity", method, step, value, value < SENSITIVITY)]

    def _without_model(self, _model: VisionLanguageModel, _check: Check | None) -> list[Finding]:
        drops = self.whole - self.scores
        generator = np.random.default_rng([self.seed, RANDOM_MAPS])
        noise = generator.random((RANDOM_MAPS, self.masks.shape[1]))
        least = min(scaled_infidelity(one, self.masks, drops) for one in noise)
        found = []
        for method, explanation in self.maps.items():
            value = scaled_infidelity(explanation.cells, self.masks, drops)
            found.append(Finding("infidelity", method, self.removal, value, value < least))
            gap = explanation.completeness_gap
            if gap is not None:
                change = float(explanation.row.sum(dtype=np.float64)) - gap
                share = abs(gap) / max(abs(change), 1e-12)
                found.append(Finding("completeness", method, "", share, share <= COMPLETENESS))
        return found


def sanity_pieces(model: VisionLanguageModel, methods: int) -> int:
    """How many pieces the checks of so many methods have."""
    return 2 + 2 * methods + sum(len(depths(model, part)) for part in PARTS)


def decided(findings: list[Finding]) -> list[Finding]:
    """Weights are drawn anew layer after layer: whether that check is passed is told by its last
    step, and said at all of them.
    """
    last = {(one.check, one.method): one.passed for one in findings if "randomisation" in one.check}
    return [replace(one, passed=last.get((one.check, one.method), one.passed)) for one in findings]


def depths(model: VisionLanguageModel, part: Part) -> list[int]:
    """How many layers have random weights, step by step: the top one, quarters, all."""
    layers = layer_count(model, part)
    return sorted({1, *(layers * quarter // 4 for quarter in range(1, 5))} - {0})


def with_noise(answer: Answer, seed: int) -> Answer:
    """The same answer about radiographs with a little noise, at most `NOISE_LEVELS` up or down."""
    generator = np.random.default_rng(seed)
    images = []
    for image in answer.images:
        pixels = image.radiograph.pixels.astype(np.int16)
        # One draw for all channels: a radiograph stays grey.
        noise = generator.integers(-NOISE_LEVELS, NOISE_LEVELS + 1, (*pixels.shape[:2], 1))
        noisy = replace(
            image.radiograph,
            pixels=np.clip(pixels + noise, 0, 255).astype(np.uint8),
            sha256=f"{image.radiograph.sha256} with noise {seed}",
        )
        images.append(replace(image, radiograph=noisy))
    return replace(answer, images=tuple(images))


def _spatial_order(model: VisionLanguageModel, check: Check | None) -> list[Finding]:
    """Whether soft tokens of known pictures lie where their cells do.

    White cells are told from black ones by how much nearer their soft tokens are to a white
    picture's, at their places, than to a black one's. A tower that sees contrast more than grey may
    have that the other way round: which way is settled once for all pictures, and since not all of
    them are mirrored into their negatives, no mirroring goes unseen.
    """
    layouts = spatial_layouts(model.layout.grid)
    plain = np.zeros(model.layout.grid, np.bool_)
    with model.lock:
        every = [as_picture(white) for white in (plain, ~plain, *layouts.values())]
        h = encode_pictures(model, every, check).float().cpu().numpy()
    black, white, *shown = h
    areas = []
    for one, layout in zip(shown, layouts.values(), strict=True):
        whiteness = np.linalg.norm(one - black, axis=1) - np.linalg.norm(one - white, axis=1)
        areas.append(_area_under_roc(whiteness, layout.ravel()))
    if np.mean(areas) < 0.5:
        areas = [1 - area for area in areas]
    return [
        Finding("spatial order", "", name, area, area >= SPATIAL_AREA)
        for name, area in zip(layouts, areas, strict=True)
    ]


def _area_under_roc(values: Float[np.ndarray, " cells"], truth: np.ndarray) -> float:
    """Mann and Whitney's: how often a true cell's value is above a false one's."""
    ranks, n = rankdata(values), int(truth.sum())
    return float((ranks[truth].sum() - n * (n + 1) / 2) / (n * (len(truth) - n)))


def _spearman(before: Cells, after: Cells) -> float:
    """0 where nothing is left to be alike."""
    value = agreement(before[np.newaxis], after[np.newaxis]).spearman
    return value if np.isfinite(value) else 0.0


def _entropy_change(before: Cells, after: Cells) -> float:
    """Of the maps' magnitudes, relative; an empty map has lost all of it."""
    first, second = (_entropy(np.abs(one).astype(np.float64)) for one in (before, after))
    return (second - first) / first if first > 0 else 0.0


def _entropy(m: Cells) -> float:
    held = m[m > 0] / m.sum() if m.any() else m[:0]
    return float(-(held * np.log(held)).sum())
