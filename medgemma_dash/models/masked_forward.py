"""A replayed sequence again and again, each time with other soft tokens masked."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from medgemma_dash.core.progress import finish
from medgemma_dash.models.embedding import soft_positions
from medgemma_dash.models.logit_target import normed, unembedding
from medgemma_dash.models.replay import Replay, replay_mode

# Tensors of one layer in flight. On a processor a few variants at once are best (demo model, 64
# variants of 283 positions: 9.7 s one by one, 3.9 s by seven, 4.5 to 6 s by 28); a GPU needs more.
PROCESSOR_BYTES = 32 << 20
GPU_BYTES = 1 << 30


def masked_logits(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    masks: Bool[Tensor, "variants soft_tokens"],
    substitute: Float[Tensor, "soft_tokens hidden"],
    places: Sequence[tuple[int, int]],
    check: Callable[[], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Float[Tensor, "variants places"]:
    """Float32 logits when the soft tokens in a mask are replaced by their substitutes.

    image_spans: the images whose soft tokens, image after image, `masks` and `substitute` are of.
    places: the (position, token id) of each logit. The replay's own masks and positions are used,
    so a variant that masks nothing is the replay. `check` is called once per layer and batch,
    `progress` with the variants done and all of them after each batch.
    """
    return finish(
        masked_logit_steps(replay, image_spans, masks, substitute, places, check, progress)
    )


def masked_logit_steps(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    masks: Bool[Tensor, "variants soft_tokens"],
    substitute: Float[Tensor, "soft_tokens hidden"],
    places: Sequence[tuple[int, int]],
    check: Callable[[], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Generator[None, None, Float[Tensor, "variants places"]]:
    """As `masked_logits`; yields between the batches, where the model is as it was before."""
    of_tokens = unembedding(replay.model, [token for _, token in places]).float()
    rows = [row for row, _ in places]
    found = []
    done = 0
    for states in _masked_states(replay, image_spans, masks, substitute, rows, check):
        found.append(torch.einsum("vph,ph->vp", states.float(), of_tokens))
        done += len(states)
        if progress is not None:
            progress(done, len(masks))
        if done < len(masks):
            yield
    return torch.cat(found)


def masked_log_probabilities(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    masks: Bool[Tensor, "variants soft_tokens"],
    substitute: Float[Tensor, "soft_tokens hidden"],
    places: Sequence[tuple[int, int]],
    check: Callable[[], None] | None = None,
) -> Float[Tensor, "variants places"]:
    """As `masked_logits`, less the log of what all tokens of the vocabulary sum to."""
    rows = [row for row, _ in places]
    states = _masked_states(replay, image_spans, masks, substitute, rows, check)
    return _log_probabilities(replay, states, places)


def replayed_log_probabilities(
    replay: Replay, places: Sequence[tuple[int, int]]
) -> Float[Tensor, " places"]:
    """The same of the replay as it is, without another forward pass."""
    with torch.no_grad():
        states = normed(replay.model, replay.final[[row for row, _ in places]])
    return _log_probabilities(replay, [states.unsqueeze(0)], places)[0]


def replaced_log_probabilities(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    features: Float[Tensor, "variants soft_tokens hidden"],
    places: Sequence[tuple[int, int]],
    check: Callable[[], None] | None = None,
) -> Float[Tensor, "variants places"]:
    """The same where each variant has soft tokens of its own in the place of all images'."""
    rows = [row for row, _ in places]
    batches = features.to(replay.final.device).split(variants_at_once(replay))
    return _log_probabilities(replay, _states(replay, image_spans, batches, rows, check), places)


@dataclass(frozen=True, eq=False)
class TokenReadings:
    """What the decoder says of some tokens, each at its place, under each variant.

    first: id of the token that is most probable at the place.
    """

    logits: Float[Tensor, "variants places"]
    log_probabilities: Float[Tensor, "variants places"]
    first: Int[Tensor, "variants places"]


