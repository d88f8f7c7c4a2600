"""Reads a configuration: defaults < JSON file < environment, every mistake at once.

A mistake names where it stands ("env SERVICE_TTL", "config.json: service_ttl_seconds"),
what stands there, and what should. An unknown name is only a warning here, with the
nearest known one: a replica must not fail to start over a name that a newer release
knows. `registry config check` takes warnings for mistakes.
"""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from registry.config import Config, ConfigMistakes, Loaded
from registry.config_check import complete, find_mistakes
from registry.config_doubts import find_doubts
from registry.config_table import (
    BY_ENV,
    BY_NAME,
    ENV_PREFIX,
    OTHER_ENV,
    SECTIONS,
    SETTINGS,
    Setting,
    default_of,
    is_service_link,
)

DEFAULT_FILE = Path("config/service_registry.json")
MAX_FILE_BYTES = 1024 * 1024
MAX_SHOWN_CHARS = 80


class _Reading:
    """What was read so far: values with their sources, mistakes, warnings."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.origins: dict[str, str] = {}
        self.failed: set[str] = set()
        self.mistakes: list[str] = []
        self.warnings: list[str] = []

    def take(self, setting: Setting, raw: object, source: str, place: str) -> None:
        """Parse one raw value; what comes later wins."""
        try:
            self.values[setting.name] = setting.parse(raw)
        except ValueError as error:
            self.failed.add(setting.name)
            shown = "" if setting.secret else f" = {_shown(raw)}"
            # One argument per mistake: a list may hold several.
            self.mistakes += [f"{place}{shown}: {reason}" for reason in error.args]
        else:
            self.origins[setting.name] = source


def load(
    environ: Mapping[str, str],
    *,
    config_file: Path | None = None,
    directory: Path | None = None,
) -> Loaded:
    """Read, check and complete the configuration.

    ``config_file`` must exist if given; else ``config/service_registry.json`` is read
    where it exists. Relative paths count from ``directory`` (default: the working
    directory). Raises ConfigMistakes with all mistakes.
    """
    reading = _Reading()
    base = directory or Path()
    _read_file(reading, base, config_file)
    _read_environment(reading, environ)
    config = _build(reading)
    config = _with_password(reading, config)
    reading.mistakes += find_mistakes(config, environ, reading.origins, reading.failed)
    if not reading.mistakes:
        try:
            config = complete(config, environ, reading.origins)
        except ValueError as error:
            reading.mistakes.append(str(error))
    if reading.mistakes:
        raise ConfigMistakes(reading.mistakes, reading.warnings)
    warnings = [*reading.warnings, *find_doubts(config, reading.origins)]
    origins = {s.name: reading.origins.get(s.name, "default") for s in SETTINGS}
    return Loaded(config, origins, tuple(warnings))


def _read_file(reading: _Reading, base: Path, config_file: Path | None) -> None:
    shown = config_file or DEFAULT_FILE
    content = _file_text(reading, base / shown, str(shown), config_file is not None)
    if content is None:
        return
    try:
        tree = json.loads(
            content, object_pairs_hook=_unique_keys, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        reading.mistakes.append(
            f"{shown}: is no JSON: {error.msg} in line {error.lineno},"
            f" column {error.colno}"
        )
        return
    except (ValueError, RecursionError) as error:
        reading.mistakes.append(f"{shown}: is no usable JSON: {error}")
        return
    if not isinstance(tree, dict):
        reading.mistakes.append(f"{shown}: must hold one JSON object")
        return
    for key, value in tree.items():
        if key in SECTIONS and value is not None:
            if not isinstance(value, dict):
                reading.mistakes.append(f"{shown}: {key}: must be an object")
                continue
            for leaf, inner in value.items():
                _take_from_file(reading, str(shown), f"{key}.{leaf}", inner)
        elif key not in SECTIONS:
            _take_from_file(reading, str(shown), key, value)


def _file_text(reading: _Reading, path: Path, shown: str, required: bool) -> str | None:
    try:
        if path.is_dir():
            reading.mistakes.append(
                f"{shown}: is a directory, not a file (docker makes one in place of"
                " a mounted file that does not exist on the host)"
            )
            return None
        if path.exists() and not path.is_file():
            # Opening a pipe that nobody writes to would wait for ever.
            reading.mistakes.append(f"{shown}: is no regular file")
            return None
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        if required:
            reading.mistakes.append(f"{shown}: there is no such file")
        return None
    except OSError as error:
        reading.mistakes.append(f"{shown}: cannot be read: {error.strerror}")
        return None
    if len(content) > MAX_FILE_BYTES:
        reading.mistakes.append(f"{shown}: is larger than {MAX_FILE_BYTES} bytes")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reading.mistakes.append(f"{shown}: is no UTF-8 at byte {error.start}")
        return None


def _take_from_file(reading: _Reading, shown: str, name: str, value: object) -> None:
    setting = BY_NAME.get(name)
    if setting is None:
        known = [*BY_NAME, *SECTIONS]
        reading.warnings.append(f"{shown}: {name}: unknown key{_nearest(name, known)}")
    elif value is not None and value != "":
        reading.take(setting, value, f"file {shown}", f"{shown}: {name}")


def _read_environment(reading: _Reading, environ: Mapping[str, str]) -> None:
    for name, setting in BY_ENV.items():
        value = environ.get(name, "")
        if value.strip():
            reading.take(setting, value, f"env {name}", f"env {name}")
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in BY_ENV or name in OTHER_ENV:
            continue
        if environ[name].strip() and not is_service_link(name, environ[name]):
            nearest = _nearest(name, [*BY_ENV, *OTHER_ENV])
            printable = name.encode("ascii", "backslashreplace").decode()
            reading.warnings.append(f"env {printable}: unknown name{nearest}")


def _build(reading: _Reading) -> Config:
    tree: dict[str, object] = {}
    sections: dict[str, dict[str, object]] = {name: {} for name in SECTIONS}
    for setting in SETTINGS:
        value = reading.values.get(setting.name, default_of(setting.name))
        section, _, leaf = setting.name.rpartition(".")
        (sections[section] if section else tree)[leaf] = value
    return msgspec.convert({**tree, **sections}, Config)


def _with_password(reading: _Reading, config: Config) -> Config:
    """Read the password file; a password and a file are one too many."""
    hana = config.hana
    if not hana.password_file:
        return config
    origin = reading.origins["hana.password_file"]
    if hana.password:
        reading.mistakes.append(
            "hana.password and hana.password_file are both given"
            f" ({reading.origins['hana.password']}, {origin}): keep one"
        )
        return config
    try:
        with Path(hana.password_file).open("rb") as file:
            text = file.read(4096).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8"
        reading.mistakes.append(
            f"hana.password_file ({origin}): {hana.password_file}: {reason}"
        )
        return config
    if not text:
        reading.mistakes.append(
            f"hana.password_file ({origin}): {hana.password_file} is empty"
        )
    reading.origins["hana.password"] = f"file {hana.password_file}"
    return msgspec.structs.replace(
        config, hana=msgspec.structs.replace(hana, password=text)
    )


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number in JSON")


def _nearest(name: str, known: list[str]) -> str:
    match = difflib.get_close_matches(name[:200], known, n=1, cutoff=0.6)
    return f"; did you mean {match[0]}?" if match else ""


def _shown(raw: object) -> str:
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return repr(text[:MAX_SHOWN_CHARS] + ("…" if len(text) > MAX_SHOWN_CHARS else ""))
