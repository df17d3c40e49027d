"""What a client does about people, and about who new faces are likely to be."""

from collections.abc import Iterator, Sequence

from facefleet.client.answers import read_answer
from facefleet.client.people_answers import (
    Change,
    Clustering,
    Companion,
    Person,
    PersonFace,
    PersonPhoto,
    PhotoFace,
    PhotoPredictions,
    PurgedPerson,
    read_person,
    read_predictions,
)
from facefleet.client.resources import Resources


class PeopleResources(Resources):
    """People of albums and of a tenant. Ids of people that are gone raise `PersonNotFound`."""

    def people(self, album: str | None = None, name: str | None = None, *, hidden: bool = False) -> Iterator[Person]:
        """Walk people, those with most faces first.

        Args:
            album: of this album, with their faces in it; None: of the whole tenant.
            name: of the tenant's, only those of exactly this name.
            hidden: whether hidden people come, too.
        """
        if album is not None:
            return (read_person(each) for each in self.walk("albums", album, "people", hidden=hidden))
        return (read_person(each) for each in self.walk("people", name=name, hidden=hidden))

    def person(self, person_id: str) -> Person:
        """Show somebody, with their faces in all albums."""
        return read_person(self.get("people", person_id))

    def create_person(self, album: str, face_ids: Sequence[str], name: str | None = None) -> Person:
        """Make a person of faces of an album, whoever they were."""
        return read_person(self.post_json("albums", album, "people", face_ids=list(face_ids), name=name))

    def name_person(self, person_id: str, name: str | None) -> Person:
        """Give somebody a name, or take it away."""
        return read_person(self.patch_json("people", person_id, name=name))

    def hide_person(self, person_id: str, *, hidden: bool = True) -> Person:
        """Leave somebody out of lists, or show them again."""
        return read_person(self.patch_json("people", person_id, hidden=hidden))

    def set_cover(self, person_id: str, face_id: str | None) -> Person:
        """Choose the face that shows somebody; None: the best one."""
        return read_person(self.patch_json("people", person_id, cover_face_id=face_id))

    def merge_people(self, person_id: str, others: Sequence[str]) -> Person:
        """Say that others are this person."""
        return read_person(self.post_json("people", person_id, "merge", people=list(others)))

    def split_person(self, person_id: str, face_ids: Sequence[str], name: str | None = None) -> Person:
        """Make some of a person's faces a new person, who is returned."""
        return read_person(self.post_json("people", person_id, "split", face_ids=list(face_ids), name=name))

    def move_faces(self, person_id: str, face_ids: Sequence[str]) -> Person:
        """Say that faces are a person's, whoever had them."""
        return read_person(self.post_json("people", person_id, "faces", face_ids=list(face_ids)))

    def reject_faces(self, person_id: str, face_ids: Sequence[str]) -> None:
        """Say that faces are not a person's: no grouping gives them back."""
        self.post_json("people", person_id, "not", face_ids=list(face_ids))

    def delete_person(self, person_id: str) -> None:
        """Let go of a person: the faces stay, as nobody's. Can be undone."""
        self.delete("people", person_id)

    def purge_person(self, person_id: str) -> PurgedPerson:
        """Delete a person for good: faces, templates, name, history. Cannot be undone; their photos stay."""
        return read_answer(PurgedPerson, self.post_json("people", person_id, "purge"))

    def undo_change(self, person_id: str, change_id: str | None = None) -> Change:
        """Undo a change of a person: the named one, or the newest that is not undone.

        Raises:
            PeopleConflict: it makes no sense any more; the sentence says why.
        """
        return read_answer(Change, self.post_json("people", person_id, "undo", change_id=change_id))

    def changes(self, person_id: str | None = None) -> Iterator[Change]:
        """Walk what was changed about a person, or about everybody, newest first."""
        path = ("people", "history") if person_id is None else ("people", person_id, "history")
        return (read_answer(Change, each) for each in self.walk_list("changes", *path))

    def faces_of_person(self, person_id: str, album: str | None = None) -> Iterator[PersonFace]:
        """Walk a person's faces, in one album or in all."""
        return (read_answer(PersonFace, each) for each in self.walk("people", person_id, "faces", album=album))

    def photos_of_person(
        self, person_id: str, album: str | None = None, together_with: Sequence[str] = ()
    ) -> Iterator[PersonPhoto]:
        """Walk the photos of a person, or those on which others are, too."""
        others = {"with": list(together_with) or None}
        return (
            read_answer(PersonPhoto, each) for each in self.walk("people", person_id, "photos", album=album, **others)
        )

    def companions(self, person_id: str, limit: int = 100) -> list[Companion]:
        """List who is on the same photos, most often first."""
        return [
            read_answer(Companion, each) for each in self.get("people", person_id, "companions", limit=limit)["people"]
        ]

    def people_of_photo(self, photo_id: str) -> list[PhotoFace]:
        """List the faces of a photo, and whose they are."""
        return [read_answer(PhotoFace, each) for each in self.get("photos", photo_id, "people")["faces"]]

    def clustering(self, album: str) -> Clustering:
        """Show how far the grouping of an album's faces into people is."""
        return read_answer(Clustering, self.get("albums", album, "people", "cluster"))

    def group_people(self, album: str) -> Clustering:
        """Have all faces of an album grouped anew."""
        return read_answer(Clustering, self.post_json("albums", album, "people", "cluster"))

    def predictions(self, photo_id: str) -> PhotoPredictions:
        """Say who is on a photo, as the classifiers see it."""
        return read_predictions(self.get("photos", photo_id, "predictions"))

    def predict(self, album: str, *, again: bool = False) -> int:
        """Have the photos of an album predicted that have no predictions yet, or all; returns how many."""
        answer = self.post("albums", album, "predictions", body=b"", again=again)
        return int(answer["photos"])
