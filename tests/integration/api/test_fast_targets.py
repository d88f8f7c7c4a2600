"""Targets and conditions: what one was learned for is what it is answered with."""

import pytest

from tests.support.differential import both
from tests.support.http_bytes import WARM, get, heartbeat, request

WEB = "/services/web"
TAG = 'W/"cafe-3"'
"""Of ``web`` as it was filled."""


@pytest.mark.parametrize(
    "target",
    [
        f"{WEB}?status=all",
        f"{WEB}?status=unhealthy",
        f"{WEB}?status=all&tag=blue",
        f"{WEB}?tag=blue",
        f"{WEB}?tag=blue&tag=red",
        f"{WEB}?tag=red&tag=blue",
        f"{WEB}?tag=none",
        f"{WEB}?zone=north",
        f"{WEB}?metadata.a=b",
        f"{WEB}?unknown=1&unknown=2",
        f"{WEB}?stale=0&consistent=false",
        f"{WEB}?",
        f"{WEB}?tag=%62lue",
        f"{WEB}#fragment",
        f"{WEB}?status=all#fragment",
        "/services/%77eb",
        "/services/w%65b?status=all",
    ],
)
async def test_a_target_is_hot_from_the_second_time_on(target: str) -> None:
    """However it is written: it was aiohttp that said what it means."""
    async with both() as sides:
        await sides.agree([get(target)], hot=int(target in WARM))
        told = await sides.agree([get(target), get(target) * 2], hot=3)

    assert told.answers.count(b"HTTP/1.1 200 ") == 3


@pytest.mark.parametrize(
    "target",
    [
        "/services/gone",
        "/services/gone?status=all",
        "/services",
        "/services/",
        "/services/web/",
        "/services//web",
        "//services/web",
        "/Services/web",
        "/services/a%2Fb",
        "/services/%ff",
        "/services/\xe9",
        f"{WEB}?tag=\xe9",
        f"{WEB}?status=nonsense",
        f"{WEB}?status=all&status=all",
        f"{WEB}?zone=a&zone=b",
        f"{WEB}?consistent=1",
        f"{WEB}?stale=1",
        f"{WEB}?min_index=1",
        f"{WEB}?min_index=x",
        "/health",
        "/cluster",
        "/nowhere",
        "*",
        "services/web",
        "x",
        "http:///services/web",
        "ftp://[::1/services/web",
    ],
)
async def test_any_other_target_is_never_hot(target: str) -> None:
    """What asks for more than a plain read, for nothing, or without sense."""
    async with both() as sides:
        for _ in range(3):
            await sides.agree([get(target)], hot=0)
        await sides.agree([get() + get(target) + get()])


@pytest.mark.parametrize("origin", ["http://x", "http://other:8100", "HTTPS://u:p@x"])
async def test_a_target_with_its_origin_is_answered_alike(origin: str) -> None:
    """As proxies are asked; nothing of it names another service."""
    targets = [f"{origin}{WEB}", f"{origin}{WEB}?tag=blue", f"{origin}/nowhere", origin]
    async with both() as sides:
        for target in targets:
            await sides.agree([get(target), get() + get(target) + get()])


@pytest.mark.parametrize(
    "service_id",
    ["%77eb-1", "web-1?x=1", "web-1/", "web%201", "-web", "w" * 129, "\xe9", "web-1#x"],
)
async def test_a_heartbeat_of_an_odd_id_is_left_to_aiohttp(service_id: str) -> None:
    """Only what can be an id as it is written is one."""
    async with both() as sides:
        await sides.agree([heartbeat(service_id)], hot=0)
        await sides.agree([get() + heartbeat(service_id) + get()])


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (TAG, 304),
        ('"cafe-3"', 304),
        (f'"other", {TAG} ', 304),
        (f'"other",{TAG}', 304),
        ("*", 304),
        (" *\t", 304),
        ('W/"cafe-2"', 200),
        ("cafe-3", 200),
        ('w/"cafe-3"', 200),
        (f"{TAG}x", 200),
        ("\xff", 200),
        (",", 200),
        ("", 200),
    ],
)
async def test_a_condition_is_judged_as_ever(condition: str, status: int) -> None:
    """Compared weakly, against each tag of a list."""
    conditional = get(WEB, f"If-None-Match: {condition}")
    lower = get(WEB, f"if-none-match:{condition}")
    async with both() as sides:
        for sent in (conditional, lower, conditional + get()):
            told = await sides.agree([sent])
            assert told.answers.startswith(b"HTTP/1.1 %d " % status)
        if condition:
            await sides.agree([conditional + lower], hot=2)


async def test_the_condition_of_a_filter_is_its_own() -> None:
    """Answers to several questions can stand in the same cache."""
    async with both() as sides:
        for target in (f"{WEB}?status=all", f"{WEB}?tag=blue"):
            told = await sides.agree([get(target, f"If-None-Match: {TAG}")], hot=1)
            tag = told.answers.partition(b"\r\nETag: ")[2].partition(b"\r\n")[0]
            conditional = get(target, f"If-None-Match: {tag.decode()}")
            told = await sides.agree([conditional], hot=1)
            assert told.answers.startswith(b"HTTP/1.1 304 ")


@pytest.mark.parametrize("first", [TAG, '"other"'])
@pytest.mark.parametrize(
    "names", [("If-None-Match",) * 2, ("If-None-Match", "if-none-match")]
)
async def test_two_conditions_are_judged_as_ever(
    first: str, names: tuple[str, str]
) -> None:
    """Whichever of them counts."""
    lines = [f"{names[0]}: {first}", f"{names[1]}: *"]
    async with both() as sides:
        await sides.agree([get(WEB, *lines)])
        await sides.agree([get(WEB, *reversed(lines))])


async def test_a_head_request_teaches_what_its_get_is_answered_with() -> None:
    """aiohttp asks the same handler."""
    target = f"{WEB}?tag=red"
    async with both() as sides:
        await sides.agree([request("HEAD", target), get(target)], hot=1)
        await sides.agree([request("HEAD", target), get(target)], hot=1)


async def test_many_targets_of_a_service_forget_each_other() -> None:
    """Anybody can make up any number of them."""
    targets = [get(f"{WEB}?tag={number}") for number in range(40)]
    async with both() as sides:
        await sides.agree(targets, hot=0)
        await sides.agree([*targets, *targets[-3:], get()])
