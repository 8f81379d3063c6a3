"""How the tests run a method: on a case, by its own options, without what services add."""

from collections.abc import Sequence

import numpy as np

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Against, Margin, Target
from medgemma_dash.methods import Call, Method, get
from medgemma_dash.models.answer_replay import replay_answer
from tests.random_answers import Case

SIX = "six layers, heads 8 on 4"
SLIDING = "heads 4 on 1, window shorter than the image"


def run(method: Method | str, found: Case, targets: Sequence[Target], check=None, **given: str):
    """What the method finds; options as texts."""
    chosen = get(method) if isinstance(method, str) else method
    with found.model.lock:
        replay = replay_answer(found.model, found.answer)
        options = chosen.spec.parse(given)
        result = chosen.rows(Call(replay, found.answer, targets, options, check))
    assert isinstance(result, Relevance)
    return result


def rows(method: Method | str, found: Case, targets, check=None, **given: str) -> np.ndarray:
    """The rows alone."""
    return run(method, found, targets, check, **given).rows


def words(*indices: int) -> list[Target]:
    """A target for each of these tokens."""
    return [Target("token", (index,), "") for index in indices]


def contrast(found: Case, index: int) -> Target:
    """A token less its first runner-up."""
    rival = found.answer.tokens[index].runners_up[0]
    return Target("token", (index,), "", Against(rival.id, rival.text))


def margin(found: Case) -> Target:
    """A decision between two tokens and three others, all of them likely ones."""
    first = found.answer.tokens[0]
    ids = [candidate.id for candidate in first.runners_up]
    ids += [i for i in range(20, 30) if i not in {first.id, *ids}]
    yes, no = tuple(sorted((first.id, ids[1]))), tuple(sorted((ids[0], ids[2], ids[3])))
    return Target("margin", (0,), "Yes or No", margin=Margin(yes, no, "Yes", "No"))


def phrase(*indices: int) -> Target:
    """Several words as one target."""
    return Target("phrase", indices, "")
