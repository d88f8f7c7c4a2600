"""What is our own fault is never held against a target."""

import asyncio

import pytest

from registry.health.fence import DEFECT, OUTLIVED, Fence
from registry.ports import ProbeResult, Target
from tests.support.sim_loop import SimLoop
from tests.support.virtual import virtually
from tests.unit.health.world import BROKEN, PASSED, FakeProber, VirtualClock

TARGET = Target("http", "h", 80, "/", timeout_s=5.0)


def _fence(
    *, answer: ProbeResult = PASSED, delay_s: float = 0.0
) -> tuple[Fence, FakeProber]:
    prober = FakeProber()
    prober.answers[80] = answer
    prober.delays_s[80] = delay_s
    return Fence(prober, VirtualClock()), prober


def _stand_still(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    loop.advance(seconds)


@virtually
async def test_what_the_prober_says_is_handed_on() -> None:
    """Passed or failed, in its time."""
    for answer in (PASSED, BROKEN):
        fence, _ = _fence(answer=answer, delay_s=4.9)
        assert await fence.probe(TARGET) == answer


@virtually
async def test_a_probe_that_never_ends_is_ended() -> None:
    """A belt over the prober's own time-out: the target may well be to blame."""
    fence, _ = _fence(delay_s=1e6)

    assert await fence.probe(TARGET) == OUTLIVED
    assert asyncio.get_running_loop().time() == pytest.approx(6.0, abs=0.01)


@pytest.mark.parametrize("stood_still_s", [5.2, 5.9, 60.0])
def test_a_failure_while_we_stood_still_is_ours(stood_still_s: float) -> None:
    """Also when the process went on before the belt was due."""

    @virtually
    async def probe() -> None:
        fence, _ = _fence(answer=BROKEN, delay_s=2.0)
        probing = asyncio.create_task(fence.probe(TARGET))
        await asyncio.sleep(0)
        _stand_still(stood_still_s)
        assert (await probing).is_ours

    probe()


@virtually
async def test_a_success_after_we_stood_still_is_a_success() -> None:
    """It answered: whenever that was, it lived."""
    fence, _ = _fence(delay_s=2.0)
    probing = asyncio.create_task(fence.probe(TARGET))
    await asyncio.sleep(0)
    _stand_still(5.5)

    assert await probing == PASSED


@pytest.mark.parametrize("defect", [ValueError("odd"), asyncio.CancelledError()])
def test_a_defect_of_a_prober_is_ours(defect: BaseException) -> None:
    """It would turn every instance unhealthy."""

    class Broken(FakeProber):
        async def probe(self, target: Target) -> ProbeResult:
            raise defect

    @virtually
    async def probe() -> None:
        assert await Fence(Broken(), VirtualClock()).probe(TARGET) == DEFECT

    probe()


@virtually
async def test_who_is_cancelled_ends() -> None:
    """By whoever began the probe: that is no defect."""
    fence, _ = _fence(delay_s=3.0)
    probing = asyncio.create_task(fence.probe(TARGET))
    await asyncio.sleep(0)
    probing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await probing
