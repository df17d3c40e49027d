import inspect
from pathlib import Path

import pytest

from cli.search import search
from cli.searching import SearchRequest, parse_search


def test_short_way_knows_every_option_of_the_command() -> None:
    options = inspect.signature(search).parameters
    assert list(SearchRequest._fields) == list(options)
    required = inspect.Parameter.empty
    defaults = {name: option.default for name, option in options.items() if option.default is not required}
    assert SearchRequest._field_defaults == defaults


@pytest.mark.parametrize(
    ("arguments", "request_read"),
    [
        (["p.jpg", "--album", "a"], SearchRequest(Path("p.jpg"), "a")),
        (["-a", "a b", "p.jpg", "--json"], SearchRequest(Path("p.jpg"), "a b", json=True)),
        (["p", "--album=a", "--limit=5"], SearchRequest(Path("p"), "a", limit=5)),
        (["p", "-aa", "--min-similarity", "-0.5"], SearchRequest(Path("p"), "a", min_similarity=-0.5)),
        (["-a", "a", "--", "-p.jpg"], SearchRequest(Path("-p.jpg"), "a")),
    ],
)
def test_plain_search_is_read(arguments: list[str], request_read: SearchRequest) -> None:
    assert parse_search(["search", *arguments]) == request_read


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["albums"],
        ["search"],
        ["search", "--help"],
        ["search", "p", "--album", "a", "--help"],
        ["search", "p", "q", "--album", "a"],
        ["search", "p", "--alb", "a"],
        ["search", "p", "-a", "a", "--limit", "0"],
        ["search", "p", "-a", "a", "--limit", "x"],
        ["search", "p", "-a", "a", "--min-similarity", "1.1"],
        ["search", "p", "-a", "a", "--min-similarity", "nan"],
        ["--version"],
    ],
)
def test_everything_else_is_left_to_the_whole_command(arguments: list[str]) -> None:
    assert parse_search(arguments) is None
