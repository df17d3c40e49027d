"""Every Prometheus metric of the project, in one place. Built once per process and handed down."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

#: Seconds; a photo takes 20 ms to some seconds, a search 10 ms to one second.
_DURATION_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5, 10, 30)


class Metrics:
    """The metrics of one process, on a registry of its own so that two can live side by side in tests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.photos = Counter(
            "facefleet_photos", "Photos that reached an outcome.", ["outcome", "reason"], registry=self.registry
        )
        self.faces = Counter("facefleet_faces", "Faces written to the gallery.", registry=self.registry)
        self.stage_duration_s = Histogram(
            "facefleet_stage_duration_seconds",
            "Time of one photo (read, recognize) or one message (claim, upsert, finish) in a stage.",
            ["stage"],
            buckets=_DURATION_BUCKETS_S,
            registry=self.registry,
        )
        self.search_duration_s = Histogram(
            "facefleet_search_duration_seconds",
            "Time from a complete probe to its candidates.",
            buckets=_DURATION_BUCKETS_S,
            registry=self.registry,
        )
        self.requests = Counter(
            "facefleet_http_requests", "HTTP requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.backlog_photos = Gauge(
            "facefleet_backlog_photos", "Photos that are pending or leased.", registry=self.registry
        )
        self.workers_wanted = Gauge(
            "facefleet_workers_wanted", "Workers with which every album ends in time.", registry=self.registry
        )
        self.worker_photos_per_s = Gauge(
            "facefleet_worker_photos_per_second", "Measured rate of one worker.", registry=self.registry
        )
        self.lease_expiries = Counter(
            "facefleet_lease_expiries", "Leases that ended without a word of their worker.", registry=self.registry
        )

    def exposition(self) -> bytes:
        """Render all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
