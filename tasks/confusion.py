"""Which products vendors take for one another: counted from the catalogue's rows, with pictures."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice

from catalog import BlobStore, Transaction, confusions
from catalog.confusions import Judged, Shown
from catalog.images import preview_key
from catalog.schema import DecisionKind, Verdict
from tasks.artifacts import contact_sheet, picture, table
from workforce.periods import Period
from workforce.reviews.review import Confused
from workforce.statistics.confusion import Confusion, Pair, confusion
from workforce.statistics.confusion import Verdict as Said

MOST = 5
"""Pairs of a locale that are shown."""
PAGE = 1000
NONE = Confusion((), ())
PAIRS = ("locale", "product", "taken for", "confused", "of verdicts about them", "95 % interval")
RATES = ("vendor", "locale", "confused", "of verdicts", "95 % interval")


def said(transaction: Transaction, period: Period) -> Iterator[Said]:
    """Each word of a vendor in a period about what an image, or a whole product, shows.

    From labels, beside what they say now; from gold, where an intruder that was left in was taken
    for the product of its sheet, and a member that was ticked for that of the intruders; and from
    merges that were decided.
    """
    span = period.begins, period.over
    for label in confusions.relabelled(transaction, span):
        yield Said(label.site, label.locale, label.said, label.now)
    answers = confusions.judged(transaction, span)
    while page := list(islice(answers, PAGE)):
        images = {
            image
            for each in page
            for image in (*each.question.image_ids, *each.question.reference_ids)
        }
        product_of = confusions.products_of(transaction, images)
        for each in page:
            read = _of_merge if each.question.expected is None else _of_gold
            yield from read(each, product_of)


@dataclass(frozen=True)
class Taken:
    """What was taken for what, of all vendors and of each, and what is shown of the products."""

    of_all: Confusion
    of_vendors: Mapping[str, Confusion]
    known: Mapping[str, Shown]


def taken(transaction: Transaction, period: Period) -> Taken:
    """Count the confusions of a period."""
    by_vendor: dict[str, list[Said]] = defaultdict(list)
    for each in said(transaction, period):
        by_vendor[each.vendor].append(each)
    of_all = confusion(chain.from_iterable(by_vendor.values()))
    of_vendors = {vendor: confusion(own) for vendor, own in by_vendor.items()}
    products = {
        product
        for found in (of_all, *of_vendors.values())
        for each in _most(found)
        for product in (each.one, each.other)
    }
    return Taken(of_all, of_vendors, confusions.shown(transaction, sorted(products)))


def confused(found: Taken, vendor: str, blobs: BlobStore) -> tuple[Confused, ...]:
    """The products of each locale that a vendor confused most often, with their previews."""
    known = found.known

    def preview(product: str) -> bytes | None:
        image = known.get(product)
        if image is None:
            return None
        with suppress(FileNotFoundError):
            return blobs.get(preview_key(image.image_id))
        return None

    return tuple(
        Confused(
            *(each.locale, _name(each.one, known), _name(each.other, known), each.n, each.of),
            *(preview(each.one), preview(each.other)),
        )
        for each in _most(found.of_vendors.get(vendor, NONE))
    )


def confusion_sections(taken: Taken, blobs: BlobStore) -> list[str]:
    """The same of all vendors as sections of a page: their rates, the pairs, and a picture each."""
    found, known = taken.of_all, taken.known
    most = _most(found)
    rates = (
        (each.vendor, each.locale, each.n, each.of, f"{each.low:.1%} to {each.high:.1%}")
        for each in found.rates
    )
    pairs = (
        (
            *(each.locale, _name(each.one, known), _name(each.other, known), each.n, each.of),
            f"{each.low:.1%} to {each.high:.1%}",
        )
        for each in most
    )
    sections = [table(RATES, rates), table(PAIRS, pairs)] if found.rates else []
    rows = [
        [known[product].image_id for product in (each.one, each.other)]
        for each in most
        if each.one in known
        and each.other in known
        and all(blobs.exists(preview_key(known[name].image_id)) for name in (each.one, each.other))
    ]
    if rows:
        sheet = contact_sheet(blobs, rows)
        sections.append(picture(sheet, "The products that were confused most often, a pair a row"))
    return sections


def _most(found: Confusion) -> Sequence[Pair]:
    locales = sorted({each.locale for each in found.pairs})
    return [pair for locale in locales for pair in found.most(locale, MOST)]


def _name(product: str, known: Mapping[str, Shown]) -> str:
    return (known[product].name if product in known else None) or product[:8]


def _of_gold(each: Judged, product_of: Mapping[str, str]) -> Iterator[Said]:
    """What an answer to a gold sheet says of each image, where it names the product at all."""
    question, answer = each.question, each.answer
    intruders = set((question.expected or {})["intruder_ids"])
    home = {product_of.get(image) for image in question.image_ids if image not in intruders}
    strangers = {product_of.get(image) for image in intruders}
    if answer.verdict != Verdict.CONFIRM or len(home) != 1 or len(strangers) > 1:
        return
    (inside,), outside = home, next(iter(strangers), None)
    for image in question.image_ids:
        called = outside if image in answer.intruder_ids else inside
        true = outside if image in intruders else inside
        if called is not None and true is not None:
            yield Said(question.site, question.locale, called, true)


def _of_merge(each: Judged, product_of: Mapping[str, str]) -> Iterator[Said]:
    """What an answer to a merge says of its images, whose product is known by the decision."""
    question, answer = each.question, each.answer
    shown, beside = (
        {product_of.get(image) for image in images}
        for images in (question.image_ids, question.reference_ids)
    )
    if len(shown) != 1 or len(beside) != 1 or answer.verdict == Verdict.UNSURE:
        return
    (one,), (other,) = shown, beside
    if one is None or other is None or (one == other) != (each.decided == DecisionKind.SAME):
        return
    if answer.verdict == Verdict.CONFIRM:
        yield Said(question.site, question.locale, other, one)
    elif one != other:
        yield Said(question.site, question.locale, one, one)
