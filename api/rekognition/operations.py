"""The operations that are served."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.rekognition import collections, faces, indexing, looking, searching, searching_users, tags, users
from api.rekognition.call import Call
from facefleet.identity.caller import Scope


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is answered."""

    #: Takes a request that fits the service model and answers what fits it.
    run: Callable[[Call, dict[str, Any]], dict[str, Any]]
    #: What it takes of a key.
    needs: Scope
    #: Whether it looks at images, which few callers at once may have done.
    looks: bool = False


OPERATIONS = {
    "CreateCollection": Operation(collections.create_collection, Scope.INDEX),
    "DescribeCollection": Operation(collections.describe_collection, Scope.READ),
    "ListCollections": Operation(collections.list_collections, Scope.READ),
    "DeleteCollection": Operation(collections.delete_collection, Scope.ADMIN),
    "IndexFaces": Operation(indexing.index_faces, Scope.INDEX, looks=True),
    "SearchFacesByImage": Operation(searching.search_faces_by_image, Scope.READ, looks=True),
    "SearchFaces": Operation(searching.search_faces, Scope.READ),
    "ListFaces": Operation(faces.list_faces, Scope.READ),
    "DeleteFaces": Operation(faces.delete_faces, Scope.ADMIN),
    "CreateUser": Operation(users.create_user, Scope.INDEX),
    "DeleteUser": Operation(users.delete_user, Scope.INDEX),
    "ListUsers": Operation(users.list_users, Scope.READ),
    "AssociateFaces": Operation(users.associate_faces, Scope.INDEX),
    "DisassociateFaces": Operation(users.disassociate_faces, Scope.INDEX),
    "SearchUsers": Operation(searching_users.search_users, Scope.READ),
    "SearchUsersByImage": Operation(searching_users.search_users_by_image, Scope.READ, looks=True),
    "TagResource": Operation(tags.tag_resource, Scope.INDEX),
    "UntagResource": Operation(tags.untag_resource, Scope.INDEX),
    "ListTagsForResource": Operation(tags.list_tags, Scope.READ),
    "DetectFaces": Operation(looking.detect_faces, Scope.READ, looks=True),
    "CompareFaces": Operation(looking.compare_faces, Scope.READ, looks=True),
}
