"""Where backends keep what they compiled, so that the next start need not compile it again."""

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "kept_folder"]

CACHE_VARIABLE = "REALTIME_CACHE"


def kept_folder(backend: str, version: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of one backend in one version, which reads no other's.

    It is in the folder that `REALTIME_CACHE` names, else in the user's cache. It may be
    deleted at any time, and need not exist yet.
    """
    if chosen := environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser() / backend / version
    from platformdirs import user_cache_path

    return Path(user_cache_path("realtime", appauthor=False)) / backend / version
