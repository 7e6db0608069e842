"""Make an earlier champion champion again."""

from prefect import flow, get_run_logger

from catalog.schema import Promotion
from tasks.artifacts import facts, publish
from tasks.card import keep_card
from tasks.events import Happened, pass_on
from tasks.promote import make_champion_again
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(promotion: Promotion) -> Figures:
    return {"champion": promotion.challenger_id}


@summarised(figures)
@flow(name="roll-back", timeout_seconds=HOUR)
def roll_back(by: str, reason: str, model: str | None = None) -> Promotion:
    """Go back to an earlier champion: the next rounds cluster with it.

    Args:
        by: Who goes back.
        reason: Why, for those who read the log later.
        model: The earlier champion's identity, or enough of its beginning. Left empty: the one
            before.
    """
    promotion = make_champion_again(model, by, reason)
    card = keep_card(promotion.challenger_id, promotion.number)
    get_run_logger().info(
        "%s is champion again, by %s; %s was", promotion.challenger_id, by, promotion.champion_id
    )
    publish(
        "model",
        "Gone back to an earlier champion",
        facts(
            {
                "champion": promotion.challenger_id,
                "champion until now": promotion.champion_id,
                "by": by,
                "reason": reason,
                "card": card,
            }
        ),
    )
    pass_on(Happened.PROMOTED, {"model": promotion.challenger_id})
    return promotion
