"""Refused writes are kept and counted: the answer to "why won't it register?"."""

from tests.support.api_harness import running


async def test_refused_writes_are_shown_with_whom_and_why_the_newest_first() -> None:
    """The name is told as far as the body was understood; reads are no refusals."""
    async with running() as harness:
        await harness.register({"name": "web", "host": "10.0.0.1", "port": "80"})
        await harness.request("POST", "/heartbeat/nobody")
        await harness.request("POST", "/register", raw=b"{")
        await harness.get("/services/bad%20name")
        await harness.request("POST", "/nowhere")
        everything = (await harness.get("/refusals")).json["refusals"]
        of_web = (await harness.get("/refusals?name=web&limit=5")).json["refusals"]
        metrics = (await harness.get("/metrics")).body.decode()

    assert isinstance(everything, list)
    assert isinstance(of_web, list)
    codes = [refusal["code"] for refusal in everything]
    assert codes == ["invalid_json", "unknown_service_id", "invalid_field"]
    assert everything[1]["service_id"] == "nobody"
    (refusal,) = of_web
    assert refusal["at"].endswith("Z")
    assert refusal["peer"] == "127.0.0.1"
    assert refusal["request"] == "POST /register"
    assert (refusal["name"], refusal["host"]) == ("web", "10.0.0.1")
    assert refusal["detail"].startswith("port must be an integer")
    assert 'registry_refusals_total{code="invalid_json"} 1.0' in metrics


async def test_what_strangers_send_is_cut_to_its_bound() -> None:
    """A thousand refusals must not hold a thousand bodies."""
    async with running() as harness:
        await harness.register({"name": "x" * 9_000, "host": "a", "port": 1})
        (refusal,) = harness.cases.refusals.latest()

    assert len(refusal.name) == 255
    assert len(refusal.detail) <= 300


async def test_an_address_that_may_not_be_checked_is_refused_by_its_own_code() -> None:
    """Whoever registers it must see which rule it was."""
    body = {"name": "web", "host": "169.254.169.254", "port": 80, "check": {}}
    async with running() as harness:
        answer = await harness.register(body)

    assert (answer.status, answer.code) == (400, "address_denied")


async def test_troubles_of_the_duties_are_told_as_degraded() -> None:
    """One list for whatever is wrong, whoever noticed."""
    async with running() as harness:
        harness.consensus.degrade("disk_slow")
        harness.cases.troubles = ("evictions_held", "disk_slow")
        answers = [await harness.get(p) for p in ("/health", "/ready", "/cluster")]

    for answer in answers:
        assert answer.json["degraded"] == ["disk_slow", "evictions_held"]
