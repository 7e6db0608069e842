"""Who is asked while no contract is recorded: the sites that serve the locale, evenly."""

from collections.abc import Collection, Mapping, Sequence

from workforce.planning.demand import Block
from workforce.planning.outcome import Allocation, Assignment, Choice, Undone


def by_locale(demand: Sequence[Block], sites: Mapping[str, Collection[str]]) -> Allocation:
    """Give each question to a site that serves its locale; nothing is known of cost and time.

    `sites` are the locales that each serves, none meaning all. The shares are what is expected when
    each question's key chooses among the sites.
    """
    assignments: list[Assignment] = []
    choices: list[Choice] = []
    undone: list[Undone] = []
    for block in demand:
        what = f"{block.name} ({block.locale} {block.kind})"
        serving = [
            name for name, locales in sites.items() if block.locale in (locales or [block.locale])
        ]
        if not serving:
            sentence = f"{what}: none of {block.n_questions:,} can be asked: no site serves it."
            undone.append(Undone(block.locale, block.kind, block.n_questions, sentence))
        for place, site in enumerate(serving):
            n = (block.n_questions - place + len(serving) - 1) // len(serving)
            if n:
                assignments.append(Assignment(block.name, site, n, None))
                sentence = (
                    f"{what}: {n:,} of {block.n_questions:,} to {site}, which serves the locale;"
                    " no contract is recorded, so nothing is known of cost and time."
                )
                choices.append(Choice(block.locale, block.kind, site, n, None, None, sentence))
    asked = {each.block for each in assignments}
    value = sum(block.value * block.n_questions for block in demand if block.name in asked)
    return Allocation(tuple(assignments), tuple(choices), tuple(undone), value)
