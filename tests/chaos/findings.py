"""What a checker has to say, and where it points."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    checker: str
    at_s: float
    """When it showed, on the clock of the evidence; 0.0: at the end."""
    text: str
    """A sentence that names replica, service and instance."""
