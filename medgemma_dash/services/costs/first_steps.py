"""What comes before a click: encoding the radiograph, reading the prompt, decoding tokens."""

from collections.abc import Callable
from itertools import islice

import torch

from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.decoding import greedy_tokens
from medgemma_dash.services.costs.measure import extra_peak_bytes, seconds
from medgemma_dash.services.costs.workload import Workload, build_workload

LENGTH = 320
DECODED = 17


def measure_first_steps(model: VisionLanguageModel) -> list[str]:
    """Lines with the seconds of each step and the peak memory of the largest."""
    side = model.layout.image_size
    pixels = torch.zeros(1, 3, side, side)
    work = build_workload(model, LENGTH)

    def encode() -> None:
        model.image_features.forget("bench")
        model.encode_image("bench", pixels)

    with model.lock:
        try:
            encode_seconds = _second(encode, model)
            prefill = _second(lambda: _decode(work, 1), model)
            several = _second(lambda: _decode(work, DECODED), model)
            build = _second(work.replay, model)
            peak = max(
                extra_peak_bytes(step, model.device) for step in (encode, lambda: _decode(work, 1))
            )
        finally:
            model.image_features.forget("bench")
    per_token = (several - prefill) / (DECODED - 1)
    return [
        f"  encode {side} px {encode_seconds:.3f} s, prefill of {LENGTH} {prefill:.3f} s, "
        f"decode {per_token:.3f} s a token, replay {build:.3f} s; "
        f"weights {model.memory_bytes / 1e6:.0f} MB, peak above them {peak / 1e6:.0f} MB"
    ]


def _decode(work: Workload, count: int) -> None:
    tokens = greedy_tokens(work.model, work.input_ids, [work.image_span], work.features)
    for _ in islice(tokens, count):
        pass


def _second(step: Callable[[], object], model: VisionLanguageModel) -> float:
    """The second of two calls: the first warms caches and allocators up."""
    seconds(step, model.device)
    return seconds(step, model.device)
