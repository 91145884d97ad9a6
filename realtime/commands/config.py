"""`realtime config show` and `realtime config schema`."""

import argparse
import json

from realtime.commands.flags import layers
from realtime.config_layers import origins, schema

__all__ = ["config_schema", "config_show"]


def config_show(arguments: argparse.Namespace) -> int:
    """Print the configuration in force as TOML, each value with where it comes from."""
    section = ""
    for key, (value, origin) in origins(layers(arguments)).items():
        head, _, name = key.partition(".")
        if head != section:
            print(f"{'' if not section else chr(10)}[{head}]")
            section = head
        print(f"{f'{name} = {_toml(value)}':<48} # {origin}")
    return 0


def config_schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema of a configuration file."""
    print(json.dumps(schema(), indent=2))
    return 0


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    return json.dumps(value)
