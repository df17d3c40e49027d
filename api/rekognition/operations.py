"""The operations that are served."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.rekognition import collections, faces, indexing, looking, searching, searching_users, tags, users
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
    "CreateUser": Operation(users.create_user),
    "DeleteUser": Operation(users.delete_user),
    "ListUsers": Operation(users.list_users),
    "AssociateFaces": Operation(users.associate_faces),
    "DisassociateFaces": Operation(users.disassociate_faces),
    "SearchUsers": Operation(searching_users.search_users),
    "SearchUsersByImage": Operation(searching_users.search_users_by_image, looks=True),
    "TagResource": Operation(tags.tag_resource),
    "UntagResource": Operation(tags.untag_resource),
    "ListTagsForResource": Operation(tags.list_tags),
    "DetectFaces": Operation(looking.detect_faces, looks=True),
    "CompareFaces": Operation(looking.compare_faces, looks=True),
}
