"""The teacher-forced forward pass of a replay, through transformers' own layers."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.attention import AttentionTape
from medgemma_dash.models.embedding import embed
from medgemma_dash.models.layer_piece import LayerPiece
from medgemma_dash.models.replay import Replay, replay_mode


def build_replay(
    model: VisionLanguageModel,
    input_ids: Int[Tensor, " sequence"],
    image_spans: Sequence[tuple[int, int]],
    features: Float[Tensor, "soft_tokens hidden"],
    *,
    check: Callable[[], None] | None = None,
    keep_graph: bool = True,
    causal_images: bool = False,
) -> Replay:
    """Run the teacher-forced forward and cut it into layers.

    features: the soft tokens of all images, in the order of their spans.
    The graph is kept when it fits the model's memory budget; `Replay.keeps_graph` tells.
    keep_graph: False for what is walked once, where a graph beside the answer's own is memory lost.
    causal_images: leave `token_type_ids` out, so that a soft token sees no other behind it. That is
        another model than the one that answered: for showing the mistake, and for nothing else.
    """
    cutter = _Cutter(model, check, model.replays.budget_bytes if keep_graph else 0)
    hooks = []
    with replay_mode(model), torch.set_grad_enabled(cutter.budget > 0):
        embeddings, token_types = embed(model, input_ids, image_spans, features)
        try:
            for layer in cutter.layers:
                hooks.append(layer.register_forward_pre_hook(cutter.enter, with_kwargs=True))
                hooks.append(layer.register_forward_hook(cutter.leave))
            model.hf_model.model(
                inputs_embeds=embeddings,
                token_type_ids=None if causal_images else token_types,
                use_cache=False,
                tape=cutter.tape,
            )
        finally:
            for hook in hooks:
                hook.remove()
    return Replay(model, cutter.pieces, cutter.graph_bytes)


class _Cutter:
    """Makes each layer's input a leaf, and keeps what a backward pass will need of the layer.

    After the first layer it knows what the whole graph would take, and keeps none if that is
    more than the budget.
    """

    def __init__(
        self, model: VisionLanguageModel, check: Callable[[], None] | None, budget: int
    ) -> None:
        self.tape = AttentionTape()
        self.pieces: list[LayerPiece] = []
        self.graph_bytes = 0
        self.budget = budget
        self.layers = model.hf_model.model.language_model.layers
        self._weights = {p.untyped_storage().data_ptr() for p in model.hf_model.parameters()}
        self._check = check

    def enter(self, layer: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Before a layer: its input becomes a leaf, and its arguments are noted."""
        if self._check is not None:
            self._check()
        leaf = positional[0].detach().requires_grad_(torch.is_grad_enabled())
        arguments = {name: value for name, value in named.items() if name != "tape"}
        self.pieces.append(LayerPiece(layer, leaf, arguments))
        return (leaf, *positional[1:]), named

    def leave(self, _layer: Any, _positional: Any, output: Tensor) -> None:
        """Behind a layer: its graph is kept while the budget lasts."""
        if torch.is_grad_enabled() and len(self.pieces) == 1:
            record = self.tape.records[-1]
            layer_ends = (output, record.output, record.q, record.k, record.v)
            self.graph_bytes = saved_bytes(layer_ends, self._weights) * len(self.layers)
            if self.graph_bytes > self.budget:
                self.graph_bytes = 0
                torch.set_grad_enabled(False)  # until the caller's context ends
        piece = self.pieces[-1]
        if self.graph_bytes:
            piece.record, piece.output = self.tape.records[-1], output
        self.tape.records.clear()
        if len(self.pieces) == len(self.layers):
            piece.output = output


def saved_bytes(ends: tuple[Tensor, ...], excluded: set[int]) -> int:
    """Bytes of these tensors and of all that their graphs saved, each storage counted once.

    Storages whose address is in `excluded` (the weights) do not count.
    """
    storages: dict[int, int] = {}

    def count(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in excluded:
            storages[storage.data_ptr()] = storage.nbytes()

    queue, seen = [end.grad_fn for end in ends], set()
    for end in ends:
        count(end)
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for name in dir(node):
            if name.startswith("_saved_") and isinstance(saved := getattr(node, name), Tensor):
                count(saved)
        queue.extend(parent for parent, _ in node.next_functions)
    return sum(storages.values())
