from __future__ import annotations

from ldrps.service.metrics import Metrics


def test_what_is_counted_is_told_as_prometheus_reads_it() -> None:
    metrics = Metrics()
    for status in ("200", "200", "404"):
        metrics.count("answers_total", "Answers.", status=status, route='/a"\\\n')
    for seconds in (0.05, 0.2, 5000.0):
        metrics.observe("took_seconds", "Seconds.", seconds)
    lines = metrics.text({"jobs": ("Jobs.", 3.0)}).splitlines()
    assert lines[:4] == [
        "# HELP answers_total Answers.",
        "# TYPE answers_total counter",
        'answers_total{route="/a\\"\\\\\\n",status="200"} 2',
        'answers_total{route="/a\\"\\\\\\n",status="404"} 1',
    ]
    buckets = [line for line in lines if line.startswith("took_seconds_bucket")]
    assert buckets[0] == 'took_seconds_bucket{le="0.1"} 1' and buckets[1] == 'took_seconds_bucket{le="0.3"} 2'
    assert buckets[-2:] == ['took_seconds_bucket{le="1000"} 2', 'took_seconds_bucket{le="+Inf"} 3']
    assert "took_seconds_sum 5000.25" in lines and "took_seconds_count 3" in lines
    assert lines[-3:] == ["# HELP jobs Jobs.", "# TYPE jobs gauge", "jobs 3"]
