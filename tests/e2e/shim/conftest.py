"""A child process under the library `shim`, and the data directory that it works on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.beds.shim import Shim, compile_shim
from tests.support.shim_child import Child


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile it once."""
    library = compile_shim(tmp_path_factory.mktemp("shim"))
    if library is None:
        pytest.skip("there is no C compiler")
    return library


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data directory, with a durable file in it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "log").write_bytes(b"first")
    return data


@pytest.fixture
def shim(library: Path, data: Path) -> Shim:
    """Return the shim around that directory."""
    return Shim(library, data)


@pytest.fixture
def child(shim: Shim, data: Path) -> Iterator[Child]:
    """Run a child; it may be ended before, too."""
    with Child(shim.environment, data) as child:
        yield child
