"""`keys`: API keys, made and ended where the ledger is: whoever may write there may do that."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table, say
from facefleet.errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from facefleet.identity.api_key import ApiKey, DrawnKey
    from facefleet.ledger.engine import Ledger
    from facefleet.settings import Settings

app = typer.Typer(help="Make, list, replace and end API keys.", no_args_is_help=True)

_UNITS_S = {"m": 60.0, "h": 3600.0, "d": 86400.0}
KeyId = Annotated[str, typer.Argument(help="The key's id, FFK...", show_default=False)]


class ScopeOption(StrEnum):
    """As `facefleet.identity.caller.Scope`, which takes longer to load than this command's help."""

    READ = "read"
    INDEX = "index"
    ADMIN = "admin"


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What you call it, e.g. who has it.")] = "",
    *,
    scope: Annotated[
        list[ScopeOption] | None, typer.Option(help="read: search and list; index: add photos; admin: everything.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose albums; tenants see nothing of each other.")] = "default",
    album: Annotated[list[str] | None, typer.Option(help="Only this album; may be given several times.")] = None,
    expires: Annotated[str | None, typer.Option(help="After this time: 90d, 12h or 30m. Left out: never.")] = None,
    json: JsonOption = False,
) -> None:
    """Make a key and print it, this once; scopes are read and index unless you say otherwise.

    The same key works for AWS clients, under the access key id and secret that are printed with it.

    Example: [bold]facefleet keys create "the shop" --scope read --album wedding --expires 90d[/bold]
    """
    from facefleet.identity.api_key import draw_key  # noqa: PLC0415  see cli.whereabouts
    from facefleet.identity.caller import Scope  # noqa: PLC0415  the same
    from facefleet.ledger.albums import check_album_name  # noqa: PLC0415  the same
    from facefleet.ledger.keys import KeyGrant, check_tenant  # noqa: PLC0415  the same

    check_tenant(tenant)
    for name in album or ():
        check_album_name(name)
    scopes = [Scope(each.value) for each in scope or (ScopeOption.READ, ScopeOption.INDEX)]
    grant = KeyGrant(tenant, label, scopes, album or None, None if expires is None else read_duration(expires))
    with _open_ledger() as (ledger, settings):
        drawn = draw_key()
        _print_new(ledger.keys.add(drawn, grant), drawn, settings, json=json)


@app.command("list")
def list_keys(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only those of this tenant.")] = None,
    json: JsonOption = False,
) -> None:
    """List the keys, those that ended too; none is shown whole."""
    with _open_ledger() as (ledger, _):
        keys = ledger.keys.list(tenant)
    if json:
        print_json([_describe(each) for each in keys])
        return
    fields = ("id", "label", "tenant", "scopes", "albums", "state", "created_at", "expires_at", "last_used_at")
    rows = [[_show(value) for name, value in _describe(each).items() if name in fields] for each in keys]
    columns = ["Id", "Label", "Tenant", "Scopes", "Albums", "State", "Made", "Expires", "Last used"]
    print_table("API keys", columns, rows)


@app.command()
def revoke(key_id: KeyId, *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """End a key now and for good, with its AWS secret and every session that was begun with it."""
    if not yes and sys.stdin.isatty():
        typer.confirm(f"End the key {key_id}?", abort=True, err=True)
    with _open_ledger() as (ledger, _):
        ledger.keys.revoke(key_id)
    say(f"The key {key_id} has ended.")


@app.command()
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[str, typer.Option(help="How long the old key works yet: 24h, 7d or 0m.")] = "24h",
    json: JsonOption = False,
) -> None:
    """Make a new key for the same as an old one, which ends after a while."""
    from facefleet.identity.api_key import draw_key  # noqa: PLC0415  see cli.whereabouts

    with _open_ledger() as (ledger, settings):
        drawn = draw_key()
        _print_new(ledger.keys.rotate(key_id, drawn, read_duration(overlap)), drawn, settings, json=json)
    say(f"The old key {key_id} works for {overlap} yet.")


def read_duration(text: str) -> float:
    """Read a time like 90d, in seconds.

    Raises:
        InvalidRequest: it is none.
    """
    number, unit_s = text[:-1], _UNITS_S.get(text[-1:])
    if unit_s is None or not number.isdecimal() or len(number) > len("36500"):
        raise InvalidRequest(f"{text!r} is no time: write it like 90d, 12h or 30m")
    return int(number) * unit_s


@contextmanager
def _open_ledger() -> "Iterator[tuple[Ledger, Settings]]":
    from secrets import token_hex  # noqa: PLC0415  see cli.whereabouts

    from cli.composition import load_settings, open_operators_ledger  # noqa: PLC0415  the same

    settings = load_settings()
    if not settings.master_secret.get_secret_value():
        raise ConfigurationError(
            "FACEFLEET_MASTER_SECRET is unset, so servers ask for no keys: set it for every API process and for this "
            f"command, e.g. as a line of .env: FACEFLEET_MASTER_SECRET={token_hex(32)}"
        )
    with closing(open_operators_ledger(settings)) as ledger:
        yield ledger, settings


def _print_new(key: "ApiKey", drawn: "DrawnKey", settings: "Settings", *, json: bool) -> None:
    from facefleet.identity.derivation import derive_aws_secret  # noqa: PLC0415  see cli.whereabouts

    aws_secret = derive_aws_secret(settings.master_secret.get_secret_value(), key.id)
    if json:
        print_json(
            {**_describe(key), "key": drawn.text, "aws_access_key_id": key.id, "aws_secret_access_key": aws_secret}
        )
        return
    sys.stdout.write(
        f"FACEFLEET_API_KEY={drawn.text}\n\nAWS_ACCESS_KEY_ID={key.id}\nAWS_SECRET_ACCESS_KEY={aws_secret}\n"
    )
    say("Keep them now: they are not shown again. The AWS pair is for clients of the Rekognition protocol.")


def _describe(key: "ApiKey") -> dict[str, object]:
    """Say of a key what is no secret, as JSON."""
    has_expired = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
    return {
        "id": key.id,
        "label": key.label,
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "albums": None if key.albums is None else sorted(key.albums),
        "state": "revoked" if key.revoked_at else "expired" if has_expired else "active",
        **{name: _write(getattr(key, name)) for name in ("created_at", "expires_at", "last_used_at")},
    }


def _write(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _show(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
