"""Hosts for tests: a model that computes nothing, and waiting for jobs."""

import threading
from types import SimpleNamespace
from typing import Any

from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.services.runtime.job import Job

# Only ever reached when a test fails; no test waits for time to pass.
PATIENCE_SECONDS = 120


class FakeModel(SimpleNamespace):
    """What the host itself touches of a model."""

    def __init__(self) -> None:
        super().__init__(name="demo", revision="abc123", dtype="float32", device="cpu")
        self.lock = threading.RLock()
        self.drops = 0

    def drop_caches(self) -> None:
        self.drops += 1


def finish(*jobs: Job[Any]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


def load_and_wait(host: ModelHost) -> None:
    finish(host.engine.submit(lambda context: None, owner="test", label="after loading"))
