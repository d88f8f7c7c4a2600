"""etcd: three members, with its defaults and with the times of our elections.

Asked by its JSON gateway, as a service in any language would: an instance is a key
under the service's prefix, a read is a range of that prefix that any member answers.
"""

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import orjson

from bench.load.stream import NUMBER, request
from bench.peers.peer import BODY, NotHere, Opening, Peer, Server, Setting
from bench.peers.processes import ports, process, program, wait_answers
from tests.support.process_http import ask
from tests.support.process_ports import LOOPBACK
from tests.support.waiting import wait_until

NAME = "etcd"
FAST = "etcd fast"
FAST_TIMES = ("--heartbeat-interval=50", "--election-timeout=300")
MEMBERS = 3
READY_S = 60.0


class EtcdWords:
    """Its JSON gateway: keys and values are base64."""

    def register(self, service: str, host: str) -> bytes | None:
        """Put the key of an instance.

        A number is 16 digits: so it is also the base64 of something, and stays one.
        """
        value = orjson.dumps(BODY | {"name": service, "host": "10.0.0.1"})
        if NUMBER in host.encode():
            key = _encoded(_prefix(service)) + NUMBER.decode()
        else:
            key = _encoded(_prefix(service) + host)
        body = {"key": key, "value": base64.b64encode(value).decode()}
        return request("POST", "/v3/kv/put", orjson.dumps(body))

    def read(self, service: str) -> bytes:
        """Range over the service, at the member that was asked."""
        return self._range(service, serializable=True)

    def consistent_read(self, service: str) -> bytes | None:
        """The same after it has asked the leader."""
        return self._range(service, serializable=False)

    def heartbeat(self, registered: bytes) -> bytes | None:
        """Nothing: to keep a lease alive is no write of its."""
        return None

    def _range(self, service: str, *, serializable: bool) -> bytes:
        prefix = _prefix(service)
        body = {
            "key": _encoded(prefix),
            "range_end": _encoded(prefix[:-1] + chr(ord(prefix[-1]) + 1)),
            "serializable": serializable,
        }
        return request("POST", "/v3/kv/range", orjson.dumps(body))


def _prefix(service: str) -> str:
    """Return the key of a service, of a length whose base64 has no padding."""
    key = f"services/{service}/"
    return key + "/" * (-len(key) % 3)


def _encoded(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def _opening(name: str, times: tuple[str, ...]) -> Opening:
    @contextmanager
    def opened(setting: Setting) -> Iterator[Peer]:
        binary = program(setting, name, on_path=setting.named.get(NAME, NAME))
        folder = setting.own_folder(name)
        with ports(2 * MEMBERS) as taken, ExitStack() as stack:
            clients, peers = taken[:MEMBERS], taken[MEMBERS:]
            listed = ",".join(
                f"n{n}=http://{LOOPBACK}:{port}" for n, port in enumerate(peers)
            )
            pids = []
            for n, (client, peer) in enumerate(zip(clients, peers, strict=True)):
                own = folder / f"n{n}"
                own.mkdir()
                command = [
                    binary,
                    f"--name=n{n}",
                    f"--data-dir={own / 'data'}",
                    f"--listen-client-urls=http://{LOOPBACK}:{client}",
                    f"--advertise-client-urls=http://{LOOPBACK}:{client}",
                    f"--listen-peer-urls=http://{LOOPBACK}:{peer}",
                    f"--initial-advertise-peer-urls=http://{LOOPBACK}:{peer}",
                    f"--initial-cluster={listed}",
                    "--initial-cluster-state=new",
                    "--log-level=warn",
                    *times,
                ]
                pids.append(
                    stack.enter_context(process(name, command, own, setting.cores))
                )
            urls = [
                wait_answers(name, pid, port, "/version", folder / f"n{n}")
                for n, (port, pid) in enumerate(zip(clients, pids, strict=True))
            ]
            _wait_led(name, urls[0])
            servers = zip(urls, pids, strict=True)
            yield Peer(
                name, tuple(Server(url, (pid,)) for url, pid in servers), EtcdWords()
            )

    return opened


def _wait_led(name: str, url: str) -> None:
    try:
        wait_until(lambda: _is_led(url), "its leader", deadline_s=READY_S)
    except AssertionError as error:
        raise NotHere(f"{name}: {error}") from error


def _is_led(url: str) -> bool:
    """Whether it answers what needs a leader."""
    try:
        reply = ask(url, "/v3/kv/range", method="POST", body={"key": _encoded("any")})
    except OSError:
        return False
    return reply.status == 200


etcd = _opening(NAME, ())
etcd_fast = _opening(FAST, FAST_TIMES)
