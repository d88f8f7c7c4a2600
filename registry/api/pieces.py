"""An answer's body in pieces that many answers share: sent without a copy of it."""

from collections.abc import Sequence
from typing import cast

from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_writer import StreamWriter
from aiohttp.payload import Payload


class PiecesPayload(Payload):
    """A large JSON body that is sent from its pieces."""

    def __init__(self, pieces: Sequence[bytes], size: int) -> None:
        super().__init__(pieces, content_type="application/json")
        self._size = size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the whole text; for aiohttp's own uses, which have none here."""
        return b"".join(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand over all pieces, which copies none of them, and wait at the end.

        To wait after each would make the amount unsent rise and fall with them, and
        by that amount it is judged whether the client still reads.
        """
        stream = cast(StreamWriter, writer)
        *pieces, last = self._value
        for piece in pieces:
            await stream.write(piece, drain=False)
        await stream.write(last)
