"""`run`: the dashboard, from a checkout or an installed wheel, whatever folder one stands in."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from medgemma_dash.cli.output import say
from medgemma_dash.core.dependencies import dependency_error, unmet
from medgemma_dash.core.resources import resource
from medgemma_dash.core.settings import read_settings


def run(options: argparse.Namespace) -> int:
    """Become the server: it has this process's place, and Ctrl-C ends it.

    Raises DependencyError if a library is missing and SettingError if a setting is not allowed.
    """
    missing = tuple(one for one in unmet() if one.installed is None)
    if missing:
        raise dependency_error(missing)
    environment = server_environment(options, os.environ)
    read_settings(environment)
    say(f"MedGemma Dash: http://127.0.0.1:{options.port}")
    command = server_command(options.port)
    os.execve(command[0], command, environment)  # noqa: S606 - our own interpreter


def server_command(port: int) -> list[str]:
    """Streamlit on Home.py, whose own .streamlit/config.toml has the last word on every setting.

    -P: no file of the folder one stands in is taken for a module. The program is then no module
    to the interpreter either, in a checkout; so it is started as a file.
    """
    home = str(resource("Home.py"))
    start = str(Path(__file__).parents[1] / "ui" / "server" / "start.py")
    server = [sys.executable, "-P", start, "run", home]
    return [*server, "--server.address", "127.0.0.1", "--server.port", str(port)]


def server_environment(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> dict[str, str]:
    """The environment, with the options as settings."""
    chosen = {"MODEL": options.model, "DEVICE": options.device, "DTYPE": options.dtype}
    given = {f"MEDGEMMA_DASH_{name}": value for name, value in chosen.items() if value}
    return {**environment, **given}
