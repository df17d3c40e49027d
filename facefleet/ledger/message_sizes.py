"""How many photos of one album travel in one message."""

from dataclasses import dataclass

from facefleet.settings import Settings

_FEW = 8


@dataclass(frozen=True, slots=True)
class MessageSizes:
    """A message costs the fleet some ten milliseconds, however many photos it names: large ones are cheaper.

    Small ones spread the end of an album, and small albums, over the workers.
    """

    #: Photos of any message.
    most: int = _FEW
    #: Messages are filled while more photos of their album wait than this.
    plenty: int = 512

    @classmethod
    def of(cls, settings: Settings) -> "MessageSizes":
        """Let the last runway of an album travel in small messages."""
        return cls(settings.photos_per_message, settings.runway_photos)

    @property
    def few(self) -> int:
        """Photos of a message while no plenty of its album waits."""
        return min(_FEW, self.most)

    def for_album(self, waiting_photos: int) -> int:
        """Say how large the messages of an album are of which so many photos wait."""
        return self.most if waiting_photos > self.plenty else self.few


SMALL_MESSAGES = MessageSizes()
