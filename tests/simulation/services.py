"""The services of a simulated world: each with a life of its own, drawn from the seed.

    down --rise--> up --fall--> down        silently, or with a goodbye
                   up --> sick --> up       its endpoint answers 503, or hangs
                   up --> deaf --> up       its heartbeats reach nobody

This is the truth that the registry must find out. When all is calm nothing changes any
more, but that what is sick or deaf recovers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Protocol

from registry.catalog.commands import Key, Register
from registry.model import Check, ServiceId, ServiceName, Status

INTERVALS_S = (1.0, 2.0)
TTLS_S = (2.0, 3.0, 4.0, 6.0)
TIMEOUT_S = 0.5
MEAN_SPELL_S = 7.0
"""Of how long a service is well, before something comes."""
RETRY_S = 0.2


class Mood(Enum):
    """How a service is."""

    DOWN = auto()
    UP = auto()
    SICK = auto()
    STUCK = auto()
    DEAF = auto()


PASSING = (Mood.UP, Mood.DEAF)
"""Its endpoint answers well."""
BEATING = (Mood.UP, Mood.SICK, Mood.STUCK)
"""Its heartbeats reach the registry."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a service is registered with."""

    name: ServiceName
    host: str
    port: int
    ttl_s: float
    beats: bool
    check: Check | None
    initial_status: Status = Status.HEALTHY

    @property
    def key(self) -> Key:
        """The instance's name in the catalog."""
        return (self.name, self.host, self.port)

    @property
    def lease_s(self) -> float:
        """How long one proof of life is good; 0: for ever. As ARCHITECTURE says it."""
        if self.check is None or self.ttl_s == 0:
            return self.ttl_s
        check = self.check
        return max(self.ttl_s, 2 * check.interval_seconds + check.timeout_seconds)

    @property
    def check_takes_s(self) -> float:
        """How long its check may take to find it dead: a bound, opinions included."""
        if self.check is None:
            return 0.0
        check = self.check
        takes_s = check.failures * (check.interval_seconds + check.timeout_seconds)
        return takes_s + 2 * check.timeout_seconds + 2.0


class Registry(Protocol):
    """The registry as services reach it, through any of its replicas."""

    async def register(self, command: Register) -> bool:
        """Register once; whether it was acknowledged."""

    async def heartbeat(self, service_id: ServiceId) -> bool | None:
        """Send one heartbeat: True if it was taken, False if the id is not known."""

    async def deregister(self, service_id: ServiceId) -> bool:
        """Say goodbye; whether it was acknowledged."""


