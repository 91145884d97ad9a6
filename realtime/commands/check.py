"""`realtime check`: a doctor, one line a check, with its cure."""

import argparse

from realtime.doctor import Verdict, examine

__all__ = ["check"]

_SYMBOLS = {Verdict.OK: "ok  ", Verdict.WARN: "warn", Verdict.FAIL: "FAIL"}


def check(_: argparse.Namespace) -> int:
    """Print every finding; 1 when one failed."""
    failed = False
    for finding in examine():
        print(f"{_SYMBOLS[finding.verdict]}  {finding.name:<15} {finding.message}")
        if finding.cure:
            print(f"{'':<23}-> {finding.cure}")
        failed |= finding.verdict is Verdict.FAIL
    return 1 if failed else 0
