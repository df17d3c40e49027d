"""Every setting of every process, in one frozen class. Built only at an entry point (`cli`), then handed down."""

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from facefleet.data_directory import default_data_dir
from facefleet.environment import DOTENV, read_environment

_MASTER_SECRET_CHARS = 32
_LANE = "(index|interactive|people|maintenance)"


class Settings(BaseModel):
    """Read from `FACEFLEET_*` environment variables, then from `.env`.

    The sentence below each becomes its comment in `.env.example`. Pydantic is not asked to keep them: reading its own
    source would cost every process a tenth of a second. Nor is pydantic-settings asked to read them, which would cost
    another one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    # Where things are
    data_dir: Path = Field(default_factory=default_data_dir)
    """Directory of the embedded ledger, gallery and uploads; one running server owns it."""
    server: str = ""
    """URL of a running Facefleet server that the command line uses; empty: the one that holds the data directory."""
    ledger_url: str = ""
    """SQLAlchemy URL of the ledger, e.g. postgresql+psycopg://user@host/db; empty: SQLite in the data directory."""
    broker_url: str = "memory://"
    """Celery broker: memory:// (one process), redis://host:6379/0, or sqs://."""
    queue_prefix: str = Field(default="facefleet-", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    """Begins the name of every queue; the lane follows: facefleet-index, facefleet-interactive, ..."""
    qdrant_url: str = ""
    """URL of a Qdrant server; empty: the engine embedded in the process that owns the data directory."""
    qdrant_api_key: SecretStr = SecretStr("")
    """API key of the Qdrant server."""
    gallery_reserve_bytes: int = Field(default=100_000_000, ge=0)
    """The embedded gallery writes nothing while its disk has fewer bytes free: a full one would kill the process."""
    upload_url: str = ""
    """Where photos sent over HTTP are kept, e.g. s3://bucket/uploads; empty: a folder in the data directory."""
    folder_sources: bool | None = None
    """Whether the API may index folders of its own machine; unset: only when it listens on loopback."""
    trusted_hosts: str = ""
    """Names, separated by commas, by which a reverse proxy or a web page of yours reaches the API, e.g. faces.example.
    On loopback the API answers to localhost, 127.0.0.1, [::1] and these; pages of other servers may not write."""

    # S3
    s3_endpoint_url: str = ""
    """Endpoint of the S3 server; empty: AWS."""
    s3_connect_timeout_s: float = Field(default=5, gt=0)
    """Seconds to wait for a connection to S3."""
    s3_read_timeout_s: float = Field(default=30, gt=0)
    """Seconds to wait for the next bytes from S3."""

    # SQS as the broker (broker_url sqs://); the credentials are AWS's usual ones
    sqs_region: str = ""
    """AWS region of the queues; empty: AWS_REGION or AWS_DEFAULT_REGION."""
    sqs_endpoint_url: str = ""
    """Endpoint of the SQS server, e.g. http://localhost:9324; empty: AWS."""
    sqs_queue_url_base: str = ""
    """What the queues' URLs begin with, e.g. https://sqs.eu-west-1.amazonaws.com/123456789012: then no process needs
    the right to list queues. Empty: queues are looked up by name."""
    sqs_create_queues: bool = False
    """Whether the dispatcher creates the queues, with their visibility timeout and a dead-letter queue."""

    # Uploads that index themselves
    s3_events_queue_url: str = ""
    """URL of the SQS queue to which buckets send their notifications; empty: none is read."""
    s3_events_secret: SecretStr = SecretStr("")
    """Signs or authorizes POST /v1/events/s3, for S3 servers that call back; empty: there is no such route."""
    s3_events_buckets: str = ""
    """Names of the buckets whose events are followed, separated by commas; events of others end in /v1/ingest/dead."""
    s3_events_album_rule: str = Field(default="albums/{album}/...", pattern=r"^[^{}]*\{album\}/\.\.\.$")
    """Which keys are photos, and of which album: {album} is one path segment, ... whatever follows. Other keys are
    ignored: a bucket may hold other things."""
    reconcile_interval_s: float = Field(default=0, ge=0)
    """How often the dispatcher compares buckets with the ledger and the ledger with the gallery; 0: never."""
    reconcile_sources: str = ""
    """Sources that the reconciler lists, s3://bucket/prefix, separated by commas; albums by s3_events_album_rule."""

    # Recognition
    model_pack: str = "buffalo_l"
    """Name (demo, buffalo_l, buffalo_s, buffalo_sc, antelopev2) or path of the model pack."""
    model_dir: Path = Path("~/.insightface")
    """Where named packs are kept and fetched to: InsightFace's own folder."""
    accept_license: bool = False
    """Whether the licence of a pack that is fetched is accepted (InsightFace's: non-commercial research only)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What runs the models; cuda never falls back to the CPU, auto takes a GPU when the installed runtime has one."""
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """Model runtime on the CPU; auto: OpenVINO when installed, else ONNX Runtime."""
    compiled_dir: Path | None = None
    """Where OpenVINO keeps models compiled for this CPU, so that the next start takes a third of the time; unset: in
    the data directory. Some 3 to 20 MB for each shape of a model's input, by the size of the model."""
    cpu_threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    """CPU threads that run models, each with its own single-threaded session."""
    detection_size_px: int = Field(default=640, ge=128, le=2048, multiple_of=32)
    """Longer side of the detector's input."""
    detection_threshold: float | None = Field(default=None, gt=0, lt=1)
    """Smallest detection score that counts as a face; unset: the pack's own (0.5 for InsightFace's)."""
    min_face_px: float = Field(default=0, ge=0)
    """Faces with a shorter side below this many pixels of the upright photo are ignored. From 180 on, JPEGs of 12
    to 48 megapixels are decoded at half their size, from 360 on at a quarter: as many pixels as recognition uses."""
    max_faces_per_photo: int = Field(default=1000, ge=1)
    """At most this many faces of one photo are kept, best detection score first."""
    max_photo_bytes: int = Field(default=50_000_000, ge=1)
    """Photos with more bytes are refused unread."""
    max_photo_pixels: int = Field(default=100_000_000, ge=1)
    """Photos whose header claims more pixels are refused undecoded."""
    decode_timeout_s: float = Field(default=30, gt=0)
    """Seconds of the processor's time after which a photo that is still being decoded is given up, or four times as
    many on the clock; decode_processes=0 knows no such limit."""
    decode_processes: int | None = Field(default=None, ge=0, le=256)
    """Child processes that decode photos, so that what crashes or hangs a decoder costs one photo; one more serves
    searches. Unset: as many as cpu_threads. 0: decode in this process, unprotected; the only way outside Linux."""
    batch_queue_size: int = Field(default=512, ge=1)
    """Faces and images that may wait for a model before callers are told Overloaded."""
    gpu_batch_size: int = Field(default=32, ge=1)
    """Largest batch on a GPU; on a CPU every item runs alone, which is as fast."""
    batch_max_wait_ms: float = Field(default=5, ge=0)
    """How long a GPU batch waits for more items."""

    # People
    min_cluster_size: int = Field(default=3, ge=1)
    """Fewer faces than this that look alike are nobody yet, unless somebody said who they are."""
    min_samples: int = Field(default=2, ge=1)
    """Faces, itself included, that must be near a face for it to hold a group together; other faces only join one."""
    cluster_epsilon: float | None = Field(default=None, gt=0, lt=100)
    """Similarity in percent, 80 being one false match in 1,000, that the faces of two groups have on average when they
    are taken for one person; unset: learnt from each album, as faces in one photo show what strangers look like."""
    min_cluster_quality: float = Field(default=0.05, ge=0, le=1)
    """Faces of a lower quality join a group but hold none together."""

    # Fleet
    worker_threads: int | None = Field(default=None, ge=1, le=1024)
    """Tasks a worker runs at once; unset: two more than cpu_threads, so that reading overlaps with computing."""
    read_ahead_bytes: int = Field(default=64_000_000, ge=0)
    """Photos of S3 that a worker holds or fetches before their turn, while others are recognized; 0: none."""
    photos_per_message: int = Field(default=16, ge=1, le=64)
    """Photo ids in one queue message while more than runway_photos of an album wait; below that 8 at most, so that the
    end of an album spreads over the workers."""
    runway_photos: int = Field(default=512, ge=1)
    """Photos dispatched to the broker and not yet claimed, at most; the rest waits in the ledger."""
    lease_s: float = Field(default=120, gt=0)
    """How long a claimed photo belongs to a worker that shows no sign of life."""
    redispatch_after_s: float = Field(default=60, gt=0)
    """A dispatched photo that nobody claimed for this long is dispatched again."""
    retry_backoff_s: float = Field(default=2, gt=0)
    """Wait before the second attempt; doubled for each further one, up to five minutes."""
    max_attempts: int = Field(default=5, ge=1)
    """Attempts that failed in an unforeseen way before a photo is dead."""
    max_refusals: int = Field(default=3, ge=1)
    """Attempts before a photo is dead that S3 says is gone, or refuses to hand out: rights and objects may be late."""
    max_crashes: int = Field(default=3, ge=1)
    """Worker deaths on one photo before it is dead."""
    relay_interval_s: float = Field(default=0.2, gt=0)
    """How often the dispatcher looks for sources to list, photos to send and callbacks; once a second at most it looks
    for what nobody waits for."""
    sweep_interval_s: float = Field(default=15, gt=0)
    """How often the dispatcher looks for expired leases."""
    album_deadline_s: float = Field(default=600, gt=0)
    """From an album's arrival to its last photo: what the metric facefleet_workers_wanted is worked out for."""
    worker_start_s: float = Field(default=175, ge=0)
    """From asking for a worker to its first photo: polling, boot of the machine, load of the model."""
    worker_photos_per_s: float = Field(default=10, gt=0)
    """Photos a second of one worker, until the dispatcher has measured it."""
    interactive_photos: int = Field(default=20, ge=0)
    """Albums with at most this many waiting photos, and uploads of at most this many, go to the interactive lane."""
    people_longest_wait_s: float = Field(default=900, gt=0)
    """An album's faces are grouped into people once all its photos are indexed; where photos keep coming, when the
    first of them has waited this long."""
    prediction_faces: int = Field(default=10_000, ge=0)
    """Faces of named people of a tenant that predictions of new faces are learnt from, at most: 20 MB of a worker's
    memory at 512 numbers a face, and 5 seconds of it when names change; 0: nobody is predicted."""
    prediction_min_confidence: float = Field(default=0.8, ge=0, le=1)
    """A classifier's confidence from which on it gives a new face a name."""
    worker_lanes: str = Field(default="interactive,index,people", pattern=rf"^{_LANE}(,{_LANE})*$")
    """Lanes that a worker consumes, separated by commas, the first one first where the broker can order queues."""
    longest_photo_s: float = Field(default=600, gt=0)
    """Time in one photo after which it is given up, and its worker with it; the lease is renewed until then."""
    watchdog_s: float = Field(default=60, ge=0)
    """A worker of the lanes interactive and index that claims nothing for this long, although photos are on their way
    and nothing it needs is down, exits with 1 so that its supervisor starts it anew; 0: never."""
    drain_s: float = Field(default=30, gt=0)
    """After SIGTERM a worker finishes the photos it is at for this long; what is left goes back to the ledger."""
    ec2_metadata_url: str = ""
    """Where to ask every 5 seconds whether this spot instance will be taken away, so that the worker drains:
    http://169.254.169.254 on EC2; empty: nowhere."""
    failpoints: str = ""
    """Failures planted for tests: PLACE=ACTION, separated by commas; see facefleet/failpoints.py."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port on which a worker or dispatcher serves /metrics; 0: none. The API serves its own."""
    metrics_host: str = "127.0.0.1"
    """Address on which a worker or dispatcher serves /metrics."""

    # API
    max_upload_bytes: int = Field(default=1_000_000_000, ge=1)
    """Largest request body of an upload of photos."""
    max_upload_photos: int = Field(default=200, ge=1, le=10_000)
    """Most photos in one upload; each may hold an open temporary file while the request lasts."""
    max_probe_bytes: int = Field(default=15_000_000, ge=1)
    """Largest image to search with."""
    search_limit: int = Field(default=100, ge=1, le=4096)
    """Candidates for each face of a probe when the caller names no limit."""
    search_min_similarity: float | None = Field(default=None, ge=-1, le=1)
    """Smallest cosine similarity of a candidate when the caller names none; unset: the pack's own (usually 0.3)."""
    max_search_queue: int = Field(default=64, ge=1)
    """Searches that may be in the API at once, with their images in memory, before it answers 503 with Retry-After."""
    max_search_wait_s: float = Field(default=1.5, gt=0)
    """Longest wait of a search: who would wait longer, as searches take lately, gets the 503 at once."""
    search_threads: int | None = Field(default=None, ge=1, le=1024)
    """Searches that the API works on at once, while others wait; unset: twice cpu_threads."""
    max_uploads: int = Field(default=32, ge=1)
    """Uploads of photos that may be in the API at once before it answers 503 with Retry-After."""
    compat_album: str = Field(default="faces", pattern=r"^[A-Za-z0-9_.-]{1,255}$")
    """Album behind the front doors that know only one: POST /search, POST /upload and GET /status."""
    link_secret: SecretStr = SecretStr("")
    """Signs links to photos; empty: it follows from FACEFLEET_MASTER_SECRET. Without either, no API process knows the
    links of another, or of the one before it."""
    link_expiry_s: float = Field(default=3600, gt=0)
    """How long a link to a photo works."""
    picture_cache_bytes: int = Field(default=100_000_000, ge=0)
    """Memory for small pictures of photos and faces, those that were looked at last; some 5,000."""
    max_pictures: int = Field(default=8, ge=1)
    """Small pictures that are made at once; who asks for more of them waits."""
    max_download_photos: int = Field(default=1000, ge=1, le=1500)
    """Most photos in one zip download."""
    flower_url: str = ""
    """Where the web page's System view leads to for Flower, as browsers reach it; empty: nowhere."""
    grafana_url: str = ""
    """Where the web page's System view leads to for Grafana, as browsers reach it; empty: nowhere."""
    cluster_wait_s: float = Field(default=60, ge=0)
    """How long POST /cluster waits for the end of the grouping that it asks for, before it answers how far it is."""
    media_urls: bool = False
    """Whether POST /process may fetch images from https addresses that its callers name; never from private ones."""
    media_url_timeout_s: float = Field(default=20, gt=0)
    """How long fetching one image may take, redirects included."""
    callback_secret: SecretStr = SecretStr("")
    """Signs callbacks of POST /process (Standard Webhooks: whsec_ and base64); empty: nobody is called back."""
    callback_timeout_s: float = Field(default=15, gt=0)
    """How long a receiver of a callback may take to answer."""
    rekognition_buckets: str = ""
    """Names of the buckets, separated by commas, whose objects a request of the Rekognition protocol may name as its
    image; they are read with the server's own credentials. Empty: images come as bytes only."""

    # Keys
    master_secret: SecretStr = SecretStr("")
    """At least 32 random characters, the same for every API process of a fleet: switches API keys on, and is what AWS
    secrets and sessions are derived from. Empty: keys are off, which only an embedded server on loopback may be."""
    api_key: SecretStr = SecretStr("")
    """API key that the command line shows to servers."""
    audit_secret: SecretStr = SecretStr("")
    """Keys the hashes of the audit log, so that nobody who has the database alone can write it anew: the same for every
    API process, the dispatcher, and the commands keys, audit and purge. Once set it stays. Empty: plain hashes."""
    audit_days: int = Field(default=0, ge=0, le=36_500)
    """Days that rows of the audit log are kept; the log stays verifiable when older ones go. 0: for ever."""
    key_requests_per_s: float = Field(default=200, gt=0)
    """Requests a second that each key may make; counted over all API processes when Redis is the broker."""
    key_burst_requests: int = Field(default=400, ge=1)
    """Requests that a key may make at once after a pause."""
    session_s: float = Field(default=12 * 3600, gt=0)
    """How long a browser that signed in with a key stays signed in."""

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log line that is written to stderr."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """json lines or text for people; auto: text on a terminal, json elsewhere."""

    def __init__(self, _env_file: Path | None = DOTENV, **given: Any) -> None:  # noqa: ANN401  each has a type of its own
        """Take what is given, then what the environment says, then what the file says.

        Raises:
            ValidationError: pydantic's; a value is not acceptable.
        """
        super().__init__(**(read_environment(_env_file) | given))

    @field_validator("master_secret")
    @classmethod
    def _is_long_enough(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < _MASTER_SECRET_CHARS:
            raise ValueError(f"has at least {_MASTER_SECRET_CHARS} random characters (openssl rand -hex 32)")
        return secret

    @property
    def is_embedded(self) -> bool:
        """Whether nothing but one process and its data directory knows of albums and photos."""
        return self.broker_url.startswith("memory:") and self.resolved_ledger_url.startswith("sqlite:")

    @property
    def resolved_ledger_url(self) -> str:
        """The ledger's URL with the embedded default filled in."""
        return self.ledger_url or f"sqlite:///{self.data_dir.absolute() / 'ledger.sqlite3'}"

    @property
    def resolved_upload_url(self) -> str:
        """The upload store's URL with the embedded default filled in."""
        return self.upload_url or (self.data_dir.absolute() / "uploads").as_uri()

    @property
    def resolved_compiled_dir(self) -> Path:
        """The folder of compiled models with its default filled in."""
        return self.compiled_dir or self.data_dir.absolute() / "compiled-models"

    @property
    def resolved_decode_processes(self) -> int:
        """Decoding processes with the default filled in: none where the kernel is not Linux."""
        if sys.platform != "linux":
            return 0
        return self.cpu_threads if self.decode_processes is None else self.decode_processes

    @property
    def resolved_search_threads(self) -> int:
        """Searches at once with the default filled in: some wait for a database while others compute."""
        return self.search_threads or 2 * self.cpu_threads

    @property
    def resolved_worker_threads(self) -> int:
        """Tasks at once with the default filled in."""
        return self.worker_threads or self.cpu_threads + 2
