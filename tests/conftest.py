"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build cache for the whole session: a model is converted once, whichever test builds with it first."""
    return tmp_path_factory.mktemp("cache")
