"""Acknowledgements: asked for once, in plain words, and recorded with the time.

Three things need one: turning the AI mark off, wearing the face of a real person, and fetching a model whose
licence limits what it may be used for.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from realtime.errors import ConfigError

__all__ = ["Acknowledgements", "Agreement", "default_path", "terminal_ask"]

MARK_OFF = "mark-off"
MARK_OFF_TEXT = (
    "You are about to turn off the visible mark that tells viewers the picture is AI-generated.\n"
    "Do this only where everyone who sees it knows. Many countries require such a mark by law.\n"
    "Using an unmarked picture to deceive anyone, or to pass an identity check, is not allowed."
)
FACE_TEXT = (
    "{subject} a real person. Wear that face only with that person's consent,\n"
    "never to deceive anyone and never to pass an identity check."
)
NOTE_QUESTION = "Who agreed, when and how? A note for yourself (Enter: none): "


def default_path() -> Path:
    """Where acknowledgements are kept for this user."""
    return Path(platformdirs.user_config_dir("realtime", appauthor=False)) / "acknowledgements.json"


@dataclass(frozen=True, slots=True)
class Agreement:
    """That somebody agreed to their face being worn."""

    unix_s: int
    """When the user said so."""
    note: str
    """What they said of it; may be empty."""


class Acknowledgements:
    """The record of what this user agreed to."""

    def __init__(
        self,
        path: Path,
        ask: Callable[[str], str] | None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """`ask`: shows a question and returns the answer typed; None when nobody can be asked."""
        self._path = path
        self._ask = ask
        self._wall_s = wall_s

    def require_mark_off(self) -> None:
        """Return when turning the mark off is acknowledged. Raises ConfigError when it is not."""
        if MARK_OFF in self._read():
            return
        if self._ask is None:
            raise ConfigError(
                "turning the AI mark off needs an acknowledgement, and nobody can be asked here",
                "run once with --mark off on a terminal, or leave the mark on",
            )
        if self._ask(f"{MARK_OFF_TEXT}\nType OFF to go on without the mark: ").strip() != "OFF":
            raise ConfigError(
                "the mark stays on, so the program does not start without it", "drop --mark off"
            )
        self._record(MARK_OFF, MARK_OFF_TEXT)

    def face(self, name: str, picture: bytes, pictures: int = 1, note: str = "") -> str:
        """Ask once for consent to wear the face in a picture file, or in several; returns what is to be said.

        `name`: of the picture, or of the face that there are several `pictures` of. Asked of a person where
        one can be asked; otherwise the words are returned to be shown. A `note` that says who agreed stands
        for the answer: nobody is asked. Raises ConfigError when the answer is no.
        """
        key = f"face-{hashlib.sha256(picture).hexdigest()}"
        subject = (
            f"{name} looks like a picture of"
            if pictures == 1
            else f"The {pictures} pictures of {name} look like pictures of"
        )
        text = FACE_TEXT.format(subject=subject)
        if note:
            self._record(key, text, note)
            return ""
        if key in self._read():
            return ""
        if self._ask is None:
            return text
        if self._ask(f"{text}\nDo you have it? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise ConfigError(
                f"the face in {name} is not worn without consent", "choose a persona: realtime faces list"
            )
        self._record(key, text)
        return ""

    def agreement(self, picture: bytes) -> Agreement | None:
        """What is recorded of the consent to wear the face in a picture file; None when nothing is."""
        found = self._read().get(f"face-{hashlib.sha256(picture).hexdigest()}")
        return Agreement(int(found["unix_s"]), str(found.get("note", ""))) if found is not None else None

    def note(self) -> str:
        """What the person says of who agreed; "" where they say nothing, or nobody can be asked."""
        return "" if self._ask is None else self._ask(NOTE_QUESTION).strip()

    def require_licence(self, name: str, text: str, accepted: Collection[str] = (), how: str = "") -> None:
        """Return when the licence `name`, in the words of `text`, is accepted, now or at another time.

        `accepted`: licences the user has named as accepted; `how`: what to do where nobody can be asked.
        Raises ConfigError when it is not accepted.
        """
        key = f"licence-{name}"
        if key in self._read():
            return
        if name not in accepted:
            if self._ask is None:
                raise ConfigError(f"{text}, and nobody can be asked here whether you accept that", how)
            if self._ask(f"{text}.\nDo you accept that? [y/N] ").strip().lower() not in {"y", "yes"}:
                raise ConfigError(
                    f"the licence {name} is not accepted", "fetch a model under another licence"
                )
        self._record(key, text)

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self._path} cannot be read: {error}", "delete it and answer again"
            ) from error
        return found if isinstance(found, dict) else {}

    def _record(self, key: str, text: str, note: str = "") -> None:
        record = self._read()
        record[key] = {"acknowledged": text, "unix_s": round(self._wall_s())}
        if note:
            record[key]["note"] = note
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(record, indent=2), "utf-8")
            os.replace(part, self._path)
        except OSError as error:
            raise ConfigError(
                f"the acknowledgement cannot be recorded in {self._path}: {error}",
                "make that folder writable; what is not recorded does not count",
            ) from error


def terminal_ask(headless: bool) -> Callable[[str], str] | None:
    """How to ask the person at the terminal; None when there is none or the run is headless."""
    if headless or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline()

    return ask
