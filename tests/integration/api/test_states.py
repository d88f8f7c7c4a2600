"""The table I10 over HTTP, row by row, and what operators look at."""

from tests.support.api_harness import running


async def test_row_1_before_it_has_caught_up() -> None:
    """Alive, not ready, and silent about a catalog that it cannot vouch for."""
    async with running(request_deadline_s=0.05) as harness:
        await harness.register()
        harness.consensus.not_caught_up("b, c to found the cluster")
        health = await harness.get("/health")
        ready = await harness.get("/ready")
        read = await harness.get("/services/web")
        stale = await harness.get("/services/web?stale=true")
        write = await harness.register()
        consistent = await harness.get("/services/web?consistent=true")
        metrics = await harness.get("/metrics")

    assert health.status == 200
    assert health.json == {
        "status": "starting",
        "registered_services": None,
        "healthy_services": None,
    }
    assert (ready.status, ready.code) == (503, "not_caught_up")
    assert "b, c to found the cluster" in str(ready.json["detail"])
    assert (read.status, read.code) == (503, "not_caught_up")
    assert (stale.status, stale.headers["X-Registry-Stale"]) == (200, "true")
    assert stale.json["instances"] != []
    assert (write.status, write.code) == (503, "no_leader")
    assert (consistent.status, consistent.code) == (503, "no_leader")
    assert b"\nregistry_services_total " not in metrics.body


async def test_row_2_leader_in_contact() -> None:
    """Everything is answered; health counts instances."""
    async with running() as harness:
        await harness.register()
        health = await harness.get("/health")
        ready = await harness.get("/ready?leader=1")
        consistent = await harness.get("/services/web?consistent=true")

    assert health.json == {
        "status": "healthy",
        "registered_services": 1,
        "healthy_services": 1,
    }
    assert ready.status == 200
    assert consistent.status == 200
    assert "X-Registry-Age-Ms" not in consistent.headers


async def test_row_3_leader_silent() -> None:
    """Reads outlive the quorum: still ready, and every answer tells its age."""
    async with running(request_deadline_s=0.05) as harness:
        await harness.register()
        harness.consensus.silent_leader(2.5)
        health = await harness.get("/health")
        ready = await harness.get("/ready")
        for_writes = await harness.get("/ready?leader=1")
        read = await harness.get("/services/web")
        everything = await harness.get("/services")
        consistent = await harness.get("/services/web?consistent=true")

    assert health.json["status"] == "healthy"
    assert health.json["degraded"] == ["leader_silent"]
    assert ready.status == 200
    assert (for_writes.status, for_writes.code) == (503, "no_leader")
    assert read.status == 200
    assert read.headers["X-Registry-Age-Ms"] == "2500"
    assert everything.headers["X-Registry-Age-Ms"] == "2500"
    assert consistent.status == 503


async def test_row_4_stopping() -> None:
    """Unready at once, alive and answering reads while it lasts."""
    async with running() as harness:
        await harness.register()
        harness.consensus.stop()
        health = await harness.get("/health")
        ready = await harness.get("/ready")
        read = await harness.get("/services/web")
        write = await harness.register()

    assert (health.status, health.json["status"]) == (200, "stopping")
    assert (ready.status, ready.code) == (503, "stopping")
    assert read.status == 200
    assert (write.status, write.code) == (503, "stopping")


async def test_row_4_disk_failed() -> None:
    """The one state that a restart may mend, so liveness fails."""
    async with running() as harness:
        harness.consensus.degrade("disk_failed")
        health = await harness.get("/health")
        ready = await harness.get("/ready")
        read = await harness.get("/services/web")

    assert (health.status, health.json["status"]) == (503, "unhealthy")
    assert (ready.status, ready.code) == (503, "disk_failed")
    assert read.status == 200


async def test_cluster_shows_the_members_as_this_replica_sees_them() -> None:
    """Who leads, who lags, who is unknown."""
    async with running() as harness:
        await harness.register()
        document = (await harness.get("/cluster")).json

    members = document.pop("members")
    assert document == {
        "node_id": "a",
        "role": "leader",
        "term": 3,
        "leader": "a",
        "index": 1,
        "cluster_id": "cafe",
        "epoch": 1,
        "caught_up": True,
        "contact_age_ms": 0,
        "degraded": [],
        "waiting_for": "",
    }
    assert isinstance(members, list)
    assert members[1] == {
        "node_id": "b",
        "http": "http://b:8100",
        "connected": True,
        "index": 0,
        "lag": 1,
        "contact_age_ms": 200,
    }
    assert members[2]["lag"] is None


async def test_metrics_have_the_seeds_five_names() -> None:
    """Dashboards are built on exactly these."""
    async with running() as harness:
        await harness.register()
        await harness.get("/services/web")
        await harness.get("/no/such/path")
        answer = await harness.get("/metrics")

    lines = answer.body.decode().splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "registry_services_total 1.0" in lines
    assert "registry_services_healthy 1.0" in lines
    assert "registry_health_checks_total 0.0" in lines
    assert "registry_health_check_failures_total 0.0" in lines
    labels = 'method="GET",route="/services/{service_name}",status="2xx"'
    assert f"registry_requests_total{{{labels}}} 1.0" in lines
    labels = 'method="GET",route="unmatched",status="4xx"'
    assert f"registry_requests_total{{{labels}}} 1.0" in lines
