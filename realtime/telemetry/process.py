"""What this process takes from the machine."""

import os
import sys
from pathlib import Path

__all__ = ["rss_mb"]

_STATM = Path("/proc/self/statm")


def rss_mb() -> float:
    """Resident memory in MB (10**6 bytes); where the system tells only the peak, the peak; else 0.0."""
    if sys.platform == "linux":
        pages = int(_STATM.read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    elif sys.platform == "win32":
        return 0.0
    else:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1e6 if sys.platform == "darwin" else 1e3)
