"""The streamed backward pass against autograd through full matrices in float64."""

import math
from dataclasses import replace

import pytest
import torch

from medgemma_dash.models.attention import AttentionRecord, attention_weights, streaming_backward
from medgemma_dash.models.generation import replay_answer
from tests.random_answers import SHAPES, case, relative_difference, transformers_forward

TOLERANCE = 1e-5  # float32 against float64


class Keeper:
    """Puts the blocks together again."""

    needs_gradient = True

    def __init__(self, targets: int, heads: int, sequence: int) -> None:
        self.dA_A = torch.zeros(targets, heads, sequence, sequence)
        self.dA = torch.zeros(targets, heads, sequence, sequence)
        self.A = torch.zeros(heads, sequence, sequence)
        self.row_starts: list[int] = []

    def visit(self, rows, keys, A, dA_A, dA):
        assert not self.A[:, rows, keys].any()  # no place is shown twice
        self.row_starts.append(rows.start)
        self.A[:, rows, keys] = A
        self.dA_A[:, :, rows, keys] = dA_A
        self.dA[:, :, rows, keys] = dA


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
    shown = None if mask is None else mask[None, None]
    unknown = torch.zeros(1, sequence, query_heads, 10)
    record = AttentionRecord(q, k, v, unknown, shown, 0.4)
    _, output, _ = full_matrices(record)
    return replace(record, output=output.detach().float()[None]), random


def full_matrices(record):
    """A (heads, S, S), the output (S, heads, dim), and the leaves q, k, v, in float64."""
    q, k, v = (x[0].double().requires_grad_() for x in (record.q, record.k, record.v))
    groups = len(q) // len(k)
    maps = []
    for h in range(len(q)):
        scores = q[h] @ k[h // groups].T * record.scaling
        maps.append(scores.masked_fill(~allowed(record), -math.inf).softmax(-1))
    output = torch.stack([A @ v[h // groups] for h, A in enumerate(maps)], dim=1)
    return maps, output, (q, k, v)


def allowed(record) -> torch.Tensor:
    sequence = record.q.shape[2]
    causal = torch.ones(sequence, sequence).tril().bool()
    return causal if record.mask is None else record.mask[0, 0]


def by_definition(record, d_output):
    """A, dA, dq, dk, dv for one target, from full matrices and autograd."""
    maps, output, leaves = full_matrices(record)
    z = (output * d_output[0].double()).sum()
    *dA, dq, dk, dv = torch.autograd.grad(z, [*maps, *leaves])
    return torch.stack(maps).detach(), torch.stack(dA) * allowed(record), dq, dk, dv


@pytest.mark.parametrize("heads", [(8, 4), (4, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize("sequence", [1, 47, 48, 49, 130])
@pytest.mark.parametrize("window", [None, 1000, 7])
def test_streamed_gradients_and_blocks_equal_full_matrices(heads, sequence, window):
    mask = None if window is None else window_mask(sequence, window)
    record, random = random_record(heads, sequence, mask)
    targets, stop = 3, max(1, sequence - 4)
    d_output = torch.randn(targets, 1, sequence, heads[0], 10, generator=random)
    d_output[:, :, stop:] = 0
    d_output[:, :, 20:40] = 0  # rows without gradient in the middle
    keeper = Keeper(targets, heads[0], sequence)
    dq, dk, dv = streaming_backward(record, d_output, keeper, stop)
    assert keeper.row_starts == sorted(keeper.row_starts)
    for target in range(targets):
        A, dA, *gradients = by_definition(record, d_output[target])
        rows = d_output[target].flatten(2).any(-1)[0]
        shown = keeper.A.flatten(2).any(-1)[0]
        assert (shown | ~rows).all()
        assert relative_difference(keeper.A[:, rows], A[:, rows]) < TOLERANCE
        assert relative_difference(keeper.dA_A[target], dA * A) < TOLERANCE
        visible = keeper.A[0] > 0
        assert relative_difference(keeper.dA[target] * visible, dA) < TOLERANCE
        for found, wanted in zip((dq, dk, dv), gradients, strict=True):
            scale = max(float(wanted.abs().max()), 1.0)  # a lone key has none; inputs are near 1
            assert float((found[target, 0] - wanted).abs().max()) < TOLERANCE * scale


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
