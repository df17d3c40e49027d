"""The internet profile: 100 million photos a day, on paper. Arithmetic, not a simulation and not a test."""

from dataclasses import dataclass
from math import ceil

from facefleet.capacity.prices import Instance, Prices

_SECONDS_PER_DAY = 86_400
_DAYS_PER_MONTH = 30
_HOURS_PER_MONTH = 730


@dataclass(frozen=True, slots=True)
class Internet:
    """What is assumed; every figure of the profile follows from these and the prices."""

    photos_per_day: int = 100_000_000
    faces_per_photo: float = 3.0
    photo_bytes: int = 3_500_000
    #: The busiest hour against the mean.
    peak: float = 2.0
    #: Of what workers could do; the rest is for bursts and losses.
    utilisation: float = 0.8
    photos_per_message: int = 8
    dimensions: int = 512
    #: Faces leave the gallery with their photos.
    days_kept: int = 30
    #: Links of Qdrant's HNSW graph (m = 16: 32 links of 4 bytes at the lowest level), ids and payload.
    graph_bytes: int = 128
    payload_bytes: int = 100
    shard_vectors: int = 20_000_000
    replicas: int = 2
    #: Of a node's memory; the rest is for the system and for segments that are being rebuilt.
    memory_share: float = 0.8


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the profile."""

    name: str
    value: float
    unit: str
    how: str


def describe_internet(worker: Instance, node: Instance, prices: Prices, paper: Internet) -> list[Figure]:
    """Work the profile out.

    Args:
        worker: the machine of one worker, with its rate.
        node: the machine of one Qdrant node.
        prices: list prices.
        paper: the assumptions.
    """
    return [
        *_describe_queue(worker, paper),
        *_describe_gallery(node, paper),
        *_describe_money(worker, node, prices, paper),
    ]


def _describe_queue(worker: Instance, paper: Internet) -> list[Figure]:
    photos_per_s = paper.photos_per_day / _SECONDS_PER_DAY
    peak = photos_per_s * paper.peak
    return [
        Figure("photos, mean", photos_per_s, "/s", "photos a day over 86,400 s"),
        Figure("photos, peak", peak, "/s", f"the mean times {paper.peak:g}"),
        Figure("messages, peak", peak / paper.photos_per_message, "/s", f"{paper.photos_per_message} photos in one"),
        Figure(
            "ledger transactions, peak",
            3 * peak / paper.photos_per_message,
            "/s",
            "dispatch, claim, finish of a message",
        ),
        Figure(
            "ledger rows kept", float(paper.photos_per_day * paper.days_kept), "", f"{paper.days_kept} days of photos"
        ),
        Figure("read from the photo store, peak", peak * paper.photo_bytes * 8 / 1e9, "Gbit/s", "photo bytes"),
        Figure(
            "vectors written, peak", peak * paper.faces_per_photo, "/s", f"{paper.faces_per_photo:g} faces in a photo"
        ),
        Figure("workers, peak", float(_count_workers(worker, paper, paper.peak)), "", _explain_workers(worker, paper)),
        Figure("workers, mean", float(_count_workers(worker, paper, 1.0)), "", "the same at the mean rate"),
    ]


def _describe_gallery(node: Instance, paper: Internet) -> list[Figure]:
    vectors = _count_vectors(paper)
    rest_bytes = paper.graph_bytes + paper.payload_bytes
    per_vector = f"{paper.dimensions} numbers, {paper.graph_bytes} B of graph, {paper.payload_bytes} B of payload"
    copies = f"all replicas ({paper.replicas})"
    return [
        Figure("vectors kept", float(vectors), "", f"{paper.days_kept} days"),
        Figure("shards", float(ceil(vectors / paper.shard_vectors)), "", f"{paper.shard_vectors:,} vectors in one"),
        Figure(
            "memory, float32", vectors * (4 * paper.dimensions + rest_bytes) / 1e12, "TB", f"one replica; {per_vector}"
        ),
        Figure("memory, int8", vectors * (paper.dimensions + rest_bytes) / 1e12, "TB", "one replica; float32 on disk"),
        Figure(
            "nodes, float32", float(_count_nodes(node, paper, 4)), "", f"{node.name}, {node.memory_gb:g} GB; {copies}"
        ),
        Figure("nodes, int8", float(_count_nodes(node, paper, 1)), "", f"{node.name}, {node.memory_gb:g} GB; {copies}"),
    ]


def _describe_money(worker: Instance, node: Instance, prices: Prices, paper: Internet) -> list[Figure]:
    photos = paper.photos_per_day * _DAYS_PER_MONTH
    spot = worker.usd_per_hour * prices.spot_share * _HOURS_PER_MONTH
    messages_million = photos / paper.photos_per_message / 1e6
    parts = [
        Figure("workers", _count_workers(worker, paper, 1.0) * spot, "USD/month", f"{worker.name}, spot, mean number"),
        Figure(
            "Qdrant, int8", _count_nodes(node, paper, 1) * node.usd_per_hour * _HOURS_PER_MONTH, "USD/month", node.name
        ),
        Figure("S3 GET", photos / 1e6 * prices.s3_get_usd_per_million, "USD/month", "one read of every photo"),
        Figure(
            "SQS", 3 * messages_million * prices.sqs_usd_per_million, "USD/month", "send, receive, delete of a message"
        ),
    ]
    total = sum(part.value for part in parts)
    rekognition = prices.rekognition_usd(photos) + _count_vectors(paper) * prices.rekognition_usd_per_face_and_month
    return [
        *parts,
        Figure("all of these", total, "USD/month", "without the ledger's database and the photos' own storage"),
        Figure(
            "Rekognition", rekognition, "USD/month", "IndexFaces and stored faces at list price; big users pay less"
        ),
    ]


def _count_workers(worker: Instance, paper: Internet, load: float) -> int:
    return ceil(paper.photos_per_day / _SECONDS_PER_DAY * load / (worker.photos_per_s * paper.utilisation))


def _explain_workers(worker: Instance, paper: Internet) -> str:
    return f"{worker.name}: {worker.photos_per_s:g} photos/s at {paper.utilisation:.0%}"


def _count_vectors(paper: Internet) -> int:
    return round(paper.photos_per_day * paper.days_kept * paper.faces_per_photo)


def _count_nodes(node: Instance, paper: Internet, number_bytes: int) -> int:
    vector_bytes = number_bytes * paper.dimensions + paper.graph_bytes + paper.payload_bytes
    usable_bytes = node.memory_gb * 1e9 * paper.memory_share
    return ceil(_count_vectors(paper) * vector_bytes / usable_bytes) * paper.replicas
