"""What the packages of the sample say: the words of each locale, in its own script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Language:
    """The vocabulary of one locale.

    ``kinds`` and ``flavours`` are keyed alike in every language; brand names are one start, an
    optional middle and one end of ``syllables``; ``name`` orders the parts of a product's name.
    """

    kinds: Mapping[str, str]
    flavours: Mapping[str, str]
    lines: tuple[str, ...]
    claims: tuple[str, ...]
    syllables: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    name: str
    grams: str
    millilitres: str
    percent: str
    decimal_sign: str
    digits: str = "0123456789"

    def number(self, value: float) -> str:
        """``3.5`` as the locale writes it: ``3,5`` in Swedish, ``٣٫٥`` in Egyptian Arabic."""
        return self._written(f"{value:g}")

    def price(self, value: float) -> str:
        """``1.9`` as a price tag says it: ``1,90``."""
        return self._written(f"{value:.2f}")

    def _written(self, digits: str) -> str:
        return digits.translate(str.maketrans(".0123456789", self.decimal_sign + self.digits))


KINDS = (
    "yogurt", "milk", "juice", "jam", "muesli", "tea", "biscuits", "crisps", "soup", "soda",
    "shampoo",
)  # fmt: skip
FLAVOURS = (
    "strawberry", "blueberry", "lemon", "orange", "apple", "mango", "cherry", "peach", "vanilla",
    "chocolate", "caramel", "hazelnut", "honey", "tomato", "paprika", "mushroom", "onion", "cheese",
    "mint", "camomile",
)  # fmt: skip


def _kinds(words: str) -> Mapping[str, str]:
    return MappingProxyType(dict(zip(KINDS, words.split("/"), strict=True)))


def _flavours(words: str) -> Mapping[str, str]:
    return MappingProxyType(dict(zip(FLAVOURS, words.split("/"), strict=True)))


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split("/"))


LATIN_NAME = "{brand} {line} {kind} {flavour} {strength} {size}"

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "en-US": Language(
            kinds=_kinds("Yogurt/Milk/Juice/Jam/Muesli/Tea/Cookies/Chips/Soup/Soda/Shampoo"),
            flavours=_flavours(
                "Strawberry/Blueberry/Lemon/Orange/Apple/Mango/Cherry/Peach/Vanilla/Chocolate/"
                "Caramel/Hazelnut/Honey/Tomato/Paprika/Mushroom/Onion/Cheese/Mint/Camomile"
            ),
            lines=_list("Crunchy/Natural/Family/Sunrise/Farmhouse/Golden/Morning/Classic/Village"),
            claims=_list("NEW!/No added sugar/Organic/Gluten free/Since 1924/High fiber"),
            syllables=(
                _list("Mor/Bel/Hav/Tan/Quill/Ro/Ash/Dun/Fen/Wil/Cas/Pem"),
                _list("a/e/i/ow/er/en"),
                _list("na/low/ford/by/sey/mont/dale/ley/wick/ton"),
            ),
            name=LATIN_NAME,
            grams="g",
            millilitres="ml",
            percent="%",
            decimal_sign=".",
        ),
        "de-DE": Language(
            kinds=_kinds("Joghurt/Milch/Saft/Konfitüre/Müsli/Tee/Kekse/Chips/Suppe/Limo/Shampoo"),
            flavours=_flavours(
                "Erdbeere/Heidelbeere/Zitrone/Orange/Apfel/Mango/Kirsche/Pfirsich/Vanille/"
                "Schokolade/Karamell/Haselnuss/Honig/Tomate/Paprika/Pilz/Zwiebel/Käse/Minze/Kamille"
            ),
            lines=_list("Knusper/Natur/Familie/Landgut/Frühling/Heimat/Genuss/Klassik/Gärtner"),
            claims=_list("NEU!/Ohne Zuckerzusatz/Aus Bio-Anbau/Glutenfrei/Seit 1924/Für Genießer"),
            syllables=(
                _list("Mor/Bär/Holz/Tann/Wal/Grün/Lin/Ster/Kö/Fal/Brück/Ei"),
                _list("a/e/i/en/er/el"),
                _list("na/bach/hof/tal/mann/feld/berg/stein/mühl/au"),
            ),
            name=LATIN_NAME,
            grams="g",
            millilitres="ml",
            percent="%",
            decimal_sign=",",
        ),
        "sv-SE": Language(
            kinds=_kinds("Yoghurt/Mjölk/Juice/Sylt/Müsli/Te/Kakor/Chips/Soppa/Läsk/Schampo"),
            flavours=_flavours(
                "Jordgubb/Blåbär/Citron/Apelsin/Äpple/Mango/Körsbär/Persika/Vanilj/Choklad/Kola/"
                "Hasselnöt/Honung/Tomat/Paprika/Svamp/Lök/Ost/Mynta/Kamomill"
            ),
            lines=_list("Krispig/Naturell/Familj/Skärgård/Gård/Midsommar/Fjäll/Klassisk/Morgon"),
            claims=_list("NYHET!/Utan tillsatt socker/Ekologisk/Glutenfri/Sedan 1924/Fiberrik"),
            syllables=(
                _list("Mor/Björ/Ljus/Tall/Sjö/Gran/Ås/Ek/Häll/Vik/Norr/Lö"),
                _list("a/e/ke/sta/er/en"),
                _list("na/lund/by/vik/ström/dal/gren/sund/torp/ö"),
            ),
            name=LATIN_NAME,
            grams="g",
            millilitres="ml",
            percent="%",
            decimal_sign=",",
        ),
        "ja-JP": Language(
            kinds=_kinds(
                "ヨーグルト/牛乳/ジュース/ジャム/シリアル/お茶/ビスケット/チップス/スープ/ソーダ/シャンプー"
            ),
            flavours=_flavours(
                "いちご/ブルーベリー/レモン/オレンジ/りんご/マンゴー/さくらんぼ/もも/バニラ/"
                "チョコ/キャラメル/ナッツ/はちみつ/トマト/パプリカ/きのこ/たまねぎ/チーズ/"
                "ミント/カモミール"
            ),
            lines=_list("ざくざく/自然派/家族の/朝の/農園/金の/贅沢/昔ながらの/ふるさと"),
            claims=_list("新発売/砂糖不使用/有機栽培/小麦不使用/創業大正十年/食物繊維"),
            syllables=(
                _list("モル/ハル/ミナ/サク/ユキ/タニ/アサ/フジ/コト/ナギ/ソラ/リン"),
                _list("ノ/ベ/リ/ミ/カ/ト"),
                _list("ナ/ーノ/ハラ/ヤマ/ート/ッコ/ゾラ/ーレ/モト/ワ"),
            ),
            name="{brand} {line} {flavour} {kind} {strength} {size}",
            grams="g",
            millilitres="ml",
            percent="%",
            decimal_sign=".",
        ),
        "ar-EG": Language(
            kinds=_kinds(
                "زبادي/حليب/عصير/مربى/موسلي/شاي/بسكويت/رقائق بطاطس/شوربة/مشروب غازي/شامبو"
            ),
            flavours=_flavours(
                "فراولة/توت أزرق/ليمون/برتقال/تفاح/مانجو/كرز/خوخ/فانيليا/شوكولاتة/كراميل/بندق/"
                "عسل/طماطم/بابريكا/فطر/بصل/جبنة/نعناع/بابونج"
            ),
            lines=_list("مقرمش/طبيعي/العائلة/الصباح/المزرعة/الذهبي/الريف/الأصيل/النيل"),
            claims=_list("جديد/بدون سكر مضاف/عضوي/خال من الجلوتين/منذ ١٩٢٤/غني بالألياف"),
            syllables=(
                _list("مور/نور/بست/سلم/هنا/روض/زهر/كوث/دلت/فير/قمر/شمس"),
                _list("ا/ي/و/ان/ار/ين"),
                _list("نا/ية/ون/كو/دا/يل/سا/لين/تا/را"),
            ),
            name="{kind} {brand} {line} {flavour} {strength} {size}",
            grams="جم",
            millilitres="مل",
            percent="٪",
            decimal_sign="٫",
            digits="٠١٢٣٤٥٦٧٨٩",
        ),
    }
)


def language(locale: str) -> Language:
    """The words of ``locale``; raises ``ValueError`` naming the locales that the sample has."""
    try:
        return LANGUAGES[locale]
    except KeyError:
        raise ValueError(
            f"The sample has no words for the locale {locale!r}; choose from {', '.join(LANGUAGES)}"
            " or add a Language for it to deployments/sample/words.py."
        ) from None
