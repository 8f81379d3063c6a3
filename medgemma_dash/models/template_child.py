"""The process in which a checkpoint's chat template is tried: a task on standard input, a verdict
on output. It is a program that anyone may have written, and may run for ever.

Run by its path, so that nothing but Jinja is imported. The environment is the one in which
transformers renders templates.
"""

import json
import sys
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_LETTERS = 1_000_000


class Generation(Extension):
    """The `generation` block, which marks what an assistant said, and renders as it is."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what stands between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def refuse(message: object) -> None:
    """What templates call `raise_exception`."""
    raise TemplateError(str(message))


def verdict(task: dict[str, Any]) -> dict[str, str]:
    """Render the template; "error" says why it could not be."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = json.dumps
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = datetime.now().strftime
    try:
        template = environment.from_string(task["template"])
        length = sum(map(len, template.generate(**task["variables"])))
    except (MemoryError, RecursionError) as error:
        return {"error": f"it needs too much memory ({type(error).__name__})"}
    except Exception as error:  # a template may raise anything
        return {"error": " ".join(str(error).split())[:200] or type(error).__name__}
    if length > MOST_LETTERS:
        return {"error": f"it writes {length:,} letters"}
    return {}


def limit_this_process(megabytes: int, seconds: int) -> None:
    """Limit memory, processor time and files written, where the system can."""
    try:
        import resource
    except ImportError:
        return
    wanted = (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in wanted:
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            continue


if __name__ == "__main__":
    limit_this_process(int(sys.argv[1]), int(sys.argv[2]))
    json.dump(verdict(json.load(sys.stdin)), sys.stdout)
