"""The faces that the user added by name: copies of their pictures, a folder each.

They are pictures of people: the folders are the user's alone. With each is kept who agreed, and when.
"""

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import platformdirs

from realtime.consent import Agreement
from realtime.errors import ConfigError, DeviceError
from realtime.face_cache import FOLDER_VARIABLE
from realtime.personas import NAMES

__all__ = ["FaceLibrary", "library_folder"]

_NAME = re.compile(r"\w(?:[\w -]{0,62}\w)?")
"""Of a face: no dots and no slashes, so that it is never a path; no colons and commas, which URIs use."""
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)\d", re.IGNORECASE)
"""Names that Windows gives to devices."""
_CONSENT = "consent.json"
"""Beside a face's pictures."""

logger = logging.getLogger(__name__)


def library_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where added faces are kept: in `REALTIME_FACES`, or with the user's data."""
    if chosen := environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser() / "added"
    return platformdirs.user_data_path("realtime", appauthor=False) / "faces"


class FaceLibrary:
    """Faces by name. Names that differ in nothing but case are one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> tuple[str, ...]:
        """Of the faces that were added, in the order of the alphabet."""
        try:
            found = [entry.name for entry in self._folder.iterdir() if entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise _unusable(self._folder, error) from error
        return tuple(sorted((name for name in found if _NAME.fullmatch(name)), key=str.casefold))

    def find(self, name: str) -> str | None:
        """The name as it was added, or None."""
        return next((known for known in self.names() if known.casefold() == name.casefold()), None)

    def pictures(self, name: str) -> tuple[Path, ...]:
        """The pictures of a face, in the order in which they were added. Raises ConfigError."""
        folder = self._folder / self._known(name)
        return tuple(sorted(path for path in folder.iterdir() if path.is_file() and path.name != _CONSENT))

    def agreement(self, name: str) -> Agreement | None:
        """What is known of the consent to a face; None when nothing is. Raises ConfigError."""
        path = self._folder / self._known(name) / _CONSENT
        try:
            found = json.loads(path.read_text("utf-8"))
            return Agreement(int(found["unix_s"]), str(found["note"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("what is known of the consent to %s cannot be read: %s: %s", name, path, error)
            return None

    def check_new(self, name: str) -> None:
        """Raise ConfigError when a face cannot be added by that name."""
        if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
            raise ConfigError(
                f"{name!r} cannot be the name of a face",
                "use letters and digits, up to 64, with blanks, - or _ between them",
            )
        if name.casefold() in NAMES:
            raise ConfigError(f"{name} is the name of a persona", "choose another name")
        if known := self.find(name):
            raise ConfigError(
                f"there is already a face {known!r}",
                f'choose another name, or first: realtime faces remove "{known}"',
            )

    def add(self, name: str, pictures: Sequence[Path], agreement: Agreement | None = None) -> None:
        """Copy the pictures under a name that is free: all or nothing. Raises ConfigError and DeviceError.

        `agreement`: that to wear the face, where there is one.
        """
        self.check_new(name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = Path(tempfile.mkdtemp(prefix=".adding-", dir=self._folder))  # for the user alone: 0700
            try:
                for number, picture in enumerate(pictures, start=1):
                    copy = part / f"{number:02d}{picture.suffix.lower()}"
                    copy.touch(mode=0o600)
                    copy.write_bytes(picture.read_bytes())
                if agreement is not None:
                    consent = part / _CONSENT
                    consent.touch(mode=0o600)
                    consent.write_text(
                        json.dumps({"unix_s": agreement.unix_s, "note": agreement.note}), "utf-8"
                    )
                part.rename(self._folder / name)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def remove(self, name: str) -> str:
        """Delete a face and its pictures; the name it had. Raises ConfigError and DeviceError."""
        known = self._known(name)
        try:
            shutil.rmtree(self._folder / known)
        except OSError as error:
            raise _unusable(self._folder / known, error) from error
        return known

    def _known(self, name: str) -> str:
        known = self.find(name)
        if known is None:
            names = self.names()
            near = get_close_matches(name, names, n=1)
            raise ConfigError(
                f"there is no added face {name!r}",
                f"did you mean {near[0]!r}?"
                if near
                else f"the added faces are {', '.join(names)}"
                if names
                else "add one: realtime faces add NAME PICTURE",
            )
        return known


def _unusable(folder: Path, error: OSError) -> DeviceError:
    return DeviceError(
        f"{folder} cannot be used: {error.strerror or error}",
        f"make it yours to read and write, or set {FOLDER_VARIABLE} to a folder that is",
    )
