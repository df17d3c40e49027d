"""How often a key may ask: a token bucket for each key, shared by the processes of a fleet over Redis.

A bucket is one number, the moment at which it would be full again; a request moves it on by the time of one token.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from facefleet.settings import Settings

log = structlog.stdlib.get_logger(__name__)

#: A Redis that is away costs a request in this many seconds so long, and limits are those of one process meanwhile.
_REDIS_TIMEOUT_S = 0.25
_REDIS_ASKED_AGAIN_S = 5.0

_TAKE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local token_s, burst_s = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + token_s
local wait_s = full_at - now - burst_s
if wait_s > 0 then return string.format('%.6f', wait_s) end
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000) + 1)
return '0'
"""


class RateLimits(Protocol):
    """Buckets of keys. Safe in several threads."""

    def take(self, key_id: str) -> float:
        """Take a token of a key's bucket; returns 0, or in how many seconds there will be one."""

    def close(self) -> None:
        """Close connections."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much one key may ask."""

    per_s: float
    #: Requests at once after a pause.
    burst: int

    @property
    def token_s(self) -> float:
        """Seconds in which a token comes."""
        return 1 / self.per_s

    @property
    def burst_s(self) -> float:
        """Seconds in which an empty bucket fills."""
        return self.burst / self.per_s


@dataclass
class ProcessRateLimits:
    """Buckets of one process; there are never more than keys."""

    allowance: Allowance
    #: Seconds that never go back.
    clock: Callable[[], float] = time.monotonic
    _full_at: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, key_id: str) -> float:
        """Take a token of a key's bucket; returns 0, or in how many seconds there will be one."""
        with self._lock:
            now = self.clock()
            full_at = max(self._full_at.get(key_id, now), now) + self.allowance.token_s
            wait_s = full_at - now - self.allowance.burst_s
            # Sums of fractions: what is due now is not refused for the last digit.
            if wait_s > self.allowance.token_s * 1e-6:
                return wait_s
            self._full_at[key_id] = full_at
            return 0.0

    def close(self) -> None:
        """Nothing is open."""


class FleetRateLimits:
    """Buckets in Redis, on its clock; while it is away, each process counts for itself."""

    def __init__(self, redis: Redis, prefix: str, allowance: Allowance) -> None:
        """Take a connection that is then owned.

        Args:
            redis: with short timeouts.
            prefix: begins the name of every bucket.
            allowance: of each key.
        """
        self._redis = redis
        self._prefix = prefix
        self._own = ProcessRateLimits(allowance)
        self._arguments = (f"{allowance.token_s:.9f}", f"{allowance.burst_s:.9f}")
        self._take = redis.register_script(_TAKE)
        self._away_until_s = 0.0

    def take(self, key_id: str) -> float:
        """Take a token of a key's bucket; returns 0, or in how many seconds there will be one."""
        if time.monotonic() < self._away_until_s:
            return self._own.take(key_id)
        try:
            return float(self._take(keys=[self._prefix + key_id], args=self._arguments))
        except RedisError as error:
            # Several threads may find out at once; all of them write nearly the same moment.
            self._away_until_s = time.monotonic() + _REDIS_ASKED_AGAIN_S
            log.warning("rate limits are not shared while Redis is away", error=str(error))
            return self._own.take(key_id)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()


def open_rate_limits(settings: Settings) -> RateLimits:
    """Open the buckets: in Redis when it is the broker, else in this process."""
    allowance = Allowance(settings.key_requests_per_s, settings.key_burst_requests)
    if not settings.broker_url.startswith(("redis:", "rediss:")):
        return ProcessRateLimits(allowance)
    redis = Redis.from_url(
        settings.broker_url,
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )
    return FleetRateLimits(redis, f"{settings.queue_prefix}rate:", allowance)
