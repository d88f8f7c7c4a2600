"""Frames on a byte stream: four bytes of length (big endian), then the body. Pure."""

PREFIX_BYTES = 4


class FrameTooLong(ValueError):
    """A frame was announced that is longer than allowed; none of it was buffered on."""


def prefix(length: int) -> bytes:
    """Return the length that goes before a body."""
    return length.to_bytes(PREFIX_BYTES, "big")


def framed(body: bytes) -> bytes:
    """Return the body with its length before it."""
    return prefix(len(body)) + body


class FrameReader:
    """Cuts received bytes into frames.

    Pulled one by one, so that the caller can change ``limit_bytes`` or stop between
    two frames of one chunk.
    Invariant: never holds more than one frame of ``limit_bytes`` and the last chunk.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream; call ``next_frame`` until it has none."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def next_frame(self) -> bytes | None:
        """Return the next whole frame, None if it has not arrived yet.

        Raises FrameTooLong as soon as the length is known.
        """
        start = self._at + PREFIX_BYTES
        if len(self._buffer) < start:
            return None
        length = int.from_bytes(self._buffer[self._at : start], "big")
        if length > self.limit_bytes:
            raise FrameTooLong(f"{length} bytes announced, {self.limit_bytes} allowed")
        if len(self._buffer) < start + length:
            return None
        self._at = start + length
        with memoryview(self._buffer) as view:
            return bytes(view[start : self._at])

    @property
    def pending_bytes(self) -> int:
        """Received bytes that belong to no whole frame yet."""
        return len(self._buffer) - self._at
