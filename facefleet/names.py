"""What names of albums, photos and people may have in them: the letters and blanks of every script."""

import unicodedata

#: Control characters, halves of surrogate pairs, ends of lines and of paragraphs.
_UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
#: Blanks, and joiners with other marks that have no shape.
_UNSEEN = frozenset({"Zs", "Cf"})
#: What follows them is read from the other end, so that a name looks like another one.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: Of an album and of a person.
NAME_MAX_CHARS = 255


def is_album_name(name: str) -> bool:
    """Tell whether a URL path and a terminal can carry it."""
    return is_name(name) and "/" not in name and name not in {".", ".."}


def is_name(text: str) -> bool:
    """Tell whether somebody reads it as a name: it can be shown, and is more than blanks and joiners."""
    return is_showable(text) and any(unicodedata.category(each) not in _UNSEEN for each in text)


def is_showable(text: str) -> bool:
    """Tell whether a terminal and a page show this as it is, on one line.

    Python calls more unprintable than that: the blanks of Japanese, the joiners of Persian and of emoji, and the narrow
    one that macOS puts into the names of screenshots.
    """
    return text.isprintable() or not any(map(_is_unshown, text))


def show_name(name: str) -> str:
    r"""Spell what cannot be shown as Python does, such as \n or \x1b."""
    if is_showable(name):
        return name
    return "".join(each.encode("unicode_escape").decode() if _is_unshown(each) else each for each in name)


def _is_unshown(character: str) -> bool:
    return unicodedata.category(character) in _UNSHOWN or character in _TURNING
