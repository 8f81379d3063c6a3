"""The streamed backward pass against autograd through full matrices in float64."""

import math
from dataclasses import replace

import pytest
import torch

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.attention import AttentionRecord, attention_weights
from medgemma_dash.models.attention_mask import AttentionMask
from medgemma_dash.models.streaming_backward import Scratch, show_blocks, streaming_backward
from tests.random_answers import SHAPES, case, relative_difference, transformers_forward

TOLERANCE = 1e-5  # float32 against float64


class Keeper:
    """Puts the blocks together again."""

    def __init__(self, targets: int, heads: int, sequence: int) -> None:
        self.dA_A = torch.zeros(targets, heads, sequence, sequence)
        self.dA = torch.zeros(targets, heads, sequence, sequence)
        self.A = torch.zeros(targets, heads, sequence, sequence)
        self.row_starts: list[tuple[int, int]] = []

    def visit(self, target, rows, keys, A, dA_A, dA):
        assert not self.A[target, :, rows, keys].any()  # no place is shown twice
        self.row_starts.append((rows.start, target))
        self.A[target, :, rows, keys] = A
        self.dA_A[target, :, rows, keys] = dA_A
        self.dA[target, :, rows, keys] = dA
        dA_A.fill_(torch.nan)  # the visitor's to overwrite


def window_mask(sequence: int, window: int) -> torch.Tensor:
    place = torch.arange(sequence)
    behind = place[:, None] - place[None, :]
    mask = (behind >= 0) & (behind < window)
    mask[5:30, 5:30] |= behind[5:30, 5:30] < 0  # an image sees itself
    return mask


def random_record(heads, sequence, mask, seed=0):
    random = torch.Generator().manual_seed(seed)
    query_heads, key_value_heads = heads
    q = torch.randn(1, query_heads, sequence, 10, generator=random) * 2
    k = torch.randn(1, key_value_heads, sequence, 10, generator=random)
    v = torch.randn(1, key_value_heads, sequence, 10, generator=random)
    if mask is None:
        mask = torch.ones(sequence, sequence).tril().bool()
    unknown = torch.zeros(1, sequence, query_heads, 10)
    record = AttentionRecord(q, k, v, unknown, AttentionMask(mask), 0.4)
    _, output, _ = full_matrices(record)
    return replace(record, output=output.detach().float()[None]), random


def full_matrices(record):
    """A (heads, S, S), the output (S, heads, dim), and the leaves q, k, v, in float64."""
    q, k, v = (x[0].double().requires_grad_() for x in (record.q, record.k, record.v))
    groups = len(q) // len(k)
    maps = []
    for h in range(len(q)):
        scores = q[h] @ k[h // groups].T * record.scaling
        maps.append(scores.masked_fill(~record.mask.allowed, -math.inf).softmax(-1))
    output = torch.stack([A @ v[h // groups] for h, A in enumerate(maps)], dim=1)
    return maps, output, (q, k, v)


def by_definition(record, d_output):
    """A, dA, dq, dk, dv for one target, from full matrices and autograd."""
    maps, output, leaves = full_matrices(record)
    z = (output * d_output[0].double()).sum()
    *dA, dq, dk, dv = torch.autograd.grad(z, [*maps, *leaves])
    return torch.stack(maps).detach(), torch.stack(dA) * record.mask.allowed, dq, dk, dv


@pytest.mark.parametrize("heads", [(8, 4), (4, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize("sequence", [1, 63, 64, 65, 260])
@pytest.mark.parametrize("window", [None, 1000, 7])
def test_streamed_gradients_and_blocks_equal_full_matrices(heads, sequence, window):
    mask = None if window is None else window_mask(sequence, window)
    record, random = random_record(heads, sequence, mask)
    targets, stop = 3, max(1, sequence - 4)
    d_output = torch.randn(targets, 1, sequence, heads[0], 10, generator=random)
    d_output[:, :, stop:] = 0
    d_output[:, :, 20:40] = 0  # rows without gradient in the middle
    carrying = [row for row in range(stop) if not 20 <= row < 40]
    keeper = Keeper(targets, heads[0], sequence)
    scratch = Scratch()
    for held in scratch.take(3, 8 * sequence, record.q.device):
        held.fill_(torch.nan)  # too small for most, and never clean
    dq, dk, dv = streaming_backward(record, d_output, keeper, carrying, scratch)
    assert keeper.row_starts == sorted(keeper.row_starts)
    for target in range(targets):
        A, dA, *gradients = by_definition(record, d_output[target])
        rows = d_output[target].flatten(2).any(-1)[0]
        shown = keeper.A[target].flatten(2).any(-1)[0]
        assert (shown | ~rows).all()
        assert relative_difference(keeper.A[target][:, rows], A[:, rows]) < TOLERANCE
        assert relative_difference(keeper.dA_A[target], dA * A) < TOLERANCE
        visible = keeper.A[target, 0] > 0
        assert relative_difference(keeper.dA[target] * visible, dA) < TOLERANCE
        for found, wanted in zip((dq, dk, dv), gradients, strict=True):
            scale = max(float(wanted.abs().max()), 1.0)  # a lone key has none; inputs are near 1
            assert float((found[target, 0] - wanted).abs().max()) < TOLERANCE * scale


def test_blocks_that_are_only_shown_are_those_of_the_backward_pass():
    record, random = random_record((8, 4), 200, window_mask(200, 50))
    d_output = torch.randn(2, 1, 200, 8, 10, generator=random)
    only_shown, beside = Keeper(2, 8, 200), Keeper(2, 8, 200)
    show_blocks(record, d_output, only_shown, range(200), Scratch())
    streaming_backward(record, d_output, beside, range(200), Scratch())
    assert only_shown.row_starts == beside.row_starts
    for name in ("A", "dA", "dA_A"):
        assert torch.equal(getattr(only_shown, name), getattr(beside, name))


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, 40), slice(3, 30), slice(100, 130)])
@pytest.mark.parametrize("window", [1000, 7])
def test_what_rows_see_together_is_what_their_mask_allows(rows, window):
    allowed = window_mask(130, window)
    seen = AttentionMask(allowed).seen_by(rows)
    assert not allowed[rows, : seen.keys.start].any()
    assert not allowed[rows, seen.keys.stop :].any()
    inside = allowed[rows, seen.keys]
    assert (seen.bias is None) == bool(inside.all())
    if seen.bias is not None:
        assert torch.equal(seen.bias, torch.where(inside, 0.0, -math.inf))


@pytest.mark.parametrize("shape", SHAPES)
def test_attention_weights_equal_eager_attention(shape):
    found = case(shape)
    _, output = transformers_forward(found.model, found.answer, "eager")
    records = replay_answer(found.model, found.answer).attention_records()
    for record, wanted, oracle in zip(
        records, output.attentions, found.forward.attentions, strict=True
    ):
        weights = attention_weights(record, slice(None))
        assert relative_difference(weights, wanted[0].detach()) < TOLERANCE * 5  # both float32
        assert relative_difference(weights, oracle.detach()) < TOLERANCE * 5
        some = torch.tensor([3, 0, len(wanted[0, 0]) - 1])
        assert torch.allclose(attention_weights(record, some), weights[:, some], atol=1e-6)
