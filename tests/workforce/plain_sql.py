"""What metrics are, in plain SQL, written apart from the code that computes them.

`sqlite3` runs it on the file itself. Queries give site, locale, kind and moment, then what is
counted of what; `:now` is the moment as of which all is known.
"""

import datetime as dt
import json

from workforce.performance.figures import Metric

STANDING = """
    CREATE TEMP VIEW newest AS SELECT a.* FROM answer a
     WHERE a.answered_at < :now AND a.desk = 'crowd' AND NOT EXISTS (
       SELECT 1 FROM answer b WHERE b.question_id = a.question_id AND b.annotation = a.annotation
        AND b.answered_at < :now AND b.revision > a.revision);
    CREATE TEMP VIEW standing AS SELECT a.*, q.site, q.locale, q.kind, q.expected, q.image_ids
      FROM newest a JOIN question q ON q.id = a.question_id
     WHERE a.state = 'given' AND q.site <> '';
    CREATE TEMP VIEW asked AS SELECT q.*,
       coalesce((SELECT min(t.pushed_at) FROM site_task t WHERE t.question_id = q.id
                  AND t.desk = 'crowd' AND t.pushed_at < :now), q.asked_at) AS released,
       (SELECT min(a.answered_at) FROM answer a WHERE a.question_id = q.id AND a.desk = 'crowd'
         AND a.state = 'given' AND a.answered_at < :now) AS submitted,
       (SELECT d.id FROM decision d WHERE d.question_id = q.id AND d.model_id IS NULL
         AND d.kind <> 'undone' AND d.decided_at < :now ORDER BY d.decided_at LIMIT 1) AS first,
       (SELECT min(d.decided_at) FROM decision d WHERE d.question_id = q.id AND d.model_id IS NULL
         AND d.kind <> 'undone' AND d.decided_at < :now) AS decided
      FROM question q WHERE q.site <> '' AND q.expected IS NULL AND q.asked_at < :now
       AND NOT (EXISTS (SELECT 1 FROM decision d WHERE d.question_id = q.id
                         AND d.model_id IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.question_id = q.id));
    CREATE TEMP VIEW reworked AS SELECT q.id FROM asked q
     WHERE EXISTS (SELECT 1 FROM site_task t WHERE t.question_id = q.id AND t.desk = 'lead'
                    AND t.pushed_at < :now)
        OR EXISTS (SELECT 1 FROM answer a WHERE a.question_id = q.id AND a.desk = 'lead'
                    AND a.state = 'given' AND a.answered_at < :now)
        OR (SELECT count(DISTINCT a.annotator) FROM answer a WHERE a.question_id = q.id
             AND a.state = 'given' AND a.desk = 'crowd' AND a.answered_at < :now) > 1
        OR EXISTS (SELECT 1 FROM decision d WHERE d.question_id = q.id AND d.model_id IS NULL
                    AND d.supersedes_id IS NOT NULL AND d.decided_at < :now)
        OR EXISTS (SELECT 1 FROM decision d JOIN verified_label l ON l.decision_id = d.id
                     JOIN judgement j ON j.label_id = l.id JOIN gate_run g ON g.id = j.gate_run_id
                    WHERE d.question_id = q.id AND NOT j.accepted AND g.judged_at < :now);
    CREATE TEMP VIEW accepted AS SELECT l.id, q.site, q.locale, q.kind, g.judged_at, l.decision_id
      FROM judgement j JOIN gate_run g ON g.id = j.gate_run_id
      JOIN verified_label l ON l.id = j.label_id JOIN decision d ON d.id = l.decision_id
      JOIN question q ON q.id = d.question_id
     WHERE j.accepted AND d.model_id IS NULL AND q.site <> '' AND g.judged_at < :now
       AND NOT EXISTS (SELECT 1 FROM verified_label e JOIN decision f ON f.id = e.decision_id
                         JOIN judgement k ON k.label_id = e.id
                        WHERE e.id = l.supersedes_id AND f.question_id = q.id AND k.accepted);
    CREATE TEMP VIEW escaped AS SELECT e.id, l.labelled_at FROM verified_label l
      JOIN verified_label e ON e.id = l.supersedes_id
     WHERE l.labelled_at < :now AND NOT EXISTS (SELECT 1 FROM removal r
            WHERE r.image_id = l.image_id AND r.requested_at <= l.labelled_at)
       AND (l.withdrawn OR (l.decision_id IS NOT e.decision_id
                            AND l.product_id IS NOT e.product_id));
"""
TICKED = "json_array_length(a.intruder_ids)"
INTRUDERS = "json_array_length(json_extract(a.expected, '$.intruder_ids'))"
FOUND = """(SELECT count(*) FROM json_each(a.intruder_ids) i WHERE i.value IN
            (SELECT value FROM json_each(json_extract(a.expected, '$.intruder_ids'))))"""
