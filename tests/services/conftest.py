"""A host whose model computes nothing."""

from collections.abc import Iterator

import pytest

from medgemma_dash.core.settings import Settings
from medgemma_dash.services.runtime.host import ModelHost
from tests.services.hosts import FakeModel


@pytest.fixture
def fake_host() -> Iterator[ModelHost]:
    host = ModelHost(Settings(), load=lambda settings, context: FakeModel())  # type: ignore[arg-type,return-value]
    yield host
    host.close()
