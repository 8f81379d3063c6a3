"""One teacher-forced forward over prompt and answer, and backward passes from its logits.

The forward is cut into one piece per decoder layer: a layer's input and its attention output
are leaves, so that a backward pass walks the layers from the last to the first, one
`torch.autograd.grad` before the attention and one behind it, with `streaming_backward`
between. Several targets share one walk. Parameters receive no gradient, nothing accumulates.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.attention import REPLAY_ATTENTION, AttentionRecord
from medgemma_dash.models.layer_piece import LayerPiece
from medgemma_dash.models.logit_target import LogitTarget, normed, read_terms
from medgemma_dash.models.streaming_backward import BlockVisitor, Scratch

# Gradients of one layer in flight: four float32 tensors (S, intermediate) per target. A batch
# shares A, and its products are large ones: 0.70 of the time per target at width 128 with 16,
# 0.85 at width 640 and 384 positions with 8, 0.93 there at 984, where it leaves the caches.
BATCH_BYTES = 100 << 20
FEWEST_TARGETS, MOST_TARGETS = 4, 16


@dataclass
class Replay:
    """A replayed answer, ready for backward passes.

    image_shares: see `image_attention_shares`, which keeps what it found here; (L,) for each
        position and spans.
    """

    model: VisionLanguageModel
    pieces: list[LayerPiece]
    graph_bytes: int
    final: Float[Tensor, "sequence hidden"] = field(init=False)
    image_shares: dict[tuple[int, tuple[tuple[int, int], ...]], Tensor] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        last = self.pieces[-1].output
        assert last is not None  # noqa: S101  the forward pass always leaves the last layer's output
        self.final = last[0].detach()
        # Behind its attention the last layer runs on the targets' rows alone, in each backward
        # pass anew: that part of its graph is not kept.
        self.pieces[-1].output = None

    @property
    def keeps_graph(self) -> bool:
        """Whether the layers' graphs are kept, rather than recomputed in each backward pass."""
        return self.graph_bytes > 0

    @property
    def sequence(self) -> int:
        """Number of positions."""
        return int(self.pieces[0].input.shape[1])

    @property
    def bytes(self) -> int:
        """Bytes held: the layers' inputs, and their graphs where kept."""
        inputs = sum(p.input.numel() * p.input.element_size() for p in self.pieces)
        return inputs + self.graph_bytes

    @property
    def targets_at_once(self) -> int:
        """How many targets share one backward walk at best on this device and model."""
        width = int(self.model.hf_model.config.text_config.intermediate_size)
        per_target = 16 * self.sequence * width
        return max(FEWEST_TARGETS, min(MOST_TARGETS, BATCH_BYTES // per_target))

    def backward(
        self,
        targets: Sequence[LogitTarget],
        visitor_for: Callable[[int], BlockVisitor | None],
        check: Callable[[], None] | None = None,
    ) -> Float[Tensor, "targets sequence hidden"]:
        """Gradients of the targets by the input embeddings, shape (targets, S, hidden).

        visitor_for(layer index) is asked once per layer, last layer first, and its visitor sees
        that layer's attention in blocks. `check` is called once per layer and may raise.
        """
        gradient = self._walk(targets, visitor_for, check, 0, to_input=True)
        assert gradient is not None  # noqa: S101  asked for
        behind = self.sequence - gradient.shape[2]
        return torch.nn.functional.pad(gradient, (0, 0, 0, behind))[:, 0]

    def show_attention(
        self,
        targets: Sequence[LogitTarget],
        visitor_for: Callable[[int], BlockVisitor | None],
        check: Callable[[], None] | None = None,
        lowest: int = 0,
    ) -> None:
        """The same for visitors alone: no further than the attention of layer `lowest`."""
        self._walk(targets, visitor_for, check, lowest, to_input=False)

    def logits(self, row: int) -> Float[Tensor, " vocabulary"]:
        """Float32 logits at one position."""
        with torch.no_grad():
            state = normed(self.model, self.final[row : row + 1])
            return self.model.hf_model.lm_head(state)[0].float()  # type: ignore[no-any-return]

    @property
    def embeddings(self) -> Float[Tensor, "sequence hidden"]:
        """The decoder's input: words, and soft tokens in their places."""
        return self.pieces[0].input[0].detach()

    def recomputing(self) -> "Replay":
        """The same replay without its graph: layers run again under the rules that hold then."""
        pieces = [LayerPiece(piece.layer, piece.input, piece.arguments) for piece in self.pieces]
        pieces[-1].output = self.final.unsqueeze(0)
        return Replay(self.model, pieces, graph_bytes=0)

    def attention_records(self, layers: Iterable[int] | None = None) -> Iterator[AttentionRecord]:
        """The recorded attention of these layers, in their order; of all, first layer first."""
        for index in range(len(self.pieces)) if layers is None else layers:
            # The model is switched for one layer at a time: a caller that stops between two
            # leaves nothing behind.
            with replay_mode(self.model):
                record = self.pieces[index].recorded()
            yield record

    def _walk(
        self,
        targets: Sequence[LogitTarget],
        visitor_for: Callable[[int], BlockVisitor | None],
        check: Callable[[], None] | None,
        lowest: int,
        *,
        to_input: bool,
    ) -> Float[Tensor, "targets 1 reach hidden"] | None:
        stop = max(target.rows[-1] for target in targets) + 1
        last, scratch = len(self.pieces) - 1, Scratch()
        gradient: Tensor | None = None
        with replay_mode(self.model):
            for index in range(last, lowest - 1, -1):
                if check is not None:
                    check()
                piece = self.pieces[index].materialised(stop)
                carrying: Sequence[int] = range(stop)
                if gradient is None:
                    residual, d_attention = self._from_logits(targets, piece)
                    carrying = sorted({row for target in targets for row in target.rows})
                else:
                    residual, d_attention = piece.before_attention(gradient)
                visitor = visitor_for(index)
                if index == lowest and not to_input:
                    if visitor is not None:
                        piece.show_attention(d_attention, visitor, carrying, scratch)
                    return None
                gradient = residual + piece.behind_attention(
                    d_attention, visitor, carrying, scratch
                )
        return gradient

    def _from_logits(
        self, targets: Sequence[LogitTarget], piece: LayerPiece
    ) -> tuple[Tensor, Tensor]:
        """From the targets, through the last layer, to its input and its attention's output.

        Behind the last layer's attention a logit depends on its own row alone, so only the
        targets' rows run, all in one batch, and only the targets' tokens' rows of the
        unembedding are read: no (S, vocabulary) product is formed.
        """
        reach = piece.input.shape[1]
        terms = [term for target in targets for term in target.terms]
        place = [index for index, target in enumerate(targets) for _ in target.terms]
        row = [term.row for term in terms]
        tail = piece.at_rows(row, piece.recorded())
        with torch.enable_grad():
            weight = [term.weight for term in terms]
            weights = torch.tensor(weight, device=tail.input.device, dtype=tail.input.dtype)
            states = normed(self.model, tail.output)[0]
            z = read_terms(self.model, states, terms) @ weights
            if any(target.log_probability for target in targets):
                share = [targets[index].log_probability for index in place]
                logits = self.model.hf_model.lm_head(states[share]).float()
                z = z - logits.logsumexp(-1).to(z.dtype) @ weights[share]
        d_rows, d_attention_rows = torch.autograd.grad(z, (tail.input, tail.attention))
        residual = d_rows.new_zeros(len(targets), 1, reach, d_rows.shape[-1])
        d_attention = d_rows.new_zeros(len(targets), 1, reach, *tail.attention.shape[2:])
        for index in range(len(terms)):
            residual[place[index], 0, row[index]] += d_rows[0, index]
            d_attention[place[index], 0, row[index]] += d_attention_rows[0, index]
        return residual, d_attention


@contextmanager
def replay_mode(model: VisionLanguageModel, attention: str = REPLAY_ATTENTION) -> Iterator[None]:
    """Switch the decoder to the replay's (or another) attention function, and back in any case.

    A caller's inference mode is left for the time: its tensors cannot carry a graph.
    """
    config = model.hf_model.config.text_config
    before = config._attn_implementation  # noqa: SLF001  transformers has no public getter
    config._attn_implementation = attention  # noqa: SLF001
    try:
        with torch.inference_mode(mode=False):
            yield
    finally:
        config._attn_implementation = before  # noqa: SLF001
