"""What annotators say together is nearer the truth than what the best of them says alone."""

from random import Random

import pytest

from annotation.consensus import AGGREGATORS, opinions
from catalog.schema import Answer, Question, Verdict
from tests.annotation.answers_of import answer, question

IMAGES = "abcdefghij"


def crowd(
    rates: dict[str, float], n_questions: int, seed: int = 0
) -> tuple[list[Question], dict[str, list[Answer]], dict[str, set[str]]]:
    """Sheets with an intruder now and then, and what annotators with these slips say of each."""
    random = Random(seed)
    questions, voices, truth = [], {}, {}
    for number in range(n_questions):
        asked = question(IMAGES, identity=f"q{number}")
        intruders = {image for image in IMAGES if random.random() < 0.1}
        questions.append(asked)
        truth[asked.id] = intruders
        voices[asked.id] = [
            answer(
                name,
                intruders="".join(
                    i for i in IMAGES if (i in intruders) != (random.random() < rate)
                ),
                to=asked.id,
            )
            for name, rate in rates.items()
        ]
    return questions, voices, truth


def n_wrong(said: dict[str, set[str]], truth: dict[str, set[str]]) -> int:
    return sum(len(said[key] ^ truth[key]) for key in truth)


def alone(voices: dict[str, list[Answer]], name: str) -> dict[str, set[str]]:
    """What one annotator ticked."""
    return {
        key: {*answer.intruder_ids}
        for key, given in voices.items()
        for answer in given
        if answer.annotator == name
    }


def together(questions: list[Question], voices: dict[str, list[Answer]], method: str) -> dict:
    found = opinions(questions, voices, method=method)
    return {key: {i for i, p in each.belonging.items() if p < 0.5} for key, each in found.items()}


def test_three_annotators_of_whom_one_is_poor_beat_the_best_of_them() -> None:
    questions, voices, truth = crowd({"ada": 0.03, "bo": 0.04, "mallory": 0.3}, 300)
    best = min(n_wrong(alone(voices, name), truth) for name in ("ada", "bo", "mallory"))
    assert n_wrong(together(questions, voices, "dawid-skene"), truth) < best


def test_dawid_and_skene_trust_the_better_annotator_where_two_disagree() -> None:
    questions, voices, _ = crowd({"ada": 0.02, "bo": 0.02, "mallory": 0.4}, 200)
    disputed = question(IMAGES, identity="disputed")
    voices["disputed"] = [
        answer("ada", intruders="a", to="disputed"),
        answer("mallory", intruders="b", to="disputed"),
    ]
    found = opinions([*questions, disputed], voices)["disputed"].belonging
    assert found["a"] < 0.5 < found["b"]


def test_gold_tells_who_is_to_be_trusted_where_nobody_else_answers() -> None:
    gold = [
        question(
            IMAGES, identity=f"gold{n}", expected={"verdict": "confirm", "intruder_ids": ["a", "b"]}
        )
        for n in range(30)
    ]
    voices = {
        asked.id: [
            answer("ada", intruders="ab", to=asked.id),
            answer("mallory", intruders="cd", to=asked.id),
        ]
        for asked in gold
    }
    asked = [question(IMAGES, identity=name) for name in ("by ada", "by mallory")]
    voices |= {
        "by ada": [answer("ada", intruders="e", to="by ada")],
        "by mallory": [answer("mallory", intruders="e", to="by mallory")],
    }
    found = opinions([*gold, *asked], voices)
    assert found["by ada"].belonging["e"] < 0.5 < found["by mallory"].belonging["e"]


@pytest.mark.parametrize("method", AGGREGATORS)
def test_every_aggregator_gives_probabilities_and_agrees_where_all_agree(method: str) -> None:
    questions, voices, truth = crowd({"ada": 0.0, "bo": 0.0, "chen": 0.0}, 20)
    found = opinions(questions, voices, method=method)
    for asked in questions:
        opinion = found[asked.id]
        assert sum(opinion.verdicts.values()) == pytest.approx(1)
        assert max(opinion.verdicts, key=lambda verdict: opinion.verdicts[verdict]) == "confirm"
        assert {i for i, p in opinion.belonging.items() if p < 0.5} == truth[asked.id]


def test_who_is_not_sure_says_nothing() -> None:
    asked = question(IMAGES)
    found = opinions([asked], {"q": [answer(verdict=Verdict.UNSURE)]})["q"]
    assert (found.verdicts, found.belonging) == ({}, {})
