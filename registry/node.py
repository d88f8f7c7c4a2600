"""The composition root: builds one replica with its HTTP surface, runs it, stops it.

Start: HTTP first (so that probes are answered while the disk is read), then the
replica. Stop: unready and leadership handed over while still answering, then no new
connections and what is under way is answered, then the replica.
"""

import asyncio
import signal
import time
from dataclasses import replace
from random import SystemRandom
from uuid import uuid4

import structlog
import uvloop

from cluster.errors import DiskCorrupt, StartRefused
from registry import checking, config_check, garbage
from registry.admission import CheckRules
from registry.api.app import ApiDependencies
from registry.api.server import ApiServer
from registry.config import Config
from registry.consensus import ReplicaConsensus
from registry.discovery import Discovery
from registry.drains import Drains
from registry.duties import Duties
from registry.health.probes import KINDS
from registry.health.probes.prober import available
from registry.metrics import Metrics
from registry.model import Status
from registry.ports import ClusterView
from registry.proposals import Proposals
from registry.refusals import Refusals
from registry.registrar import Registrar, Settings
from registry.replication import Replication, end_process
from registry.why import Why

EXIT_OK = 0
EXIT_START_REFUSED = 1
STOP_REQUESTS_WITHIN_S = 5.0

log = structlog.get_logger()


class LoopClock:
    """Time of the running event loop, and the wall's for people."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now_s(self) -> float:
        """Monotonic seconds."""
        return self._loop.time()

    def wall_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class RegistryNode:
    """One replica: catalog, consensus, use cases and HTTP, wired."""

    def __init__(self, config: Config) -> None:
        """Build everything; open the data directory alone. Raises StartRefused."""
        loop = asyncio.get_running_loop()
        try:  # First: nothing is open yet that would have to be closed.
            tls = checking.tls_of(config.health_check)
        except ValueError as error:
            raise StartRefused(str(error)) from error
        self.replication = Replication(config)
        machine = self.replication.machine
        clock = LoopClock(loop)
        self.consensus = ReplicaConsensus(
            self.replication.replica, loop, self.replication.troubles
        )
        metrics = Metrics(view=self.consensus.view, machine=machine)
        proposals = Proposals(self.consensus, clock, metrics)
        checks = checking.settings_of(config.health_check)
        rules = checking.rules_of(config.health_check)
        self.prober = checking.prober_of(rules, tls)
        self.duties = Duties(
            machine=machine,
            consensus=self.consensus,
            proposals=proposals,
            clock=clock,
            prober=self.prober,
            settings=checks,
            observer=metrics,
            random=SystemRandom().random,
            most_probes=checking.most_probes(),
        )
        self.replication.follow(self.duties)
        metrics.register_source(self.replication.counters)
        metrics.register_source(self.duties.counters)
        metrics.register_source(
            lambda: {"registry_tasks": float(len(asyncio.all_tasks(loop)))}
        )
        registrar = Registrar(
            proposals=proposals,
            renewer=self.duties.renewer,
            machine=machine,
            clock=clock,
            new_id=lambda: str(uuid4()),
            settings=Settings(
                ttl_seconds=config.service_ttl_seconds,
                initial_status=Status(config.health_check.initial_status),
                exclusive=config.registration.exclusive_address == "replace",
            ),
            checks=CheckRules(
                kinds={kind: available(kind) for kind in KINDS},
                literal_refusal=rules.literal_refusal,
            ),
        )
        refusals = Refusals()
        self.api = ApiServer(
            ApiDependencies(
                node_id=config.cluster.node_id,
                registrar=registrar,
                drains=Drains(proposals=proposals, machine=machine, clock=clock),
                discovery=Discovery(consensus=self.consensus, machine=machine),
                refusals=refusals,
                why=Why(
                    catalog=machine.catalog,
                    refusals=refusals,
                    view=self._whole_view,
                    settings=checks,
                ),
                metrics=metrics,
                clock=clock,
                view=self.consensus.view,
                troubles=self.duties.troubles,
                request_deadline_s=config.request_deadline_seconds,
            ),
            host=config.bind_address.host,
            port=config.bind_address.port,
            stop_within_s=STOP_REQUESTS_WITHIN_S,
        )
        self._freezer = garbage.Freezer(lambda: machine.catalog.registrations)
        self._freezing: asyncio.Task[None] | None = None
        self._bind = config.bind_address
        self._beside: asyncio.Task[None] | None = None

    def _whole_view(self) -> ClusterView:
        """Return the cluster as seen here, with what the duties complain of."""
        view = self.consensus.view()
        return replace(view, degraded=(*view.degraded, *self.duties.troubles()))

    async def start(self) -> None:
        """Listen, recover, take part. Raises StartRefused, with nothing left open."""
        try:
            try:
                await self.api.start()
            except OSError as error:
                message = (
                    f"cannot listen on {self._bind} (SERVICE_REGISTRY_BIND): {error}"
                )
                raise StartRefused(message) from error
            self._beside = asyncio.create_task(self._run_duties())
            self._freezing = asyncio.create_task(self._freezer.run())
            await self.replication.replica.start()
        except BaseException:
            await self.api.stop()
            await self._end_duties()
            await self.replication.abandon()
            raise

    async def stop(self) -> None:
        """Hand over, answer what is under way, close everything."""
        self.consensus.forget_view()
        await self.replication.replica.hand_over()
        await self.api.stop()
        await self.replication.stop()
        await self._end_duties()

    async def _run_duties(self) -> None:
        try:
            await self.duties.run()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.critical("What goes on beside the log failed", exc_info=True)
        end_process("what goes on beside the log ended")

    async def _end_duties(self) -> None:
        tasks = [t for t in (self._beside, self._freezing) if t is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.prober.close()


async def run(config: Config, stop: asyncio.Event) -> int:
    """Run one replica until ``stop`` is set; return the process's exit code."""
    began_s = time.monotonic()
    garbage.tune()  # before what is read back, which is most of what there will be
    try:
        node = RegistryNode(config)
        await node.start()
        config = config_check.with_http_port(config, node.api.port)
    except DiskCorrupt as error:
        log.error(
            "Cannot start",
            reason=f"{config.cluster.data_dir} is damaged: {error}",
            hint="with a majority of the others running, empty it and start again",
        )
        return EXIT_START_REFUSED
    except StartRefused as error:
        log.error("Cannot start", reason=str(error))
        return EXIT_START_REFUSED
    except Exception:
        log.critical("Cannot start", exc_info=True)
        # What was built so far has threads, which would keep the process.
        end_process("a defect at the start")
    log.info(
        "Listening",
        http=str(config.bind_address),
        members=sorted(config.cluster.peers) or [config.cluster.node_id],
        data_dir=config.cluster.data_dir,
        started_in_s=round(time.monotonic() - began_s, 3),
    )
    await stop.wait()
    log.info("Stopping")
    await node.stop()
    log.info("Stopped")
    return EXIT_OK


async def _serve(config: Config) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await run(config, stop)


def serve(config: Config) -> int:
    """Run one replica in this process until SIGTERM or ctrl-C; return the exit code."""
    return uvloop.run(_serve(config))
