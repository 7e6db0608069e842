"""What `--dry-run` shows: what would be pushed and what it would cost. Nothing is changed."""

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from annotation.targets import hours
from deployments.orchestration import prefect_server
from tasks.estimate import Push, estimate
from tasks.settings import Settings
from workforce.money import Money

console = Console()


def show_source(settings: Settings, source: str | None, locale: str | None) -> None:
    """Count the pictures that `ingest` would read, and those that it would set aside unread."""
    from tasks.ingest import listed

    found = listed(settings, source, locale)
    console.print(f"{len(found)} pictures are listed in {source or 'the inbox'}", markup=False)
    problems = Counter(each.problem for each in found if each.problem is not None)
    for problem, n in problems.most_common():
        console.print(f"  {n} would be set aside: {problem}", markup=False)


def show_push(settings: Settings) -> None:
    """Show what `annotate` would put on the sites of what is clustered now, and what it costs."""
    from tasks.ask import would_ask
    from tasks.sites import sites_for

    with prefect_server(settings):
        pushes = estimate(settings, would_ask(settings, sites_for(settings)))
    shown = Table("site", "locale", "kind", "questions", "pictures", "work", "cost")
    shown.title = "what would be pushed"
    for each in pushes:
        money = str(each.cost) if each.cost is not None else "no contract says"
        cells = (each.site, each.locale, each.kind, each.n_questions, each.n_pictures)
        shown.add_row(*(escape(str(cell)) for cell in cells), hours(each.seconds), money)
    console.print(shown)
    for line in totals(pushes):
        console.print(line, markup=False)
    console.print("Gold questions come on top. Nothing was changed.")


def totals(pushes: list[Push]) -> list[str]:
    """A line for each site, with the sum of what its contract says."""
    lines = []
    for site in sorted({each.site for each in pushes}):
        of_site = [each for each in pushes if each.site == site]
        costs = [each.cost for each in of_site if each.cost is not None]
        said = _sum(costs) if len(costs) == len(of_site) else "a cost that no contract says"
        n = sum(each.n_questions for each in of_site)
        lines.append(f"{site}: {n} questions, {hours(sum(x.seconds for x in of_site))}, {said}")
    return lines or ["Nothing would be pushed."]


def _sum(costs: list[Money]) -> str:
    first, *others = costs
    return str(sum(others, first))
