"""Reads Prometheus' text format, and accepts nothing that its description does not allow."""

import re
from dataclasses import dataclass, field

__all__ = ["Family", "read_metrics"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN|[+-]Inf")
_KINDS = {"counter", "gauge", "summary", "histogram", "untyped"}
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@dataclass
class Family:
    """The samples of one name, by their labels."""

    kind: str
    meaning: str
    samples: dict[frozenset[tuple[str, str]], float] = field(default_factory=dict)

    def value(self, **labels: str) -> float:
        return self.samples[frozenset(labels.items())]

    def labels(self) -> list[dict[str, str]]:
        return [dict(each) for each in self.samples]


def read_metrics(text: str) -> dict[str, Family]:
    """Families by name. Raises ValueError for what is not in the format, or not as our server writes it: each
    family once, HELP before TYPE before samples, no timestamps, summaries without sum and count.
    """
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families: dict[str, Family] = {}
    helped: str | None = None
    name = ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            helped, _, meaning = line.removeprefix("# HELP ").partition(" ")
            if not _NAME.fullmatch(helped) or helped in families or not meaning.strip():
                raise ValueError(f"no good help: {line}")
        elif line.startswith("# TYPE "):
            name, _, kind = line.removeprefix("# TYPE ").partition(" ")
            if name != helped or kind not in _KINDS:
                raise ValueError(f"no good type: {line}")
            if (kind == "counter") != name.endswith("_total"):
                raise ValueError(f"a counter, and nothing else, is called total: {line}")
            families[name] = Family(kind, meaning)
            helped = None
        else:
            if helped is not None or not name:
                raise ValueError(f"a sample without a type: {line}")
            _sample(line, name, families[name])
    return families


def _sample(line: str, name: str, family: Family) -> None:
    rest = line.removeprefix(name)
    if rest == line:
        raise ValueError(f"a sample that is not of {name}: {line}")
    labels: dict[str, str] = {}
    if rest.startswith("{"):
        at = 1
        while True:
            found = _LABEL.match(rest, at)
            if found is None or found[1] in labels:
                raise ValueError(f"no good label at {at}: {line}")
            labels[found[1]] = re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], found[2])
            at = found.end()
            if rest[at] == "}":
                break
            if rest[at] != ",":
                raise ValueError(f"no comma at {at}: {line}")
            at += 1
        rest = rest[at + 1 :]
    if not rest.startswith(" ") or not _NUMBER.fullmatch(rest[1:]):
        raise ValueError(f"no number: {line}")
    key = frozenset(labels.items())
    if key in family.samples:
        raise ValueError(f"twice: {line}")
    if family.kind == "summary" and not 0 <= float(labels["quantile"]) <= 1:
        raise ValueError(f"no quantile: {line}")
    value = float(rest[1:])
    if family.kind == "counter" and not value >= 0:
        raise ValueError(f"a counter below 0: {line}")
    family.samples[key] = value
