from __future__ import annotations

from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from ldrps.service.metrics import Metrics


def values(metrics: Metrics, accept: str = "") -> dict[tuple[str, ...], float]:
    """What is told, as a reader of Prometheus reads it: by name, followed by what labels say."""
    text, media = metrics.told(accept)
    read = openmetrics if media.startswith("application/openmetrics-text") else text_string_to_metric_families
    samples = [sample for family in read(text.decode()) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_what_is_counted_is_told_as_prometheus_reads_it() -> None:
    metrics = Metrics()
    for status in (200, 200, 404):
        metrics.requests.labels('/a"\\\n', status).inc()
    for seconds in (0.05, 0.2, 5000.0):
        metrics.job_seconds.observe(seconds)
    waiting = [3]
    metrics.watch("jobs", "Jobs.", lambda: waiting[0])
    for accept in ("", "application/openmetrics-text; version=1.0.0"):
        told = values(metrics, accept)
        assert (
            told["ldrps_requests_total", '/a"\\\n', "200"] == 2 and told["ldrps_requests_total", '/a"\\\n', "404"] == 1
        )
        buckets = [value for (name, *_), value in told.items() if name == "ldrps_job_seconds_bucket"]
        assert buckets == [1, 2, 2, 2, 2, 2, 2, 2, 2, 3]
        assert told["ldrps_job_seconds_sum",] == 5000.25 and told["ldrps_job_seconds_count",] == 3
        assert told["jobs",] == 3
    waiting[0] = 5
    assert values(metrics)["jobs",] == 5


def test_each_service_counts_for_itself() -> None:
    one, other = Metrics(), Metrics()
    one.refused.labels("full").inc()
    assert values(one)["ldrps_refused_total", "full"] == 1
    assert not any("refused_total" in name for name, *_ in values(other))
    assert not any(family.name.startswith("ldrps") for family in REGISTRY.collect())
