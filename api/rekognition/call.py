"""One call: what it works with, on whose behalf, and the album and recognizer that it names."""

from dataclasses import dataclass

from api.dependencies import Services
from api.reach import Reach
from api.rekognition.errors import RekognitionError
from facefleet.errors import AlbumNotFound, RecognizerUnavailable
from facefleet.recognition.recognizer import Recognizer
from facefleet.records import Album

_ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Call:
    """What every operation is handed beside its request."""

    services: Services
    #: The collections that the caller sees.
    reach: Reach
    #: What the caller's SDK is configured for; only repeated in ARNs.
    region: str

    @property
    def recognizer(self) -> Recognizer:
        """The recognizer of the process.

        Raises:
            RecognizerUnavailable: the server runs without one.
        """
        if self.services.recognizer is None:
            raise RecognizerUnavailable("This server was started without a model pack; it cannot look at images.")
        return self.services.recognizer

    @property
    def face_model_version(self) -> str:
        """The model version in decimal digits: AWS's pattern for it has no letters."""
        return str(int(self.services.model_version or "0", 16))

    def find_album(self, collection_id: str) -> Album:
        """Find the album that is this collection.

        Raises:
            RekognitionError: there is none.
        """
        try:
            return self.reach.album(collection_id)
        except AlbumNotFound as error:
            raise RekognitionError(
                "ResourceNotFoundException", f"The collection id: {collection_id} does not exist"
            ) from error

    def arn_of(self, collection_id: str) -> str:
        """Name a collection as AWS does."""
        return f"arn:aws:rekognition:{self.region}:{_ACCOUNT}:collection/{collection_id}"