def replayed_readings(replay: Replay, places: Sequence[tuple[int, int]]) -> TokenReadings:
    """Of the replay as it is, one variant, without another forward pass."""
    with torch.no_grad():
        states = normed(replay.model, replay.final[[row for row, _ in places]])
    return _readings(replay, [states.unsqueeze(0)], places)


def replaced_readings(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    features: Float[Tensor, "variants soft_tokens hidden"],
    places: Sequence[tuple[int, int]],
    check: Callable[[], None] | None = None,
) -> TokenReadings:
    """The same where each variant has soft tokens of its own in the place of all images'."""
    rows = [row for row, _ in places]
    batches = features.to(replay.final.device).split(variants_at_once(replay))
    return _readings(replay, _states(replay, image_spans, batches, rows, check), places)


def _readings(
    replay: Replay, states: Iterable[Tensor], places: Sequence[tuple[int, int]]
) -> TokenReadings:
    head = replay.model.hf_model.lm_head
    token = torch.tensor([token for _, token in places], device=replay.final.device)
    chosen, sums, first = [], [], []
    for batch in states:
        for one in batch:
            with torch.no_grad():
                logits = head(one).float()
            chosen.append(logits.gather(1, token[:, None]).squeeze(1))
            sums.append(logits.logsumexp(-1))
            first.append(logits.argmax(-1))
    every = torch.stack(chosen)
    return TokenReadings(every, every - torch.stack(sums), torch.stack(first))


def _log_probabilities(
    replay: Replay, states: Iterable[Tensor], places: Sequence[tuple[int, int]]
) -> Float[Tensor, "variants places"]:
    head = replay.model.hf_model.lm_head
    token = torch.tensor([token for _, token in places], device=replay.final.device)
    found = []
    for batch in states:
        # One variant at a time: (places, vocabulary) is large on a real model.
        for one in batch:
            with torch.no_grad():
                logits = head(one).float()
            chosen = logits.gather(1, token[:, None]).squeeze(1)
            found.append(chosen - logits.logsumexp(-1))
    return torch.stack(found)


def _masked_states(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    masks: Bool[Tensor, "variants soft_tokens"],
    substitute: Float[Tensor, "soft_tokens hidden"],
    rows: Sequence[int],
    check: Callable[[], None] | None,
) -> Iterator[Float[Tensor, "batch rows hidden"]]:
    """The final normed states at these rows, batch by batch."""
    kept = replay.embeddings[soft_positions(image_spans)]
    batches = (
        torch.where(batch.unsqueeze(-1), substitute.to(kept), kept)
        for batch in masks.to(replay.final.device).split(variants_at_once(replay))
    )
    return _states(replay, image_spans, batches, rows, check)


def _states(
    replay: Replay,
    image_spans: Sequence[tuple[int, int]],
    batches: Iterable[Float[Tensor, "batch soft_tokens hidden"]],
    rows: Sequence[int],
    check: Callable[[], None] | None,
) -> Iterator[Float[Tensor, "batch rows hidden"]]:
    soft = soft_positions(image_spans)
    decoder = replay.model.hf_model.model.language_model
    for features in batches:
        with replay_mode(replay.model, "sdpa"), torch.no_grad():
            x = replay.pieces[0].input.repeat(len(features), 1, 1)
            x[:, soft] = features.to(x)
            for piece in replay.pieces:
                if check is not None:
                    check()
                x = piece.layer(x, **piece.arguments)
            states = decoder.norm(x[:, rows])
        yield states


def variants_at_once(replay: Replay) -> int:
    """How many variants run at once within the memory bound."""
    text = replay.model.hf_model.config.text_config
    # Gate, up and their product; the stream, its norms and sums; scores, where sdpa forms them.
    wide = 3 * text.intermediate_size + 6 * text.hidden_size
    numbers = replay.sequence * (wide + text.num_attention_heads * replay.sequence)
    bound = PROCESSOR_BYTES if replay.final.device.type == "cpu" else GPU_BYTES
    return max(1, int(bound // (numbers * replay.final.element_size())))
