"""`registry why`: asks every replica, and says once what they agree on."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from json import loads
from urllib.parse import urlencode

import click

from registry.commands.failures import CommandFailed, Unavailable, WrongSetting
from registry.commands.output import plain, print_json
from registry.commands.target import ask, parse_urls, request, target_options

ASK_TIMEOUT_S = 3.0
MAX_MEMBERS = 16
MAX_LINES = 60
MAX_QUERY_CHARS = 512


@click.command()
@click.argument("query")
@target_options
def why(query: str, url: str, output: str) -> None:
    """Say why something is, or is not, in the list.

    QUERY is a service name, a service id, HOST:PORT or HOST. Every replica is asked.
    """
    if not 1 <= len(query) <= MAX_QUERY_CHARS:
        raise WrongSetting(f"QUERY must have 1 to {MAX_QUERY_CHARS} characters")
    cluster = ask(parse_urls(url), "GET", "/cluster")
    members = cluster.field("members")
    if not isinstance(members, list):
        raise CommandFailed("the answer is not one of a service registry")
    named = {
        str(m.get("node_id")): str(m.get("http") or "")
        for m in members[:MAX_MEMBERS]
        if isinstance(m, dict)
    }
    path = f"/why?{urlencode({'q': query, 'stale': '1'})}"
    with ThreadPoolExecutor(MAX_MEMBERS) as pool:
        asked = pool.map(lambda at: _ask_one(at, path), named.values())
        results = dict(zip(named, asked, strict=True))
    answers = {n: r for n, r in results.items() if isinstance(r, dict)}
    silent = {n: r for n, r in results.items() if isinstance(r, str)}
    if not answers:
        lines = [f"{node_id}: {reason}" for node_id, reason in silent.items()]
        detail = "no replica could answer"
        problem = {"detail": detail, "silent": silent}
        raise Unavailable("\n  ".join([detail, *lines]), problem)
    if output == "json":
        print_json({"query": query, "answers": answers, "silent": silent})
        return
    for line in merged_lines(answers, silent):
        click.echo(line)


def merged_lines(
    answers: dict[str, dict[str, object]], silent: dict[str, str]
) -> list[str]:
    """Say what all replicas agree on once, and by name what only some of them say."""
    said: dict[str, list[str]] = {}
    for node_id, answer in answers.items():
        for line in dict.fromkeys(answer_lines(answer)):
            said.setdefault(line, []).append(node_id)
    agreed = [line for line, by in said.items() if len(by) == len(answers)]
    differing = [
        f"only {plain(by)}: {line.removeprefix('- ')}"
        for line, by in said.items()
        if len(by) < len(answers)
    ]
    lines = [*agreed[:MAX_LINES], *differing[:MAX_LINES]]
    if len(said) > len(lines):
        lines.append(f"and {len(said) - len(lines)} lines more: --output json")
    return [
        *lines,
        *(
            f"{plain(n)} did not answer: {plain(reason)}"
            for n, reason in silent.items()
        ),
    ]


def answer_lines(answer: dict[str, object]) -> list[str]:
    """Say in a few lines what one replica answered."""
    counts = answer.get("counts")
    lines = []
    if answer.get("matched") != "nothing" and isinstance(counts, dict):
        healthy, total = plain(counts.get("healthy")), plain(counts.get("instances"))
        of = "" if answer.get("matched") == "service" else plain(answer.get("names"))
        what = f"{plain(answer.get('query'))}{of and f' ({of})'}"
        lines.append(f"{what}: {healthy} of {total} healthy")
    lines += [
        f"- {plain(i.get('host'))}:{plain(i.get('port'))} is healthy{_since(i)}: "
        f"{plain(i.get('cause'))} ({plain(i.get('service_id'))})"
        for i in _objects(answer.get("instances"))
        if i.get("status") == "healthy"
    ]
    for finding in _objects(answer.get("findings")):
        # One piece, so that the advice stays with what it is about.
        advice = finding.get("advice")
        then = f"\n    try: {plain(advice)}" if advice else ""
        lines.append(f"- {plain(finding.get('text'))}{then}")
    return lines


def _since(instance: dict[str, object]) -> str:
    since = instance.get("since")
    return f" since {plain(since)}" if since else ""


def _ask_one(url: str, path: str) -> dict[str, object] | str:
    if not url:
        return "its address is not known"
    try:
        status, content = request(url, "GET", path, timeout_s=ASK_TIMEOUT_S)
        body = loads(content)
    except (OSError, HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    if status == 200 and isinstance(body, dict):
        return body
    detail = body.get("detail") if isinstance(body, dict) else None
    return f"{detail or 'answered'} ({status})"


def _objects(value: object) -> list[dict[str, object]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
