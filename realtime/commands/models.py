"""`realtime models list | fetch | verify | add | remove`."""

import argparse
import json
from collections.abc import Sequence

from models.added import add_model, known_models, remove_model
from models.catalog import DEFAULT_CHAIN, AddedSource, Model, lookup
from models.errors import ModelError
from models.fetch import Permit, State, cache_folder, ensure, state
from models.licences import licence
from realtime.commands.models_table import models_json, models_table
from realtime.consent import Acknowledgements, default_path, terminal_ask

__all__ = ["models_add", "models_fetch", "models_list", "models_remove", "models_verify"]


def models_list(args: argparse.Namespace) -> int:
    """Every model that is known and whether it is here; `args.role` and `args.json` as asked."""
    folder = cache_folder()
    models = tuple(known_models(folder).values())
    roles = sorted({model.role for model in models})
    if args.role is not None and args.role not in roles:
        raise ModelError(f"no model has the role {args.role!r}", f"choose one of: {', '.join(roles)}")
    rows = [
        (model, state(model, folder, by_size=True)) for model in models if args.role in (None, model.role)
    ]
    if args.json:
        print(json.dumps(models_json(rows, folder, DEFAULT_CHAIN), indent=2))
    else:
        print(models_table(rows, folder, DEFAULT_CHAIN))
    return 0


def models_fetch(args: argparse.Namespace) -> int:
    """Fetch the models in `args.names`, or the default ones, and what they need.

    Raises ModelError, and ConfigError where a licence is not accepted.
    """
    names = args.names or DEFAULT_CHAIN
    acknowledgements = Acknowledgements(default_path(), terminal_ask(headless=False))
    permit = _permit(acknowledgements, args.accept_licence, [*names, *(["--trust"] if args.trust else [])])
    for name, path in ensure(names, permit=permit, trust=args.trust).items():
        print(f"{name}: {path}")
    return 0


def models_verify(args: argparse.Namespace) -> int:
    """Check every model that is here, byte for byte: 1 when one is damaged or a default one is missing."""
    folder = cache_folder()
    rows = [("name", "state", "file", "cure")]
    failed = False
    for model in known_models(folder).values():
        found = state(model, folder)
        needed = found in (State.DAMAGED, State.CHANGED)
        needed = needed or (found is State.MISSING and model.name in DEFAULT_CHAIN)
        failed = failed or needed
        if needed or found is not State.MISSING:
            rows.append((model.name, found.value, str(folder / model.file), _cure(model, found)))
    _print_table(rows)
    return 1 if failed else 0


def models_add(args: argparse.Namespace) -> int:
    """Copy `args.file` into the folder as a model of `args.family`. Raises ModelError."""
    model = add_model(args.file, args.family, args.name, needs=args.needs)
    article = "an" if model.role[0] in "aeiou" else "a"
    folder = cache_folder()
    print(f"{model.name}: {folder / model.file} ({article} {model.role} of the family {model.family})")
    for needed in lookup(model.needs):
        if state(needed, folder, by_size=True) is State.MISSING:
            print(
                f"  it needs the {needed.role} {needed.name}, which is not here: realtime models fetch "
                f"{needed.name}; or add your own first, and this one with --needs NAME"
            )
    return 0


def models_remove(args: argparse.Namespace) -> int:
    """Delete the file of the model `args.name` and what is remembered of it. Raises ModelError."""
    print(f"removed {remove_model(args.name)}")
    return 0


def _permit(acknowledgements: Acknowledgements, accepted: Sequence[str], rest: Sequence[str]) -> Permit:
    """Ask for each licence once; `accepted` and `rest` are the words that the command was given."""

    def permit(model: Model) -> None:
        terms = licence(model.licence)
        maker = f" (by {model.vendor})" if model.vendor else ""
        text = f"{model.name}{maker} comes under the licence {terms.name}: {terms.summary}"
        flags = "".join(f' --accept-licence "{each}"' for each in (*accepted, terms.name))
        how = f"if you accept it, run: realtime models fetch {' '.join(rest)}{flags}"
        acknowledgements.require_licence(terms.name, text, accepted, how)

    return permit


def _cure(model: Model, found: State) -> str:
    if found is State.PRESENT:
        return "-"
    if found is State.UNPINNED:
        return f"realtime models fetch {model.name} --trust"
    if isinstance(model.source, AddedSource):
        return f"realtime models remove {model.name}, and add it again"
    if found is State.CHANGED:
        return f"realtime models remove {model.name}, then fetch it again"
    return f"realtime models fetch {model.name}"


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
