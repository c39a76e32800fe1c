"""What happens, counted for Prometheus, in a registry of each service's own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

_BUCKETS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # seconds


class Metrics:
    """What a service counts. For several threads.

    Attributes:
        requests: answers, by `route` and `status`.
        request_seconds: to the beginning of an answer, by `route`.
        refused: requests that were refused, by `reason`.
        jobs: that are over, by `outcome`: "done", "failed" or "cancelled".
        job_seconds: from the beginning of a job to its end.
        job_wait_seconds: from when a job came to when it was begun.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # of the server, without who restores
        self.requests = self._counter("ldrps_requests_total", "Answers, by address and status.", "route", "status")
        self.request_seconds = self._histogram(
            "ldrps_request_seconds", "Seconds to the beginning of an answer.", "route"
        )
        self.refused = self._counter("ldrps_refused_total", "Requests that were refused, by why.", "reason")
        self.jobs = self._counter("ldrps_jobs_total", "Jobs that are over, by what became of them.", "outcome")
        self.job_seconds = self._histogram("ldrps_job_seconds", "Seconds from the beginning of a job to its end.")
        self.job_wait_seconds = self._histogram(
            "ldrps_job_wait_seconds", "Seconds from when a job came to when it was begun."
        )

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Tell what is so at the moment, too: `value` is asked each time that somebody reads."""
        Gauge(name, about, registry=self._registry).set_function(value)

    def told(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, in the format that suits a header `Accept`; and which that is, for `Content-Type`."""
        encode, media = choose_encoder(accept)
        return encode(self._registry), media

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(name, about, labels, buckets=_BUCKETS, registry=self._registry)