GOLD = """SELECT a.site, a.locale, a.kind, a.answered_at, {0}, {1} FROM standing a
            WHERE a.expected IS NOT NULL"""
SHARES = {
    Metric.GOLD_ACCURACY: GOLD.format(
        f"""a.verdict = json_extract(a.expected, '$.verdict') AND {TICKED} = {INTRUDERS}
            AND {FOUND} = {INTRUDERS}""",
        "1",
    ),
    Metric.SENSITIVITY: GOLD.format(FOUND, INTRUDERS) + " AND a.verdict = 'confirm'",
    Metric.SPECIFICITY: GOLD.format(
        f"json_array_length(a.image_ids) - {INTRUDERS} - ({TICKED} - {FOUND})",
        f"json_array_length(a.image_ids) - {INTRUDERS}",
    )
    + " AND a.verdict = 'confirm'",
    Metric.FIRST_PASS_YIELD: """SELECT q.site, q.locale, q.kind, q.submitted, d.kind IS NOT NULL
        AND d.kind <> 'unsure' AND q.id NOT IN (SELECT id FROM reworked), 1
        FROM asked q LEFT JOIN decision d ON d.id = q.first WHERE q.submitted IS NOT NULL""",
    Metric.REWORK_RATE: """SELECT q.site, q.locale, q.kind, q.submitted,
        q.id IN (SELECT id FROM reworked), 1 FROM asked q WHERE q.submitted IS NOT NULL""",
    Metric.ESCAPE_RATE: """SELECT a.site, a.locale, a.kind, a.judged_at,
        a.id IN (SELECT id FROM escaped), 1 FROM accepted a""",
    Metric.COST_PER_LABEL: "SELECT site, locale, kind, judged_at, 1, 1 FROM accepted",
    Metric.COST_PER_CLUSTER: """SELECT q.site, q.locale, q.kind, q.decided, 1, 1 FROM asked q
        JOIN decision d ON d.id = q.first WHERE q.kind = 'verify' AND d.kind = 'same'""",
}
SECONDS = """SELECT q.site, q.locale, q.kind, a.answered_at, a.seconds FROM answer a
    JOIN question q ON q.id = a.question_id WHERE a.revision = 0 AND a.state = 'given'
     AND q.site <> '' AND a.answered_at < :now"""
SAID_AND_DECIDED = """SELECT a.site, a.locale, a.kind, a.answered_at, a.verdict, a.intruder_ids,
        a.groups, d.kind, d.removed_ids, d.groups
      FROM standing a JOIN decision d ON d.question_id = a.question_id
     WHERE a.expected IS NULL AND d.model_id IS NULL AND d.kind <> 'undone'
       AND d.decided_at < :now AND NOT EXISTS (SELECT 1 FROM decision e
            WHERE e.supersedes_id = d.id AND e.decided_at < :now)
       AND ((SELECT count(DISTINCT b.annotator) FROM standing b
              WHERE b.question_id = a.question_id) > 1
         OR EXISTS (SELECT 1 FROM answer b WHERE b.question_id = a.question_id
                     AND b.desk = 'lead' AND b.answered_at < :now))"""
SEVERAL_SAID = """SELECT site, locale, kind, min(answered_at), json_group_array(verdict), 1
    FROM standing WHERE expected IS NULL GROUP BY question_id HAVING count(*) > 1"""


def text(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def is_wrong(
    kind: str, verdict: str, ticked: str, groups: str, decided: str, removed: str, sorted_as: str
) -> bool:
    said = {"confirm": "same"}.get(verdict, verdict)
    if kind == "split" and said == "same":
        mine = {frozenset(each) for each in json.loads(groups) if len(each) > 1}
        return mine != {frozenset(each) for each in json.loads(sorted_as)}
    if said != decided:
        return True
    sheets = kind in ("verify", "attach") and said == "same"
    return sheets and set(json.loads(ticked)) != set(json.loads(removed))


def krippendorff(items: list[list[str]]) -> float:
    """By its definition: observed over expected disagreement of pairs."""
    labels = [label for item in items for label in item]
    observed = sum(
        sum(one != other for one in item for other in item) / (len(item) - 1) for item in items
    )
    expected = sum(one != other for one in labels for other in labels) / (len(labels) - 1)
    return 1 - observed / expected if expected else 1.0
