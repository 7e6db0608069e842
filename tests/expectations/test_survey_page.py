"""The page needs no network, shows every picture, and lets no text become markup."""

import re
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from expectations.pictures import Routed
from expectations.plan import Plan, Wanted
from expectations.survey import spreads, survey
from expectations.survey_page import Board, Shown, plot, render
from tests.expectations.test_survey import images, measured

PLAN = Plan(category="shelf", locales={"de-DE": Wanted(images=500)})


def page(category: str = "milk", caption: str = "0123 sharp") -> str:
    random = np.random.default_rng(0)
    pictures = measured(de_DE=random.random(20).tolist(), sv_SE=random.random(30).tolist())
    found = survey(
        images(de_DE={category: 20}, sv_SE={"milk": 30}), pictures, {}, Routed({}, {}), PLAN
    )
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    return render(found, [Board("Typical", "de-DE", [Shown(buffer.getvalue(), caption)])])


def test_the_page_loads_nothing() -> None:
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page())
    assert addresses
    assert all(address.startswith("data:image/") for address in addresses)
    assert "<script" not in page()


def test_text_from_manifests_is_shown_and_not_obeyed() -> None:
    hostile = '<script>alert("x")</script>'
    found = page(category=hostile, caption=hostile)
    assert hostile not in found
    assert found.count("&lt;script&gt;") >= 2


def test_the_plot_has_a_box_for_every_locale_with_pictures() -> None:
    drawn = plot(spreads(measured(de_DE=[0.1] * 20, sv_SE=[0.4] * 10, ar_EG=[0.3])))
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    assert plot(spreads(measured(de_DE=[0.1] * 20, sv_SE=[0.4] * 10, ar_EG=[0.3]))) == drawn


def test_an_empty_catalogue_makes_a_page() -> None:
    empty = survey(images(), measured(de_DE=[0.1])[:0], {}, Routed({}, {}), Plan())
    assert "Nothing stands out." in render(empty, [])
