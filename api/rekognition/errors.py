"""Errors as Rekognition says them: one table from error class to AWS's code."""

from http import HTTPStatus

from starlette.exceptions import HTTPException

from facefleet.errors import (
    AccessDenied,
    AlbumExists,
    AlbumNotFound,
    ConfigurationError,
    FacefleetError,
    InvalidRequest,
    NotAuthenticated,
    NotPermitted,
    Overloaded,
    PermanentError,
    PhotoNotFound,
    PhotoTooLarge,
    RequestError,
    TransientError,
)

INVALID_PARAMETER = "InvalidParameterException"
SERIALIZATION = "SerializationException"
_INTERNAL = "InternalServerError"
_IMAGE_TOO_LARGE = "ImageTooLargeException"


class RekognitionError(RequestError):
    """An answer that is an error, with AWS's code for it."""

    reason = "rekognition_error"

    def __init__(self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        """Say what is wrong.

        Args:
            code: the name of one of the service's exceptions, or of those that all AWS services share.
            message: a sentence for a person.
            status: AWS answers 400 to whatever the caller can mend.
        """
        super().__init__(message)
        self.code = code
        self.status = status


class Unserializable(RekognitionError):
    """The body is no JSON, or a value is of another type than the service model says."""

    def __init__(self, message: str) -> None:
        super().__init__(SERIALIZATION, message)


class InvalidParameter(RekognitionError):
    """A value breaks a rule of the service."""

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMETER, message)


class ImageTooLarge(RekognitionError):
    """An image, or a body that can only be one, has more bytes than the service takes."""

    def __init__(self, message: str) -> None:
        super().__init__(_IMAGE_TOO_LARGE, message)


#: The nearest class on an error's way up decides.
_CODE_OF_ERROR: dict[type[FacefleetError], str] = {
    AlbumNotFound: "ResourceNotFoundException",
    AlbumExists: "ResourceAlreadyExistsException",
    InvalidRequest: INVALID_PARAMETER,
    NotAuthenticated: "UnrecognizedClientException",
    NotPermitted: "AccessDeniedException",
    PhotoTooLarge: _IMAGE_TOO_LARGE,
    PhotoNotFound: "InvalidS3ObjectException",
    AccessDenied: "InvalidS3ObjectException",
    PermanentError: "InvalidImageFormatException",
    Overloaded: "ThrottlingException",
    TransientError: _INTERNAL,
    ConfigurationError: _INTERNAL,
    FacefleetError: INVALID_PARAMETER,
}
_CODE_OF_STATUS = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _IMAGE_TOO_LARGE,
    HTTPStatus.REQUEST_TIMEOUT: "RequestTimeoutException",
}


def as_rekognition_error(error: FacefleetError | HTTPException) -> RekognitionError:
    """Say in AWS's words what went wrong; SDKs try again what is `ThrottlingException` or has status 500."""
    if isinstance(error, RekognitionError):
        return error
    if isinstance(error, HTTPException):
        code = _CODE_OF_STATUS.get(HTTPStatus(error.status_code), INVALID_PARAMETER)
        return RekognitionError(code, error.detail)
    code = next(_CODE_OF_ERROR[cls] for cls in type(error).__mro__ if cls in _CODE_OF_ERROR)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if code == _INTERNAL else HTTPStatus.BAD_REQUEST
    return RekognitionError(code, str(error), status)
