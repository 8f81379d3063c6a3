"""The cost table that `python -m medgemma_dash bench` prints."""

from collections.abc import Callable, Iterator, Sequence

import torch

from medgemma_dash.models import VisionLanguageModel, load_model
from medgemma_dash.models.devices import choose_device, choose_dtype
from medgemma_dash.models.shapes import random_model, shape_named
from medgemma_dash.services.costs.claims import Sense, claim_line
from medgemma_dash.services.costs.comparison import CostComparison, compare_costs, ratio, same_row
from medgemma_dash.services.costs.first_steps import measure_first_steps
from medgemma_dash.services.costs.masked_scoring import masked_scoring_costs
from medgemma_dash.services.costs.method_costs import method_costs
from medgemma_dash.services.costs.workload import ANSWER_TOKENS

LENGTHS = (384, 984)
REFERENCE_SHAPE = "100m"


def run(
    name: str = "demo",
    *,
    device: str | None = None,
    dtype: str | None = None,
    shapes: Sequence[str] = (REFERENCE_SHAPE,),
    lengths: Sequence[int] = LENGTHS,
    rounds: int = 5,
    say: Callable[[str], None] = lambda _line: None,
) -> str:
    """Measure the named model, and random models of the named shapes; returns the table.

    `say` is given each line as soon as it is known. Raises ModelError.
    """
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        say(line)

    chosen_device = choose_device(device)
    chosen_dtype = choose_dtype(dtype, chosen_device)
    write(_machine(chosen_device, chosen_dtype))
    for model in _models(name, shapes, chosen_device, chosen_dtype):
        count = model.decoder_parameters / 1e6
        write("")
        write(f"{model.name}: {len(model.layout.layers)} layers, decoder {count:.1f}M parameters")
        for line in measure_first_steps(model):
            write(line)
        for line in masked_scoring_costs(model, rounds):
            write(line)
        for length in lengths:
            difference = same_row(model, length)
            for line in _table(compare_costs(model, length, rounds), difference):
                write(line)
        if model.processor is not None:
            for line in method_costs(model):
                write(line)
    return "\n".join(lines)


def _models(
    name: str, shapes: Sequence[str], device: torch.device, dtype: torch.dtype
) -> Iterator[VisionLanguageModel]:
    yield load_model(name, str(device), str(dtype).removeprefix("torch."))
    for shape in shapes:
        yield random_model(shape_named(shape), device, dtype)


def _machine(device: torch.device, dtype: torch.dtype) -> str:
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return (
        f"{what}, {str(dtype).removeprefix('torch.')}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}; answers of {ANSWER_TOKENS} tokens; medians over rounds"
    )


def _table(found: CostComparison, difference: float) -> list[str]:
    book = found.textbook_whole
    rows = [
        ("bare SDPA backward", found.bare),
        ("click, graph kept", found.click),
        ("click, layers recomputed", found.recomputed),
        ("textbook, backward only", found.textbook_backward),
        ("textbook, whole", found.textbook_whole),
    ]
    lines = [f"  S = {found.length}", f"    {'':26}{'seconds':>9}{'x bare':>8}{'extra MB':>10}"]
    lines += [
        f"    {label:26}{timing.seconds:9.3f}{ratio(timing, found.bare):8.2f}"
        f"{timing.extra_bytes / 1e6:10.0f}"
        for label, timing in rows
    ]
    claims: list[tuple[str, float, Sense, float]] = [
        ("click / bare", ratio(found.click, found.bare), "<=", 1.15),
        ("textbook / click", ratio(book, found.click), ">=", 2.0),
        ("memory, kept / textbook", found.click.extra_bytes / book.extra_bytes, "<=", 0.45),
        (
            "memory, recomputed / textbook",
            found.recomputed.extra_bytes / book.extra_bytes,
            "<=",
            0.25,
        ),
        (
            f"all {ANSWER_TOKENS} tokens / ({ANSWER_TOKENS} clicks)",
            found.whole_answer_ratio,
            "<=",
            0.9,
        ),
    ]
    lines += [claim_line(*claim) for claim in claims]
    lines.append(f"    {'streamed row against textbook row':36}{difference:8.1e}  relative")
    return lines
