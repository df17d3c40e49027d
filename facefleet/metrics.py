"""Every Prometheus metric of the project, in one place. Built once per process and handed down."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from facefleet.records import Backlog

#: Seconds; a photo takes 20 ms to some seconds, a search 10 ms to one second.
_DURATION_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5, 10, 30)

_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)


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
            "Time of one photo (read, decode, detect, align, embed; recognize is the last four and what they wait for) "
            "or of one message (claim, upsert, finish, predict) in a stage.",
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
        self.batch_size = Histogram(
            "facefleet_batch_size",
            "Images or faces that one run of a model works on.",
            ["stage"],
            buckets=_BATCH_BUCKETS,
            registry=self.registry,
        )
        self.backlog_photos = Gauge(
            "facefleet_backlog_photos", "Photos that are pending or leased.", ["lane"], registry=self.registry
        )
        self.backlog_s = Gauge(
            "facefleet_backlog_seconds",
            "Time until a lane is empty at the rate of the last minute; +Inf while nothing gets finished.",
            ["lane"],
            registry=self.registry,
        )
        self.oldest_waiting_s = Gauge(
            "facefleet_oldest_waiting_photo_seconds",
            "How long the photo that waits longest has been due.",
            registry=self.registry,
        )
        self.model = Info("facefleet_model", "The model pack that photos are recognized with.", registry=self.registry)
        self.workers_wanted = Gauge(
            "facefleet_workers_wanted", "Workers with which every album ends in time.", registry=self.registry
        )
        self.worker_photos_per_s = Gauge(
            "facefleet_worker_photos_per_second", "Measured rate of one worker.", registry=self.registry
        )
        self.breaker_open = Gauge(
            "facefleet_breaker_open",
            "1 while a worker takes a dependency to be down and claims almost nothing.",
            ["dependency"],
            registry=self.registry,
        )
        self.gpu_busy = Gauge(
            "facefleet_gpu_busy_ratio",
            "Share of the time in which something ran on a GPU of a worker's machine, 0-1.",
            ["gpu"],
            registry=self.registry,
        )
        self.gpu_memory_bytes = Gauge(
            "facefleet_gpu_memory_bytes",
            "Memory of a GPU of a worker's machine: used by whoever, and total.",
            ["gpu", "kind"],
            registry=self.registry,
        )
        self.lease_expiries = Counter(
            "facefleet_lease_expiries", "Leases that ended without a word of their worker.", registry=self.registry
        )

    def show_backlog(self, backlog: Backlog) -> None:
        """Set everything that is known of what waits. The interactive lane goes first."""
        interactive, index = backlog.interactive_photos, backlog.index_photos
        photos_per_s = backlog.finished_per_minute / 60
        self.backlog_photos.labels("interactive").set(interactive)
        self.backlog_photos.labels("index").set(index)
        self.backlog_s.labels("interactive").set(_seconds_for(interactive, photos_per_s))
        self.backlog_s.labels("index").set(_seconds_for(interactive + index if index else 0, photos_per_s))
        self.oldest_waiting_s.set(backlog.oldest_s)

    def exposition(self) -> bytes:
        """Render all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


def _seconds_for(photos: int, photos_per_s: float) -> float:
    if photos == 0:
        return 0.0
    return photos / photos_per_s if photos_per_s else float("inf")
