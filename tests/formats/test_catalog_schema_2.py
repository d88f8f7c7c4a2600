"""The commands of schema 2, as the version that introduced them wrote them.

The missing files are written by ``python -m tests.formats.test_catalog_schema_2``.
"""

from pathlib import Path

import msgspec
import pytest

from registry.catalog.commands import (
    AnyCommand,
    Drain,
    Expire,
    Expiry,
    Forget,
    Opinion,
    Register,
    Renew,
    SetStatus,
    Suspect,
    Suspicion,
    Undrain,
    Verdict,
    needing,
)
from registry.model import Check, ServiceId, ServiceName, Status

FOLDER = Path(__file__).parent / "catalog_schema_2"
A = ServiceId("orders-eu-1")
AT_MS = 1_769_126_040_000
KEY = (ServiceName("orders"), "orders", 8500)

COMMANDS: dict[str, AnyCommand] = {
    "register": Register(
        schema=2,
        service_id=A,
        name=KEY[0],
        host=KEY[1],
        port=KEY[2],
        at_ms=AT_MS,
        ttl_seconds=300.0,
        check=Check("grpc", "orders.v1", 5.0, 1.0, 2, 3, 204),
        exclusive=True,
    ),
    "renew": Renew(schema=2, service_ids=(A,), at_ms=AT_MS, by_check=True),
    "set_status": SetStatus(
        schema=2,
        service_id=A,
        generation=256,
        status=Status.HEALTHY,
        cause="check_passed",
        at_ms=AT_MS,
        by_check=True,
    ),
    "expire": Expire(items=(Expiry(A, 256, 512, 300.0),), at_ms=AT_MS),
    "suspect": Suspect(items=(Suspicion(A, 256),), replica="a", at_ms=AT_MS),
    "opinion": Opinion(
        items=(Verdict(A, 256, passed=False, cause="connect refused"),),
        replica="b",
        suspect=768,
        at_ms=AT_MS,
    ),
    "drain": Drain(keys=(KEY,), reason="upgrade", at_ms=AT_MS, limit_seconds=60.0),
    "undrain": Undrain(keys=(KEY,), cause="undrained", at_ms=AT_MS, drained_at=1024),
    "forget": Forget(before=256, at_ms=AT_MS),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_schema_2_means_what_it_meant(name: str) -> None:
    """A log outlives the version that wrote it."""
    decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
    decoded = decoder.decode((FOLDER / f"{name}.msgpack").read_bytes())

    assert decoded == COMMANDS[name]
    assert needing(decoded) == 2


def test_every_sample_of_schema_2_is_read() -> None:
    """A sample that no test knows protects nothing."""
    assert {path.stem for path in FOLDER.iterdir()} == COMMANDS.keys()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, command in COMMANDS.items():
        path = FOLDER / f"{name}.msgpack"
        if not path.exists():
            path.write_bytes(msgspec.msgpack.encode(command))
