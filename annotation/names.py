"""Product names as people spell them, folded to a key in which spelling habits meet."""

import re
import unicodedata
from difflib import SequenceMatcher

ALIKE = 0.9  # share of letters in common, of both names together

_ARABIC_MARKS = re.compile(r"[\u0640\u064B-\u065F\u0670]")


def tidy_name(name: str) -> str:
    """Strip `name`, compose its letters (NFC) and collapse its white space."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def name_key(name: str) -> str:
    """Fold `name`: names that differ only by a habit of spelling share a key.

    Case, full and half width, Arabic vowel signs and digits, punctuation and spaces do not count,
    except that a mark between digits keeps them apart: ``1,5 L`` and ``1.5l`` meet, ``15 l`` stays
    away. Follows NFKC_Casefold (Unicode Standard, section 3.13).
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    key = ""
    for word in "".join(map(_folded_letter, _ARABIC_MARKS.sub("", folded))).split():
        key += f" {word}" if key[-1:].isdecimal() and word[0].isdecimal() else word
    return unicodedata.normalize("NFC", key)


def alike(first: str, second: str) -> bool:
    """Whether two names may be spellings of one, as far as letters tell."""
    keys = name_key(first), name_key(second)
    return SequenceMatcher(None, *keys, autojunk=False).ratio() >= ALIKE


def _folded_letter(letter: str) -> str:
    match unicodedata.category(letter):
        case "Nd":
            return str(unicodedata.decimal(letter))
        case "Cf":
            return ""
        case category if category[0] in "LMN" or letter == "+":
            return letter
        case _:
            return " "
