"""Discovery over HTTP: headers, conditions, options, pages."""

import pytest

from tests.support.api_harness import running


async def test_an_unknown_service_is_an_empty_list() -> None:
    """200, because the seed's client reads ``["instances"]`` whatever comes."""
    async with running() as harness:
        answer = await harness.get("/services/nobody")

    assert answer.status == 200
    assert answer.json == {"service_name": "nobody", "instances": []}
    assert answer.headers["ETag"] == 'W/"cafe-0"'


@pytest.mark.parametrize("sent", ['W/"cafe-1"', '"cafe-1"', 'W/"7", W/"cafe-1"', "*"])
async def test_an_unchanged_service_is_304(sent: str) -> None:
    """Pollers pay for a change only; the comparison is weak."""
    async with running() as harness:
        await harness.register()
        first = await harness.get("/services/web")
        again = await harness.get("/services/web", {"If-None-Match": sent})
        other = await harness.get("/services/web", {"If-None-Match": 'W/"cafe-2"'})

    assert first.headers["ETag"] == 'W/"cafe-1"'
    assert (again.status, again.body) == (304, b"")
    assert again.headers["X-Registry-Index"] == "1"
    assert other.status == 200


async def test_a_cluster_founded_anew_has_other_etags() -> None:
    """It counts from 1 again: its index 1 is another state than the former's."""
    async with running() as harness:
        await harness.register()
        harness.consensus.refound("beef" * 8)
        answer = await harness.get("/services/web", {"If-None-Match": 'W/"cafe-1"'})

    assert answer.status == 200
    assert answer.headers["ETag"] == 'W/"beefbeef-1"'


async def test_another_question_has_another_etag() -> None:
    """A client or cache that keeps several answers must not take one for another."""
    async with running() as harness:
        await harness.register()
        paths = [
            "",
            "?status=all",
            "?tag=a",
            "?zone=a",
            "?metadata.k=a",
            "?tag=a&zone=a",
        ]
        etags = {
            (await harness.get(f"/services/web{path}")).headers["ETag"]
            for path in paths
        }
        same = await harness.get(
            "/services/web?status=all", {"If-None-Match": 'W/"cafe-1"'}
        )

    assert len(etags) == len(paths)
    assert same.status == 200


async def test_a_large_service_is_sent_whole() -> None:
    """In pieces, with its length told beforehand, and HEAD like any other."""
    count = 2_500
    async with running() as harness:
        for port in range(1, count + 1):
            await harness.cases.register(port=port, zone="z" * 100)
        answers = [
            await harness.get(f"/services/web{query}")
            for query in ("", "?status=all", f"?zone={'z' * 100}")
        ]
        head = await harness.request("HEAD", "/services/web")

    for answer in answers:
        assert _ports(answer.json) == set(range(1, count + 1))
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Registry-Index"] == str(count)
    assert head.headers["Content-Length"] == answers[0].headers["Content-Length"]
    assert head.body == b""


async def test_a_list_that_takes_too_long_is_given_up() -> None:
    """Callers that queue for a large list must not wait, and be kept, for ever."""
    async with running(request_deadline_s=0.0) as harness:
        await harness.cases.register("small")
        for port in range(1, 601):
            await harness.cases.register("large", port)
        small = await harness.get("/services/small?tag=none")
        large = await harness.get("/services/large?tag=none")

    assert small.status == 200
    assert (large.status, large.code) == (503, "overloaded")


async def test_a_repeated_option_is_refused() -> None:
    """Taking the first or the last would answer another question."""
    async with running() as harness:
        answer = await harness.get("/services/web?status=all&status=healthy")

    assert answer.code == "invalid_field"
    assert answer.json["field"] == "status"


async def test_a_renewal_does_not_move_the_index() -> None:
    """Else every heartbeat would wake every poller."""
    async with running() as harness:
        await harness.register()
        await harness.request("POST", "/heartbeat/id-1")
        answer = await harness.get("/services/web", {"If-None-Match": 'W/"cafe-1"'})

    assert answer.status == 304


async def test_options_narrow_the_list() -> None:
    """Each option, and all of them together."""
    async with running() as harness:
        for port, tags in ((1, ["a", "b"]), (2, ["a"])):
            await harness.register(
                {
                    "name": "web",
                    "host": "h",
                    "port": port,
                    "tags": tags,
                    "zone": "z1",
                    "metadata": {"gpu": True},
                }
            )
        found = {
            query: _ports((await harness.get(f"/services/web?{query}")).json)
            for query in (
                "",
                "tag=a&tag=b",
                "zone=z2",
                "metadata.gpu=true&zone=z1&tag=b&status=all",
                "unknown=option",
            )
        }

    assert list(found.values()) == [{1, 2}, {1}, set(), {1}, {1, 2}]


async def test_names_may_be_percent_encoded() -> None:
    """Clients differ in what they escape: it is the same name."""
    async with running() as harness:
        await harness.register({"name": "my~web", "host": "h", "port": 1})
        answer = await harness.get("/services/my%7Eweb")

    assert answer.json["service_name"] == "my~web"
    assert answer.json["instances"] != []


async def test_services_are_listed_with_counts_and_paged() -> None:
    """`next` is what to send as `after`."""
    async with running() as harness:
        for name in ("b", "a", "c"):
            await harness.register({"name": name, "host": "h", "port": 1})
        everything = await harness.get("/services")
        first = await harness.get("/services?limit=2")
        second = await harness.get("/services?limit=2&after=b")

    one = {"instances": 1, "healthy": 1}
    assert everything.json == {
        "services": [{"service_name": n, **one} for n in ("a", "b", "c")]
    }
    assert everything.headers["X-Registry-Index"] == "3"
    assert first.json["next"] == "b"
    assert second.json == {"services": [{"service_name": "c", **one}]}


async def test_head_answers_like_get_without_a_body() -> None:
    """`curl -I` and health checkers use it."""
    async with running() as harness:
        answer = await harness.request("HEAD", "/services/web")

    assert (answer.status, answer.body) == (200, b"")


async def test_min_index_beyond_the_log_is_504_at_the_deadline() -> None:
    """The replica cannot give the reader its own write yet."""
    async with running(request_deadline_s=0.05) as harness:
        answer = await harness.get("/services/web?min_index=9")

    assert answer.status == 504
    assert answer.code == "index_not_reached"


def _ports(document: dict[str, object]) -> set[int]:
    instances = document["instances"]
    assert isinstance(instances, list)
    return {i["port"] for i in instances}
