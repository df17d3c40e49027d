import pytest

from facefleet.identity.api_key import draw_key, id_of_key, is_key
from facefleet.identity.derivation import derive_aws_secret, derive_signing_key


def test_a_key_has_its_id_in_front_and_256_bits_behind() -> None:
    drawn = draw_key()
    assert id_of_key(drawn.text) == drawn.id
    assert len(drawn.id) == 20
    assert len(bytes.fromhex(drawn.text.partition("_")[2])) == 32
    assert is_key(drawn.text, drawn.secret_hash)
    assert not is_key(draw_key().text, drawn.secret_hash)
    assert drawn.text.partition("_")[2] not in drawn.secret_hash


@pytest.mark.parametrize("change", [str.lower, str.strip, lambda text: text[:-1], lambda text: text + "0"])
def test_what_only_looks_like_a_key_has_no_id(change: object) -> None:
    text = draw_key().text + ("\n" if change is str.strip else "")
    changed = text if change is str.strip else change(text)  # type: ignore[operator]
    assert id_of_key(changed) is None


def test_every_master_key_and_purpose_has_secrets_of_its_own() -> None:
    secrets = {derive_aws_secret(master, key_id) for master in ("m" * 32, "n" * 32) for key_id in ("FFKA", "FFKB")}
    assert len(secrets) == 4
    assert {len(each) for each in secrets} == {40}
    assert derive_signing_key("m" * 32, "session") != derive_signing_key("m" * 32, "link")
