"""What tests of several folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.catalog import DEFAULT_CHAIN
from models.errors import ModelError
from models.fetch import ensure


@pytest.fixture(scope="session")
def default_models() -> Path:
    """The folder with the default models, fetched once into the user's cache."""
    try:
        files = ensure(DEFAULT_CHAIN)
    except ModelError as error:
        if "cannot be reached" not in error.message:
            raise
        pytest.skip(f"no default models: {error.message}")
    return files[DEFAULT_CHAIN[0]].parent


@pytest.fixture(scope="session", autouse=True)
def _own_faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees or touches the faces that the user keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REALTIME_FACES", str(tmp_path_factory.mktemp("faces")))
        yield
