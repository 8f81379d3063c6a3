"""What every test shares: no network, and a browser where there is one.

The package is imported inside functions, so that tests without a model do not wait for torch.
"""

import os
import sys
from pathlib import Path

import pytest

LOCAL = ("127.0.0.1", "::1", "localhost", "0.0.0.0")  # noqa: S104 - a name, not a binding

os.environ.update(
    # One thread of torch: two that wait for each other while a browser or another test process
    # has the cores take twenty times as long. Set before torch is imported, and inherited.
    OMP_NUM_THREADS="1",
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    STREAMLIT_BROWSER_GATHER_USAGE_STATS="false",
    TOKENIZERS_PARALLELISM="false",
)


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise PermissionError(f"Tests have no network, and this one asked for {address}.")


sys.addaudithook(_refuse_the_network)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave browser tests out where there is no browser; in CI they run, and fail without one."""
    driving = [item for item in items if "browser" in item.keywords]
    if not driving or os.environ.get("CI") or find_browser():
        return
    for item in driving:
        item.add_marker(pytest.mark.skip(reason="No chromium is installed."))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of the Chromium to drive; a test that uses it carries the mark `browser`."""
    path = find_browser()
    assert path, "No chromium is installed; `apt-get install chromium` or see .ci/run."
    return path


def find_browser() -> str | None:
    """Path of a Chromium, found as the doctor finds it, or None."""
    from medgemma_dash.services import doctor

    return doctor.find_browser()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root folder."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def demo_model():
    """The demo model on the processor in float32, loaded once."""
    from medgemma_dash.models import load_model

    return load_model("demo", device="cpu", dtype="float32")
