"""What is compiled in these tests is not kept in the user's cache."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that backends keep compiled networks in."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(autouse=True)
def _own_cache(compiled: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REALTIME_CACHE", str(compiled))
        yield
