"""kombu's Redis transport, with one client a channel: making one for each command takes longer than sending it."""

from kombu.transport import redis as kombu_redis
from redis import Redis


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """Keeps its client for as long as it keeps the pool of connections behind it."""

    _kept_client: Redis | None = None

    def _create_client(self, asynchronous: bool = False) -> Redis:  # noqa: FBT001, FBT002  kombu's own signature
        kept = None if asynchronous else self._kept_client
        if kept is not None and kept.connection_pool is self.pool:
            return kept
        client: Redis = super()._create_client(asynchronous)
        if not asynchronous:
            self._kept_client = client
        return client


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """The same as kombu's, but for its channels."""

    Channel = Channel
