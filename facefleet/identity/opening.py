"""Chooses where the buckets of keys are kept."""

from facefleet.identity.rate_limits import Allowance, ProcessRateLimits, RateLimits
from facefleet.settings import Settings


def open_rate_limits(settings: Settings) -> RateLimits:
    """Open the buckets: in Redis when it is the broker, else in this process."""
    allowance = Allowance(settings.key_requests_per_s, settings.key_burst_requests)
    if not settings.broker_url.startswith(("redis:", "rediss:")):
        return ProcessRateLimits(allowance)
    # A fifth of a second that a server without Redis does without.
    from facefleet.identity.fleet_rate_limits import FleetRateLimits, connect_redis  # noqa: PLC0415

    return FleetRateLimits(connect_redis(settings.broker_url), f"{settings.queue_prefix}rate:", allowance)
