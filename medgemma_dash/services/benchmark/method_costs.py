"""What one word costs by each method, beside a click measured in the same round."""

from collections.abc import Callable, Iterator
from statistics import median

from PIL import Image

from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.explanation import Target
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.methods import Method, available, get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.generation import replay_answer
from medgemma_dash.services.asking import ask
from medgemma_dash.services.benchmark.measure import extra_peak_bytes, seconds

CLICK = "chefer"
QUESTION = "Describe this chest X-ray."
MOST_ROUNDS = 3
LONG_SECONDS = 5.0  # a method that takes longer is measured once


def method_costs(model: VisionLanguageModel) -> Iterator[str]:
    """A line for each method: seconds of a word, times a click, extra peak memory.

    One real answer about a synthetic radiograph; the replay's graph is at hand, as when somebody
    clicks, and each method has run once before, so that what it keeps of a picture is kept.
    """
    radiograph = load_radiograph(Image.fromarray(synthesize(FIRST_EVALUATION_SEED).pixels))
    answer = ask(model, radiograph, QUESTION)
    token = answer.tokens[len(answer.tokens) // 2]
    target = Target("token", (token.index,), token.text)

    def word(method: Method) -> Callable[[], object]:
        options = method.spec.settings({})
        replay = replay_answer(model, answer)
        return lambda: method.rows(replay, answer, [target], options)

    yield f"  one word by each method, S = {len(answer.input_ids)}"
    yield f"    {'':34}{'seconds':>9}{'x click':>9}{'extra MB':>10}"
    with model.lock:
        click = word(get(CLICK))
        click()
        for spec in available():
            run = word(get(spec.name))
            try:
                first = seconds(run, model.device)
            except MedGemmaDashError as error:
                yield f"    {spec.title:34} not on this model: {error}"
                continue
            rounds = [
                (seconds(run, model.device), seconds(click, model.device))
                for _ in range(1 if first > LONG_SECONDS else MOST_ROUNDS)
            ]
            spent = median(one for one, _ in rounds)
            ratio = median(one / beside for one, beside in rounds)
            extra = extra_peak_bytes(run, model.device) / 1e6
            yield f"    {spec.title:34}{spent:9.3f}{ratio:9.2f}{extra:10.0f}"
