"""Which letters a locale writes with: its script by Unicode CLDR, and always the Latin one.

Brand names keep their Latin letters in every country, so "Nutella" is a name in ar-EG too. A script
is recognised by the first word of a letter's Unicode name: ARABIC LETTER ALEF, CJK UNIFIED
IDEOGRAPH-4E0D.
"""

import unicodedata
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

LETTERS = {
    "Latn": {"LATIN"},
    "Arab": {"ARABIC"},
    "Armn": {"ARMENIAN"},
    "Beng": {"BENGALI"},
    "Cyrl": {"CYRILLIC"},
    "Deva": {"DEVANAGARI"},
    "Ethi": {"ETHIOPIC"},
    "Geor": {"GEORGIAN"},
    "Grek": {"GREEK"},
    "Hans": {"CJK", "IDEOGRAPHIC"},
    "Hant": {"CJK", "IDEOGRAPHIC", "BOPOMOFO"},
    "Hebr": {"HEBREW"},
    "Jpan": {"HIRAGANA", "KATAKANA", "CJK", "IDEOGRAPHIC"},
    "Khmr": {"KHMER"},
    "Kore": {"HANGUL", "CJK"},
    "Laoo": {"LAO"},
    "Mymr": {"MYANMAR"},
    "Sinh": {"SINHALA"},
    "Taml": {"TAMIL"},
    "Telu": {"TELUGU"},
    "Thai": {"THAI"},
}


@cache
def scripts_of_locale(locale: str) -> frozenset[str]:
    """The first words of the Unicode names of the letters that `locale` (BCP 47) writes with.

    Raises `ValueError` for a tag that is no locale, or a script that `LETTERS` lacks.
    """
    try:
        parsed = Locale.parse(locale, sep="-")
    except UnknownLocaleError as error:
        raise ValueError(f"{locale!r} is not a locale that Unicode CLDR knows") from error
    likely = get_global("likely_subtags")
    tag = likely.get(f"{parsed.language}_{parsed.territory}") or likely[parsed.language]
    script = parsed.script or tag.split("_")[1]
    if script not in LETTERS:
        raise ValueError(
            f"names in {locale} are written in the script {script}, whose letters the gate does not"
            f" know: add {script!r} to LETTERS in {__name__.replace('.', '/')}.py"
        )
    return frozenset(LETTERS[script] | LETTERS["Latn"])


@cache
def script_of_letter(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").split()[0].split("-")[0]


def is_written_for(name: str, locale: str) -> bool:
    """True when at least half of the letters of `name` are ones that `locale` writes with.

    Half, because a name may quote another script ("ソフィーナ α"). A name without letters, such as
    the cologne 4711, is written for every locale.
    """
    letters = [letter for letter in unicodedata.normalize("NFKC", name) if letter.isalpha()]
    own = scripts_of_locale(locale)
    return 2 * sum(script_of_letter(letter) in own for letter in letters) >= len(letters)
