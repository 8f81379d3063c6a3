"""A checkpoint's chat template is a stranger's program: it ends, in bounds, or is refused."""

import pytest

from medgemma_dash.core.errors import ModelError
from medgemma_dash.models import chat_template, wrap_model
from medgemma_dash.models.chat_template import try_template
from medgemma_dash.models.prompting import encode_prompt
from tests.gemma3_factory import Shape, processor, radiograph, random_model

SHAPE = Shape(layers=1)
LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
TALK = [
    {"role": "user", "content": [{"type": "image", "image": object()},
                                 {"type": "text", "text": "Is it normal?"}]},
]  # fmt: skip


def with_template(text):
    given = processor(SHAPE)
    given.chat_template = text
    return given


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (LOOP, "over 1 seconds or"),
        ("{{ 'a' * 10**11 }}", "too much memory"),
        ("{{ 'a' * 5000000 }}", "5,000,000 letters"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "RecursionError"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ raise_exception('Roles\nmust alternate') }}", "Roles must alternate"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{% for %}", "Expected an expression"),
    ],
)
def test_a_hostile_or_broken_template_is_refused_in_one_line(template, told, monkeypatch):
    monkeypatch.setattr(chat_template, "PROCESSOR_SECONDS", 1)
    with pytest.raises(ModelError) as raised:
        wrap_model(random_model(SHAPE), with_template(template))
    assert told in str(raised.value)
    assert "chat_template.jinja of google/medgemma" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_template_that_waits_for_a_certain_question_is_refused_then(monkeypatch):
    monkeypatch.setattr(chat_template, "PROCESSOR_SECONDS", 1)
    asked = "{% if 'pneumonia' in messages[0]['content'][1]['text'] %}" + LOOP + "{% endif %}"
    model = wrap_model(random_model(SHAPE), with_template(asked + processor(SHAPE).chat_template))
    encode_prompt(model, [radiograph()], "Is it normal?")
    with pytest.raises(ModelError, match="over 1 seconds"):
        encode_prompt(model, [radiograph()], "Is there pneumonia?")


@pytest.mark.parametrize(
    "template",
    [
        "{% generation %}{{ messages[0]['content'] | tojson }}{% endgeneration %}",
        "{% for m in messages %}{{ m['role'] }}{% break %}{% endfor %}{{ bos_token }}",
        "{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{{ strftime_now('%Y') }}",
        "{{ dict(a=1).a }}{% if add_generation_prompt %}{{ '<start_of_turn>' }}{% endif %}",
    ],
)
def test_what_transformers_renders_is_not_refused(template):
    given = with_template(template)
    assert given.apply_chat_template(TALK, tokenize=False, add_generation_prompt=True)
    try_template(given, TALK)


def test_the_demo_models_template_costs_no_process(monkeypatch):
    monkeypatch.setattr(chat_template.subprocess, "run", None)
    wrap_model(random_model(SHAPE), processor(SHAPE))


def test_the_environments_secrets_do_not_reach_the_template(monkeypatch):
    given = {}

    class Done:
        stdout = b"{}"

    def remember(command, **options):
        given.update(options["env"])
        return Done

    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr(chat_template.subprocess, "run", remember)
    try_template(with_template("{{ messages }}"), TALK)
    assert "PATH" in given
    assert "HF_TOKEN" not in given
