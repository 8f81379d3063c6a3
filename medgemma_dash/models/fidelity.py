"""Whether a replay is the function that gave the answer, found token by token."""

from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Fidelity


class FidelityMeter:
    """Compares one token's logits at a time: those of all tokens together are never held."""

    def __init__(self) -> None:
        self._tokens = 0
        self._mismatches: list[int] = []
        self._largest: float | None = None

    def compare(
        self,
        token_id: int,
        replayed: Float[Tensor, " vocabulary"],
        generated: Float[Tensor, " vocabulary"] | None,
    ) -> None:
        """Take the next token of the answer; `generated` is None where it was given."""
        if int(replayed.argmax()) != token_id:
            self._mismatches.append(self._tokens)
        if generated is not None:
            difference = float((replayed - generated.float()).abs().max())
            self._largest = difference if self._largest is None else max(self._largest, difference)
        self._tokens += 1

    @property
    def fidelity(self) -> Fidelity:
        """What has been found."""
        return Fidelity(not self._mismatches, tuple(self._mismatches), self._largest)
