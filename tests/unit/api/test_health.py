from facefleet.errors import GalleryUnavailable, LedgerUnavailable, PhotoStoreUnavailable
from tests.unit.api.conftest import Api


def test_a_living_process_says_so_whatever_is_down(api: Api) -> None:
    api.ledger.down = LedgerUnavailable("gone")
    response = api.ask("GET", "/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


def test_ready_when_everything_answers(api: Api) -> None:
    response = api.ask("GET", "/readyz")
    assert response.status_code == 200
    assert response.json()["ready"] is True


def test_not_ready_says_what_is_missing(api: Api) -> None:
    api.ledger.down = LedgerUnavailable("PostgreSQL does not answer.")
    api.recognizer.healthy = False
    response = api.ask("GET", "/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks["ledger"] == {"ok": False, "detail": "PostgreSQL does not answer."}
    assert (checks["gallery"]["ok"], checks["recognizer"]["ok"]) == (True, False)


def test_not_ready_when_the_gallery_is_down(api: Api) -> None:
    api.gallery.down = GalleryUnavailable("Qdrant does not answer.")
    assert api.ask("GET", "/readyz").json()["checks"]["gallery"]["detail"] == "Qdrant does not answer."


def test_what_searches_do_without_is_named_and_does_not_make_the_server_unready(api: Api) -> None:
    api.stores.down = PhotoStoreUnavailable("S3 does not answer.")
    lonely = api.with_settings(broker_url="redis://127.0.0.1:1/0")
    response = lonely.ask("GET", "/readyz")
    checks = response.json()["checks"]
    assert (response.status_code, checks["upload_store"]["detail"]) == (200, "S3 does not answer.")
    assert (checks["broker"]["ok"], "127.0.0.1:1" in checks["broker"]["detail"]) == (False, True)


def test_a_server_without_recognizer_is_not_ready_and_does_not_search(api: Api) -> None:
    blind = api.with_services(recognizer=None)
    assert blind.ask("GET", "/readyz").status_code == 503
    response = blind.ask("POST", "/v1/albums/people/search", content=b"F", headers={"content-type": "image/jpeg"})
    assert (response.status_code, response.json()["type"]) == (503, "recognizer_unavailable")


def test_requests_are_counted_by_route_not_by_path(api: Api) -> None:
    for path in ("/v1/albums/people", "/v1/albums/nobody", "/robots.txt"):
        api.ask("GET", path)
    text = api.ask("GET", "/metrics").text
    assert 'facefleet_http_requests_total{method="GET",route="/v1/albums/{album}",status="200"} 1.0' in text
    assert 'facefleet_http_requests_total{method="GET",route="/v1/albums/{album}",status="404"} 1.0' in text
    assert 'route="unmatched",status="404"} 1.0' in text
    assert "robots" not in text


def test_methods_that_nobody_knows_are_counted_together(api: Api) -> None:
    api.ask("XYZZY", "/v1/albums")
    text = api.ask("GET", "/metrics").text
    assert "XYZZY" not in text
    assert 'method="other"' in text
