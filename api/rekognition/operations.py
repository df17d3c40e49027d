"""The operations that are served."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.rekognition import collections, faces, indexing, looking, searching
from api.rekognition.call import Call


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is answered."""

    #: Takes a request that fits the service model and answers what fits it.
    run: Callable[[Call, dict[str, Any]], dict[str, Any]]
    #: Whether it looks at images, which few callers at once may have done.
    looks: bool = False


OPERATIONS = {
    "CreateCollection": Operation(collections.create_collection),
    "DescribeCollection": Operation(collections.describe_collection),
    "ListCollections": Operation(collections.list_collections),
    "DeleteCollection": Operation(collections.delete_collection),
    "IndexFaces": Operation(indexing.index_faces, looks=True),
    "SearchFacesByImage": Operation(searching.search_faces_by_image, looks=True),
    "SearchFaces": Operation(searching.search_faces),
    "ListFaces": Operation(faces.list_faces),
    "DeleteFaces": Operation(faces.delete_faces),
    "DetectFaces": Operation(looking.detect_faces, looks=True),
    "CompareFaces": Operation(looking.compare_faces, looks=True),
}
