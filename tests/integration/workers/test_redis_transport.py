"""The transport that keeps its client."""

from kombu import Queue

from facefleet.settings import Settings
from workers.celery_app import create_celery_app


def test_a_channel_keeps_its_client_until_its_connections_are_others(redis_url: str) -> None:
    with create_celery_app(Settings(broker_url=redis_url)).connection() as connection:
        channel = connection.default_channel
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
        channel._disconnect_pools()
        with channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()
        assert channel.client is not third
        queue = Queue("facefleet-transport", channel=channel)
        queue.declare()
        connection.Producer(channel).publish({"n": 1}, routing_key=queue.name)
        message = queue.get()
        assert message.payload == {"n": 1}
        message.ack()
