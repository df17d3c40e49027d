"""What a command needs of a server, should it have to be one itself."""

from enum import Enum, auto


class Needs(Enum):
    """Models and Celery take seconds to load: a server of the command's own has no more than this."""

    #: What is known can be read and changed.
    LEDGER = auto()
    #: Sources are listed too: enough for an album in which nothing is new.
    LISTER = auto()
    #: Faces that are known are grouped into people, too.
    PEOPLE = auto()
    #: Images can be looked at.
    RECOGNIZER = auto()
    #: Albums are indexed.
    FLEET = auto()
