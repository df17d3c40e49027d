"""`.env.example`, written from the settings class: `python -m cli.env_example > .env.example`."""

import ast
import inspect
import sys
import textwrap
from itertools import pairwise
from typing import cast

from pydantic.fields import FieldInfo

from facefleet.settings import Settings

_HEAD = """\
# Settings of Facefleet. Copy this file to .env and take the # off the lines to change; the environment wins over .env.
# Written from facefleet/settings.py by `python -m cli.env_example`.
"""


def render_env_example() -> str:
    """List every setting with what it does and its default."""
    sentences = read_sentences()
    return _HEAD + "".join(_render(name, sentences[name], field) for name, field in Settings.model_fields.items())


def read_sentences() -> dict[str, str]:
    """Read what stands below each setting in the source of its class."""
    [settings] = ast.parse(inspect.getsource(Settings)).body
    return {
        setting.target.id: inspect.cleandoc(below.value.value)
        for setting, below in pairwise(cast("ast.ClassDef", settings).body)
        if isinstance(setting, ast.AnnAssign) and isinstance(setting.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def _render(name: str, sentence: str, field: FieldInfo) -> str:
    comment = textwrap.fill(sentence, 118, initial_indent="# ", subsequent_indent="# ")
    return f"\n{comment}\n#FACEFLEET_{name.upper()}={_default_of(field)}\n"


def _default_of(field: FieldInfo) -> str:
    """What this machine decides (its folders, its cores) is left open."""
    if field.default_factory is not None or field.default is None:
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return str(getattr(field.default, "get_secret_value", lambda: field.default)())


if __name__ == "__main__":
    sys.stdout.write(render_env_example())
