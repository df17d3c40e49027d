"""How often a key may ask: a token bucket for each key, shared by the processes of a fleet where Redis is the broker.

A bucket is one number, the moment at which it would be full again; a request moves it on by the time of one token.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol


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
