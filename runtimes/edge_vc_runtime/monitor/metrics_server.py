"""Prometheus metrics of a live run, on loopback only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from socketserver import TCPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.monitor.error import MonitorError
from edge_vc_runtime.monitor.live_metrics import (
    METRICS,
    STEP_EDGES_MS,
    STEP_HELP,
    STEP_SECONDS,
    LiveMetric,
)

_ADDRESS = "127.0.0.1"
_HOSTS = (_ADDRESS, "localhost")
_CLIENT_TIMEOUT_S = 2.0

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class MetricsServer:
    """Answers ``GET /metrics`` with the last snapshot passed to `update`."""

    def __init__(self, port: int) -> None:
        """Bind ``port`` on loopback; 0 selects a free one.

        Raises `MonitorError` if the port is in use or prometheus_client is not installed.
        """
        self._now: LiveSnapshot | None = None
        self._times: HopTimes | None = None
        application = _only_loopback(_prometheus_app(self))
        try:
            self._server = make_server(_ADDRESS, port, application, _Server, _Handler)
        except OSError as error:
            raise MonitorError(
                f"--metrics {port}: {error.strerror or error}; choose another, 0 for a free one"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """The URL to scrape."""
        return f"http://{_ADDRESS}:{self._server.server_port}/metrics"

    def update(self, now: LiveSnapshot, times: HopTimes | None = None) -> None:
        """Set the state of the run and the times of all its steps; called by the monitor thread."""
        self._now, self._times = now, times

    def close(self) -> None:
        """Stop serving and release the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def collect(self) -> Iterator[Any]:
        """Yield metric families, as prometheus_client requires of a collector."""
        from prometheus_client.core import HistogramMetricFamily

        now, times = self._now, self._times
        if now is not None:
            for metric in METRICS:
                yield _family(metric, now)
        if times is not None:
            counts = times.counts_up_to(STEP_EDGES_MS)
            counts.append(max(times.count, counts[-1]))  # a hop may be counted in between
            edges = [*(str(edge / 1e3) for edge in STEP_EDGES_MS), "+Inf"]
            buckets = list(zip(edges, map(float, counts), strict=True))
            yield HistogramMetricFamily(
                STEP_SECONDS, STEP_HELP, buckets=buckets, sum_value=times.total_ns / 1e9
            )


def _family(metric: LiveMetric, now: LiveSnapshot) -> Any:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in metric.samples(now):
        if value is not None:
            family.add_metric(labels, float(value))
    return family


def _prometheus_app(collector: Any) -> Any:
    try:
        from prometheus_client import CollectorRegistry, make_wsgi_app
    except ImportError as error:
        raise MonitorError(
            "--metrics needs prometheus_client: pip install 'edge-vc-runtime[metrics]'"
        ) from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return make_wsgi_app(registry)


def _only_loopback(application: Any) -> Any:
    """Reject requests for other hosts: a web page could reach this port by its own host name."""

    def checked(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", "")).partition(":")[0]
        if host not in _HOSTS:
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"only as 127.0.0.1 or localhost\n"]
        answer: Iterable[bytes] = application(environ, start)
        return answer

    return checked


class _Server(WSGIServer):
    """One request at a time: a scrape takes milliseconds, and nothing can pile up."""

    def server_bind(self) -> None:
        """Bind without a DNS query for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a client that disconnects is irrelevant to the run."""


class _Handler(WSGIRequestHandler):
    timeout = _CLIENT_TIMEOUT_S  # a client that sends nothing must not keep others waiting

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep requests off the terminal."""
