"""What Rekognition's requests and answers look like: the service model that ships with botocore."""

from functools import cache

from botocore.loaders import create_loader
from botocore.model import ServiceModel

API_VERSION = "2016-06-27"


@cache
def load_service_model() -> ServiceModel:
    """Read the model; a quarter of a second, once in a process."""
    return ServiceModel(create_loader().load_service_model("rekognition", "service-2", API_VERSION), "rekognition")