class SimService:
    """One process behind one address. ``tell`` and ``complain`` reach the judge."""

    def __init__(
        self,
        traits: Traits,
        registry: Registry,
        *,
        random: Random,
        now_s: Callable[[], float],
        calm: asyncio.Event,
        tell: Callable[[str], None],
        complain: Callable[[str], None],
    ) -> None:
        self.traits = traits
        self.mood = Mood.DOWN
        self.since_s = 0.0
        """When the mood began."""
        self.passing_since_s: float | None = None
        self.down_for_s = 0.0
        """How long it was down the last time."""
        self.acknowledged = False
        """Whether it is registered as far as it was told."""
        self.was_deregistered = False
        """Whether its last life ended with a goodbye (perhaps unanswered)."""
        self.service_id = ServiceId("")
        self._registry = registry
        self._random = random
        self._now_s = now_s
        self._calm = calm
        self._tell = tell
        self._complain = complain
        self._number = 0

    @property
    def label(self) -> str:
        """Name it for people."""
        return self.traits.name

    def change(self, mood: Mood) -> None:
        """Be in another mood from now on."""
        now_s = self._now_s()
        if self.mood is Mood.DOWN:
            self.down_for_s = now_s - self.since_s
        self.mood, self.since_s = mood, now_s
        if mood not in PASSING:
            self.passing_since_s = None
        elif self.passing_since_s is None:
            self.passing_since_s = now_s
        self._tell(f"{self.label} is {mood.name.lower()}")

    # -- its life

    async def live(self) -> None:
        """Rise and fall until all is calm, then stay as it is."""
        await self._pass(self._random.uniform(0.0, 3.0))
        await self._begin(anew=True)
        while not self._calm.is_set():
            await self._pass(self._random.expovariate(1 / MEAN_SPELL_S))
            if not self._calm.is_set():
                await self._something_comes()

    async def _something_comes(self) -> None:
        random, traits = self._random, self.traits
        checked, beats = traits.check is not None, traits.beats
        events: dict[Callable[[], Awaitable[None]], float] = {
            self._fall: 4.0,
            self._say_goodbye: 1.0,
            self._go_deaf: 3.0 if beats else 0.0,
            self._fall_ill: 2.0 if checked else 0.0,
            self._register_anew: 1.0,
        }
        await random.choices(list(events), list(events.values()))[0]()

    async def _begin(self, *, anew: bool) -> None:
        self.change(Mood.UP)
        if anew:
            await self._register_anew()

    async def _fall(self) -> None:
        self.change(Mood.DOWN)
        lease_s = self.traits.lease_s or 4.0
        await self._pass(self._random.uniform(0.3, 3 * lease_s))
        if self._calm.is_set():
            return
        # The seed's clients never register again if they were merely out of reach.
        keeps = self._random.random() < 0.5 and not self.was_deregistered
        await self._begin(anew=not keeps)

    async def _say_goodbye(self) -> None:
        self.was_deregistered = True
        self.acknowledged = False
        await self._registry.deregister(self.service_id)
        # A new one next time: an unanswered goodbye may yet come to its end.
        self.service_id = ServiceId("")
        await self._fall()

    async def _go_deaf(self) -> None:
        self.change(Mood.DEAF)
        await self._pass(self._random.uniform(0.5, 3 * (self.traits.lease_s or 2.0)))
        self.change(Mood.UP)

    async def _fall_ill(self) -> None:
        self.change(self._random.choice((Mood.SICK, Mood.STUCK)))
        await self._pass(self._random.uniform(0.5, 10.0))
        self.change(Mood.UP)

    async def _register_anew(self) -> None:
        """Register, under a new id or the old one, until that is acknowledged."""
        if not self.service_id or self._random.random() < 0.5:
            self._number += 1
            self.service_id = ServiceId(f"{self.traits.name}-{self._number}")
        self.acknowledged, self.was_deregistered = False, False
        traits = self.traits
        command = Register(
            service_id=self.service_id,
            name=traits.name,
            host=traits.host,
            port=traits.port,
            at_ms=0,
            ttl_seconds=traits.ttl_s,
            check=traits.check,
            initial_status=traits.initial_status,
        )
        while not await self._registry.register(command):
            await asyncio.sleep(RETRY_S)
        self.acknowledged = True

    async def _pass(self, seconds: float) -> None:
        """Let time pass, but not beyond the beginning of the calm."""
        try:
            async with asyncio.timeout(seconds):
                await self._calm.wait()
        except TimeoutError:
            return

    async def beat(self) -> None:
        """Send heartbeats for ever, while it is up and can reach the registry."""
        gap_s = (self.traits.ttl_s or 3.0) / 3
        while True:
            await asyncio.sleep(gap_s * self._random.uniform(0.8, 1.0))
            while self._beats():
                service_id = self.service_id
                taken = await self._registry.heartbeat(service_id)
                still = self.acknowledged and self.service_id == service_id
                if taken is False and still:
                    self._complain(f"{service_id} is registered, and told it is not")
                if taken is not None:
                    break
                await asyncio.sleep(RETRY_S)

    def _beats(self) -> bool:
        return self.acknowledged and self.mood in BEATING


def draw_traits(number: int, random: Random) -> Traits:
    """Draw one service: what it proves its life by, and how often."""
    beats, checked = random.choice(
        ((True, False), (True, False), (False, True), (False, True), (True, True))
    )
    check = None
    if checked:
        check = Check(
            interval_seconds=random.choice(INTERVALS_S),
            timeout_seconds=TIMEOUT_S,
            failures=random.choice((2, 3)),
        )
    is_permanent = random.random() < 0.12
    starts = checked and random.random() < 0.2
    return Traits(
        name=ServiceName(f"service-{number}"),
        host=f"host-{number}",
        port=8500,
        ttl_s=0.0 if is_permanent else random.choice(TTLS_S),
        beats=beats,
        check=check,
        initial_status=Status.STARTING if starts else Status.HEALTHY,
    )
