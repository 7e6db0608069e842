"""Near-duplicates among images of the catalogue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from catalog import Transaction, measures
from clustering.duplicates import near_duplicates
from expectations.pictures import PicturePolicy
from tasks.pool import routed


def near_duplicate_groups(
    transaction: Transaction, image_ids: Sequence[str], within: int
) -> dict[str, str]:
    """The group of each of `image_ids` that has near-duplicates among them.

    A group is named by the first of its images, and each of these differs from one of them in at
    most `within` bits of the perceptual hash. Images without near-duplicates, or that have not been
    measured, are left out.
    """
    hashes = measures.hashes(transaction, image_ids)
    known = sorted(hashes)
    words = np.frombuffer(bytes.fromhex("".join(hashes[key] for key in known)), dtype=">u8")
    members: dict[int, list[str]] = defaultdict(list)
    for image_id, group in zip(known, near_duplicates(words, within), strict=True):
        members[group].append(image_id)
    return {
        image_id: group[0] for group in members.values() if len(group) > 1 for image_id in group
    }


def groups_by_locale(
    transaction: Transaction, locale_of: Mapping[str, str], within: int
) -> dict[str, str]:
    """The group of each image that has near-duplicates in its locale, given that of each."""
    of_locale: dict[str, list[str]] = defaultdict(list)
    for image_id, locale in locale_of.items():
        of_locale[locale].append(image_id)
    return {
        image_id: group
        for image_ids in of_locale.values()
        for image_id, group in near_duplicate_groups(transaction, image_ids, within).items()
    }


def look_alikes(
    transaction: Transaction, locale_of: Mapping[str, str], policy: PicturePolicy
) -> dict[str, str]:
    """The same of images that are not left out: those look like each other, and show nothing."""
    left_out = {
        locale: routed(transaction, locale, policy).left_out for locale in set(locale_of.values())
    }
    shown = {image: locale for image, locale in locale_of.items() if image not in left_out[locale]}
    return groups_by_locale(transaction, shown, policy.near_duplicates_within)
