"""Buckets that the processes of a fleet share over Redis."""

import time

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from facefleet.identity.rate_limits import Allowance, ProcessRateLimits

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


def connect_redis(url: str) -> Redis:
    """Make a client that gives up soon; nothing is connected yet."""
    return Redis.from_url(
        url,
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )


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
