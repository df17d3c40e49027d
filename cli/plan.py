"""`plan`: how many workers, how long, and for how much; from simulated runs, or on paper for the internet."""

from dataclasses import asdict, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table, say
from facefleet.errors import InvalidRequest

if TYPE_CHECKING:
    from facefleet.capacity.internet import Figure
    from facefleet.capacity.planner import AlbumPlan, PlanRequest
    from facefleet.capacity.prices import Prices

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MEASURED = "measured"
#: The kind of machine that the paper puts Qdrant on.
_NODE = "r6i.4xlarge"
#: As many photos of 12 megapixels a day as one worker of any kind will not do.
_LARGEST_ALBUM = 10_000_000


class Profile(StrEnum):
    """What is planned."""

    ALBUM = "album"
    INTERNET = "internet"


def plan(  # noqa: PLR0913  one option each
    *,
    photos: Annotated[int, typer.Option(min=1, max=_LARGEST_ALBUM, help="Photos of the album.")] = 10_000,
    deadline: Annotated[str, typer.Option(help="From upload to last photo: 90s, 10m or 2h.")] = "10m",
    rate: Annotated[
        str, typer.Option(help="Photos a second of one worker, or 'measured': what the last jobs here did.")
    ] = "",
    instance: Annotated[str, typer.Option(help="Kind of machine of one worker.")] = "c6i.2xlarge",
    boot: Annotated[str, typer.Option(help="From asking for a machine to a running container.")] = "150s",
    base: Annotated[int, typer.Option(min=0, max=1000, help="Workers that are always there.")] = 1,
    albums_per_month: Annotated[int, typer.Option(min=0, max=100_000_000, help="Albums of this size a month.")] = 100,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="Simulated runs.")] = 200,
    profile: Annotated[
        Profile, typer.Option(help="album, or internet: 100 million photos a day, on paper.")
    ] = Profile.ALBUM,
    json: JsonOption = False,
) -> None:
    """Plan a fleet: workers, time and money for an album, from simulated runs of it under the deadline rule.

    Boot times, machines lost, photos worked on twice and a mix of photo sizes are in. Prices are list prices with
    their date: look them up before you decide by them.

    Example: [bold]facefleet plan --photos 10000 --deadline 10m --rate measured[/bold]
    """
    from facefleet.capacity.planner import PlanRequest, plan_album  # noqa: PLC0415  simulation is for this command
    from facefleet.capacity.prices import read_prices  # noqa: PLC0415  the same

    prices = read_prices()
    machine = prices.instance(instance)
    if rate:
        machine = replace(machine, photos_per_s=_read_rate(rate))
    if profile is Profile.INTERNET:
        _plan_internet(machine.name, machine.photos_per_s, prices, json=json)
        return
    request = PlanRequest(
        photos=photos,
        deadline_s=_read_duration("deadline", deadline),
        instance=machine,
        boot_s=_read_duration("boot", boot),
        base_workers=base,
        albums_per_month=albums_per_month,
        seeds=seeds,
    )
    found = plan_album(request, prices)
    if json:
        print_json({**asdict(request), **asdict(found), "prices_checked": prices.checked})
    else:
        _print_album(request, found, prices)


def _read_rate(text: str) -> float:
    if text == _MEASURED:
        return _measure_rate()
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise InvalidRequest(f"--rate {text}: give photos a second, like 12.5, or 'measured'")
    return rate


def _measure_rate() -> float:
    from cli.composition import load_settings  # noqa: PLC0415  only a measured rate needs the ledger
    from facefleet.ledger.rates import measure_recent_rate  # noqa: PLC0415  the same

    settings = load_settings()
    if not settings.ledger_url and not (settings.data_dir / "ledger.sqlite3").exists():
        raise InvalidRequest("nothing was indexed in this data directory yet: give --rate as a number")
    measured = measure_recent_rate(settings.resolved_ledger_url)
    if measured is None:
        raise InvalidRequest("no job here is long enough to be measured: index a larger album, or give a number")
    say(f"Measured: {measured:.2f} photos a second in the last jobs, taken as one worker's.")
    return measured


def _read_duration(name: str, text: str) -> float:
    unit = _UNITS_S.get(text[-1:], 0.0)
    try:
        seconds = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise InvalidRequest(f"--{name} {text}: give a time like 90s, 10m or 2h")
    return seconds


def _print_album(request: "PlanRequest", found: "AlbumPlan", prices: "Prices") -> None:
    usd, machine = found.usd, request.instance
    rows = [
        ["Workers at once", f"{found.workers}", f"{found.workers_most} in the worst of {found.runs} simulated runs"],
        ["Time", _show_time(found.seconds), f"99% of the runs within {_show_time(found.seconds_p99)}"],
        [
            "Deadline missed",
            f"{found.missed_share:.1%}",
            f"of {found.runs} runs; deadline {_show_time(request.deadline_s)}",
        ],
        [
            "Worker-seconds",
            f"{found.elastic_worker_s:,.0f}",
            f"beyond the base, and {found.base_worker_s:,.0f} of the base",
        ],
        ["Cost of the album", f"${usd.album:,.2f}", f"Rekognition ${usd.rekognition_album:,.2f}"],
        [
            "Cost of a month",
            f"${usd.month:,.2f}",
            f"{request.albums_per_month} albums; Rekognition ${usd.rekognition_month:,.2f}",
        ],
    ]
    title = f"{request.photos:,} photos on {machine.name}, {machine.photos_per_s:.3g} photos/s a worker"
    print_table(title, ["", "#Planned", ""], rows)
    say(f"Prices of {prices.checked}. {prices.note}")


def _plan_internet(name: str, photos_per_s: float, prices: "Prices", *, json: bool) -> None:
    from facefleet.capacity.internet import Internet, describe_internet  # noqa: PLC0415  one profile needs it

    worker, paper = replace(prices.instance(name), photos_per_s=photos_per_s), Internet()
    figures = describe_internet(worker, prices.instance(_NODE), prices, paper)
    if json:
        print_json(
            {"assumed": asdict(paper), "figures": [asdict(each) for each in figures], "prices_checked": prices.checked}
        )
        return
    rows = [[each.name, _show_number(each), each.unit, each.how] for each in figures]
    print_table(f"{paper.photos_per_day:,} photos a day, on paper", ["What", "#Figure", "", "From"], rows)
    say(f"Prices of {prices.checked}. {prices.note}")


def _show_number(figure: "Figure") -> str:
    return f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}"  # noqa: PLR2004  three digits


def _show_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
