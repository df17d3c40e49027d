"""No decision is lost: random sequences of everything that can happen to people, beside a model of what must hold."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from facefleet.errors import InvalidRequest, PeopleConflict, PersonNotFound
from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.ledger.shelf import ModelSwitch
from facefleet.ledger.shelf_schema import model_switch
from facefleet.people_records import Change, ChangeKind
from tests.integration.people.bench import PeopleBench
from tests.integration.people.drawn_model import migrator_of
from tests.integration.people.memory_gallery import MemoryGallery

MODELS = ("aaaa000000000001", "bbbb000000000002", "cccc000000000003")
CAST = ("anna", "ben", "cleo", "dora", "emil")
Place = tuple[str, int]
#: More of them look further: the long run of a change to this code.
EXAMPLES = int(os.environ.get("FACEFLEET_TEST_EXAMPLES", "10"))
#: PostgreSQL gets one of so many: what can happen is the same, and it is the slower one.
POSTGRES_SHARE = 4


class Decisions(RuleBasedStateMachine):
    """Drives an album, and remembers what humans said about it and did not take back."""

    ledger: ClassVar[Ledger]

    def __init__(self) -> None:
        super().__init__()
        album = self.ledger.albums.create("party", f"tenant {uuid4()}")
        self.bench = PeopleBench(self.ledger, MemoryGallery(), album)
        self.book: Any = self.ledger.people_book
        #: Names by person, as they were given last; those of the merged and deleted are kept for when they come back.
        self.names: dict[UUID, str | None] = {}
        #: Whose a human said that a face is, and is not.
        self.is_of: dict[Place, UUID] = {}
        self.is_not: dict[Place, set[UUID]] = {}
        #: Who was merged into whom.
        self.merged: dict[UUID, UUID] = {}
        self.deleted: set[UUID] = set()
        #: How to take each change back in this model.
        self.undoing: dict[UUID, Callable[[], None]] = {}
        #: Whether the gallery has all faces.
        self.is_whole = True
        #: Whether all was grouped anew, and nothing happened since.
        self.is_fresh = False
        self.bench.index({f"p{number}": CAST[:3] for number in range(3)})
        self.bench.group()

    def teardown(self) -> None:
        """Leave an installation without photos that was never migrated: all examples share the ledger."""
        self.ledger.albums.begin_delete(self.bench.album.id, "tester")
        self.ledger.albums.erase(self.bench.album.id)
        with self.ledger.database.writing() as connection:
            connection.execute(model_switch.delete())

    # What happens by itself

    @rule(photo=st.integers(0, 7), people=st.lists(st.sampled_from(CAST), max_size=3, unique=True))
    def index(self, photo: int, people: list[str]) -> None:
        name = f"p{photo}"
        self.bench.index({name: self.bench.shown.get(name, tuple(people))})
        self.is_fresh = False

    @rule()
    def new_photos_join(self) -> None:
        self.bench.group()

    @rule()
    def group_anew(self) -> None:
        self.bench.group_anew()
        self.is_fresh = self.is_whole

    @precondition(lambda self: self.ledger.shelf.current() is None)
    @rule(model=st.sampled_from(MODELS))
    def index_all_with_another_model(self, model: str) -> None:
        self.bench.model_version = model
        self.bench.index(self.bench.shown)
        self.is_whole = True
        self.group_anew()

    @rule(model=st.sampled_from(MODELS))
    def migrate(self, model: str) -> None:
        """Go over to another model, or back to one that was worked with before."""
        before, owners = self.bench.model_version, self.bench.owners()
        if model == before:
            return
        migrator, left = migrator_of(self.bench, model), 1
        while left:
            sum(migrator.work())
            left = migrator.mend()
        switched = self.ledger.model_switches.switch(ModelSwitch(before, "before", model, "after"), "tester")
        assert switched == len(self.bench.shown)
        self.bench.model_version = model
        assert self.bench.owners() == owners, "everybody keeps their faces before anything is grouped"
        self.is_whole = True
        self.is_fresh = False

    @rule()
    def lose_the_gallery(self) -> None:
        self.bench.gallery.delete_album(self.bench.album.id)
        self.is_whole = False

    # What humans do

    @rule(data=st.data(), name=st.one_of(st.none(), st.sampled_from(["Anna", "Ben", "Cleo"])))
    def name(self, data: st.DataObject, name: str | None) -> None:
        person = self.pick_person(data)
        before = self.names.get(person)
        if before == name:
            return
        self.do(person, lambda: self.book.edit(self.bench.tenant, person, name=name))
        self.names[person] = name
        self.on_undo(person, lambda: self.names.update({person: before}))

    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        person, other = self.pick_person(data), self.pick_person(data)
        if person == other:
            return
        before = self.names.get(person)
        self.do(person, lambda: self.book.merge(self.bench.tenant, person, [other]))
        self.merged[other] = person
        self.names[person] = before or self.names.get(other)

        def undo() -> None:
            del self.merged[other]
            self.names[person] = before

        self.on_undo(person, undo)

    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        person = self.pick_person(data)
        faces = data.draw(st.lists(st.sampled_from(sorted(self.bench.members(person))), min_size=1, unique=True))
        try:
            new = self.book.split(self.bench.tenant, person, [self.bench.face(*face) for face in faces], None)
        except InvalidRequest:
            return
        self.names[new] = None
        self.give(person, faces, new, lambda: self.deleted.add(new))

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        person, faces = self.pick_person(data), self.pick_faces(data)
        ids = [self.bench.face(*face) for face in faces]
        self.do(person, lambda: self.book.move(self.bench.tenant, person, ids))
        self.give(person, faces, person, lambda: None)

    @rule(data=st.data())
    def say_not(self, data: st.DataObject) -> None:
        person, faces = self.pick_person(data), self.pick_faces(data)
        before = {face: self.is_of.get(face) for face in faces}
        said = {face: set(self.is_not.get(face, ())) for face in faces}
        self.do(person, lambda: self.book.reject(self.bench.tenant, person, [self.bench.face(*face) for face in faces]))
        for face in faces:
            if before[face] is not None and self.root(before[face]) == person:
                del self.is_of[face]
            self.is_not.setdefault(face, set()).add(person)
        self.on_undo(person, lambda: self.put_back(before, said))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        person = self.pick_person(data)
        before = {face: whose for face, whose in self.is_of.items() if self.root(whose) == person}
        self.do(person, lambda: self.book.delete(self.bench.tenant, person))
        self.is_of = {face: whose for face, whose in self.is_of.items() if face not in before}
        self.deleted.add(person)

        def undo() -> None:
            self.deleted.discard(person)
            self.is_of.update(before)

        self.on_undo(person, undo)

    @precondition(lambda self: self.standing())
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        change = data.draw(st.sampled_from(self.standing()))
        self.is_fresh = False
        with suppress(PeopleConflict):
            self.book.undo(self.bench.tenant, change.person_id, change.id)
            self.undoing.pop(change.id)()

    # What must hold

    @invariant()
    def names_are_there(self) -> None:
        for person, name in self.names.items():
            if name is not None and self.is_there(person):
                assert self.ledger.people.get(self.bench.tenant, person).name == name

    @invariant()
    def faces_are_where_humans_put_them(self) -> None:
        if self.ledger.clusterings.show(self.bench.album.id, 3).new_photos:
            return
        owners = self.bench.owners()
        assert not set(owners.values()) & (self.deleted | set(self.merged)), "the gone have nothing"
        for face, whose in self.is_of.items():
            assert owners.get(face) == self.root(whose)
        for face, people in self.is_not.items():
            if face not in self.is_of:
                assert owners.get(face) not in {self.root(each) for each in people}
        if self.is_fresh and not self.merged:
            of_machine = [(face[0], owner) for face, owner in owners.items() if face not in self.is_of]
            of_human = {(face[0], owner) for face, owner in owners.items() if face in self.is_of}
            assert len(set(of_machine)) == len(of_machine), "nobody has two faces of a photo"
            assert not set(of_machine) & of_human

    # The model

    def do(self, person: UUID, change: Callable[[], object]) -> None:
        """Make a change; a person without name that just lost its last face is nobody to change."""
        try:
            change()
        except PersonNotFound:
            assert self.names.get(person) is None
            raise

    def give(self, person: UUID, faces: list[Place], owner: UUID, also_undo: Callable[[], object]) -> None:
        before = {face: self.is_of.get(face) for face in faces}
        said = {face: set(self.is_not.get(face, ())) for face in faces}
        for face in faces:
            if before[face] is None or self.root(before[face]) != owner:
                self.is_of[face] = owner

        def undo() -> None:
            self.put_back(before, said)
            also_undo()

        self.on_undo(person, undo)

    def put_back(self, before: dict[Place, UUID | None], said: dict[Place, set[UUID]]) -> None:
        for face, whose in before.items():
            self.is_of.pop(face, None)
            if whose is not None:
                self.is_of[face] = whose
        self.is_not.update(said)

    def on_undo(self, person: UUID, undo: Callable[[], None]) -> None:
        """Remember how the newest change is taken back, if there was one: saying the same twice is none."""
        newest = self.ledger.people.history(self.bench.tenant, person, 1, None)
        if newest and newest[0].id not in self.undoing and newest[0].undone_at is None:
            self.undoing[newest[0].id] = undo

    def standing(self) -> list[Change]:
        history = self.ledger.people.history(self.bench.tenant, None, 1000, None)
        assert [each.number for each in history] == list(range(len(history), 0, -1))
        assert {each.id for each in history if each.undone_at is None} == set(self.undoing)
        assert all(each.kind in ChangeKind for each in history)
        return [each for each in history if each.undone_at is None]

    def root(self, person: UUID) -> UUID:
        while person in self.merged:
            person = self.merged[person]
        return person

    def is_there(self, person: UUID) -> bool:
        return person not in self.merged and person not in self.deleted

    def pick_person(self, data: st.DataObject) -> UUID:
        if not self.bench.owners():
            self.bench.group_anew()
        first_face = {owner: face for face, owner in sorted(self.bench.owners().items(), reverse=True)}
        assume(first_face)
        self.is_fresh = False
        return data.draw(st.sampled_from(sorted(first_face, key=lambda owner: first_face[owner])))

    def pick_faces(self, data: st.DataObject) -> list[Place]:
        places = [(name, place) for name, people in self.bench.shown.items() for place in range(len(people))]
        return data.draw(st.lists(st.sampled_from(sorted(places)), min_size=1, max_size=3, unique=True))


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with closing(open_ledger(ledger_url)) as opened:
        yield opened


def test_no_decision_is_lost(ledger: Ledger) -> None:
    Decisions.ledger = ledger
    is_postgres = ledger.database.engine.dialect.name == "postgresql"
    few = settings(
        max_examples=max(EXAMPLES // POSTGRES_SHARE, 1) if is_postgres else EXAMPLES,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        # What fails is told as it was: making it smaller takes minutes.
        phases=(Phase.generate,),
    )
    run_state_machine_as_test(Decisions, settings=few)
