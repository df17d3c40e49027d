"""The control: plain Celery on Redis, set up as its documentation advises for work that must not be lost.

One task adds its number to a set in Redis. Nothing watches over it: what the broker loses, is lost.
"""

import os
import time

import redis
from celery import Celery

URL = os.environ["CONTROL_REDIS_URL"]
VISIBILITY_TIMEOUT_S = 4

app = Celery("control", broker=URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 2,
    },
)
done = redis.Redis.from_url(os.environ["CONTROL_RESULTS_URL"])


@app.task(name="work")
def work(number: int) -> None:
    """Take 20 ms, then have an effect."""
    time.sleep(0.02)
    done.sadd("done", number)
    done.incr("effects")
