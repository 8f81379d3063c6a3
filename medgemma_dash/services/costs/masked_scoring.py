"""How many masks are scored in a second, beside bare forward passes of the same batches."""

from collections.abc import Iterator
from statistics import median

import torch

from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.masked_forward import masked_log_probabilities, variants_at_once
from medgemma_dash.models.plain_forward import plain_log_probabilities
from medgemma_dash.services.costs.claims import claim_line
from medgemma_dash.services.costs.measure import seconds
from medgemma_dash.services.costs.workload import build_workload

LENGTH = 320
BATCHES = 4
LEAST_SHARE = 0.8


def masked_scoring_costs(model: VisionLanguageModel, rounds: int) -> Iterator[str]:
    """Two lines: masks a second, and their number over that of bare batched forwards.

    Bare is transformers' own forward over embeddings that are at hand, and the unembedding of one
    row; rounds run in turns, so that slow spells hit both alike.
    """
    work = build_workload(model, LENGTH)
    with model.lock:
        replay = work.replay()
        batch = variants_at_once(replay)
        count = BATCHES * batch
        masks = torch.rand(count, len(work.features), generator=torch.Generator().manual_seed(0))
        mean = work.features.float().mean(0, keepdim=True).expand_as(work.features)
        places = [(work.row, work.token)]

        def scored() -> None:
            masked_log_probabilities(replay, [work.image_span], masks < 0.5, mean, places)

        def bare() -> None:
            for _ in range(BATCHES):
                embeddings = work.embeddings.repeat(batch, 1, 1)
                plain_log_probabilities(
                    model, embeddings, work.token_types.repeat(batch, 1), work.row
                )

        found = [(seconds(bare, model.device), seconds(scored, model.device))
                 for _ in range(rounds + 1)][1:]  # fmt: skip
    rate = count / median(one for _, one in found)
    yield f"  scored masks, S = {LENGTH}, {batch} at once {rate:12.1f} a second"
    share = median(plain / one for plain, one in found)
    yield claim_line("scored masks / bare forwards", share, ">=", LEAST_SHARE)
