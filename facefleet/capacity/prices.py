"""What machines and services cost: `prices.json`, the one place for prices, with their date and sources."""

import json
from dataclasses import dataclass
from importlib.resources import files

from facefleet.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Instance:
    """A kind of machine."""

    name: str
    usd_per_hour: float
    vcpus: int
    memory_gb: float
    #: An estimate; what a worker really does on it is measured by a job.
    photos_per_s: float


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices in US dollars."""

    #: When somebody last looked at them, and what to keep in mind.
    checked: str
    note: str
    instances: tuple[Instance, ...]
    #: Of a spot machine, as a share of the on-demand price.
    spot_share: float
    #: (images a month, price of one of them), one tier after the other; None: all others.
    rekognition_tiers: tuple[tuple[int | None, float], ...]
    rekognition_usd_per_face_and_month: float
    s3_get_usd_per_million: float
    sqs_usd_per_million: float

    def instance(self, name: str) -> Instance:
        """Find a kind of machine.

        Raises:
            InvalidRequest: its price is not known.
        """
        for instance in self.instances:
            if instance.name == name:
                return instance
        known = ", ".join(each.name for each in self.instances)
        raise InvalidRequest(f"the price of {name} is not known; known are {known}")

    def rekognition_usd(self, images: int) -> float:
        """Price the IndexFaces calls of one month."""
        usd = 0.0
        for size, usd_per_image in self.rekognition_tiers:
            priced = images if size is None else min(images, size)
            usd += priced * usd_per_image
            images -= priced
        return usd


def read_prices() -> Prices:
    """Read the prices that the package carries."""
    data = json.loads(files(__package__).joinpath("prices.json").read_text())
    return Prices(
        checked=data["checked"],
        note=data["note"],
        instances=tuple(Instance(name, **facts) for name, facts in data["instances"].items()),
        spot_share=data["spot_share"],
        rekognition_tiers=tuple((size, usd) for size, usd in data["rekognition"]["usd_per_image"]),
        rekognition_usd_per_face_and_month=data["rekognition"]["usd_per_face_and_month"],
        s3_get_usd_per_million=data["requests"]["s3_get_usd_per_million"],
        sqs_usd_per_million=data["requests"]["sqs_usd_per_million"],
    )
