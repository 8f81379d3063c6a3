"""What one word costs by each method, beside a click measured in the same round."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from PIL import Image

from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.target import Target
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.methods import Call, Method, MethodSpec, available, get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.costs.claims import claim_line
from medgemma_dash.services.costs.measure import extra_peak_bytes, seconds
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.runtime.failures import is_out_of_memory

CLICK = "chefer"
MANY_RUNS = ("occlusion", "integrated_gradients")
QUESTION = "Describe this chest X-ray."
MOST_ROUNDS = 3
LONG_SECONDS = 5.0  # a method that takes longer is measured once


def method_costs(model: VisionLanguageModel) -> Iterator[str]:
    """A line for each method: seconds of a word, times a click, extra peak memory; then two sums.

    One real answer about a synthetic radiograph; the replay's graph is at hand, as when somebody
    clicks, and each method has run once before, so that what it keeps of a picture is kept.
    """
    radiograph = load_radiograph(Image.fromarray(synthesize(FIRST_EVALUATION_SEED).pixels))
    answer = ask(model, radiograph, QUESTION)
    token = answer.tokens[len(answer.tokens) // 2]
    target = Target("token", (token.index,), token.text)
    ratios: dict[str, float] = {}

    def word(method: Method) -> Callable[[], object]:
        call = Call(replay_answer(model, answer), answer, [target], method.spec.parse({}))
        return lambda: method.rows(call)

    yield f"  one word by each method, S = {len(answer.input_ids)}"
    yield f"    {'':34}{'seconds':>9}{'x click':>9}{'extra MB':>10}"
    with model.lock:
        click = word(get(CLICK))
        click()
        for spec in available():
            try:
                spent, ratios[spec.name], extra = _measured(word(get(spec.name)), click, model)
            except Exception as error:
                if not isinstance(error, MedGemmaDashError) and not is_out_of_memory(error):
                    raise
                reason = str(error) if isinstance(error, MedGemmaDashError) else "out of memory"
                yield f"    {spec.title:34} not on this model: {reason}"
            else:
                ratio = ratios[spec.name]
                yield f"    {spec.title:34}{spent:9.3f}{ratio:9.2f}{extra / 1e6:10.0f}"
    yield from _sums(available(), ratios)


def _measured(
    run: Callable[[], object], click: Callable[[], object], model: VisionLanguageModel
) -> tuple[float, float, int]:
    """Median seconds, median ratio to a click beside it, extra peak bytes."""
    first = seconds(run, model.device)
    rounds = [
        (seconds(run, model.device), seconds(click, model.device))
        for _ in range(1 if first > LONG_SECONDS else MOST_ROUNDS)
    ]
    return (
        median(one for one, _ in rounds),
        median(one / beside for one, beside in rounds),
        extra_peak_bytes(run, model.device),
    )


def _sums(specs: Sequence[MethodSpec], ratios: Mapping[str, float]) -> Iterator[str]:
    """What is promised of several methods together, as multiples of a click."""
    attention = [spec for spec in specs if spec.family == "attention"]
    few_runs = [spec for spec in specs if spec.name not in MANY_RUNS]
    for label, together, limit in (
        ("attention-only methods / click", attention, 1.0),
        ("all but occlusion and IG / click", few_runs, 10.0),
    ):
        known = [ratios[spec.name] for spec in together if spec.name in ratios]
        left_out = ", ".join(spec.title for spec in together if spec.name not in ratios)
        yield claim_line(label, sum(known), "<", limit, left_out)
