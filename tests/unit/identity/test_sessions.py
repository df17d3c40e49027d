from facefleet.identity.sessions import read_session, write_session


def test_a_session_is_read_until_it_ends() -> None:
    written = write_session(b"k" * 32, "FFKA", 1000)
    assert read_session(b"k" * 32, written, 999) == "FFKA"
    assert read_session(b"k" * 32, written, 1000) is None
    assert read_session(b"o" * 32, written, 999) is None
