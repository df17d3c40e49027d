import pytest

from cli.output import print_table


def test_a_name_does_not_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Photos", ["Photo"], [["\x1b[2J\n.jpg"], ["[bold]a\u3000b"], [None], [7]])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert r"\x1b[2J\n.jpg" in said
    assert "[bold]a\u3000b" in said
