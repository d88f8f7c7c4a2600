"""Short ways to load a configuration in tests."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from registry.config import ConfigMistakes, Loaded
from registry.config_sources import DEFAULT_FILE, load

HOME = {"HOME": "/home/me"}
LOCAL_PEERS = "a=127.0.0.1:8101,b=127.0.0.1:8111,c=127.0.0.1:8121"


def load_in(directory: Path, env: Mapping[str, str] | None = None) -> Loaded:
    """Load as from a working directory, with a home and nothing else around."""
    return load(HOME | dict(env or {}), directory=directory)


def mistakes_in(directory: Path, env: Mapping[str, str] | None = None) -> list[str]:
    """Return the mistakes of a configuration that must have some."""
    with pytest.raises(ConfigMistakes) as caught:
        load_in(directory, env)
    return caught.value.mistakes


def write_file(directory: Path, content: object) -> Path:
    """Write the file in the working directory; text as it is, else as JSON."""
    path = directory / DEFAULT_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
