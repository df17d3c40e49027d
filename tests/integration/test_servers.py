"""The servers that other tests stand on are the ones they are meant to be."""

import psycopg
import redis


def test_redis_logs_every_write_and_never_evicts(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.set("left", "over")


def test_redis_is_empty_for_every_test(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_a_fresh_postgres_has_an_empty_ledger(fresh_postgres_url: str) -> None:
    with psycopg.connect(fresh_postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM photo").fetchone() == (0,)
        connection.execute("INSERT INTO album VALUES (gen_random_uuid(), 'default', 'left over', now())")


def test_every_test_gets_its_own_postgres_database(fresh_postgres_url: str) -> None:
    with psycopg.connect(fresh_postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM album").fetchone() == (0,)
