"""What a data set says of the portal's rules: which were never needed, contradict one another, or the labels.

There is no model here: conditions on category, report type and agency look at a row's labels.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from router_model.agency_ranking import Ruling
from router_model.place import PlaceFinder
from router_model.portal import Portal
from router_model.rulebook import Answers, Fit, Rulebook
from router_model.rules import NAMED, Rule
from training.charts import number, percent
from training.checked_data import CheckedData, CheckedRow
from training.excerpts import day_words, places, quoted
from training.findings import MOST_LISTED, Finding, finding
from training.rule_precision import contradicted, is_right, records


@dataclass(frozen=True, slots=True)
class Ruled:
    """A row with what the rules that fit it say, the one that counts first."""

    row: CheckedRow
    labels: Mapping[str, str]
    rulings: tuple[Ruling, ...]


def rule_findings(data: CheckedData) -> list[Finding]:
    """None without rules to look at."""
    if data.portal is None or not data.portal.rules:
        return []
    ruled = _ruled(data, data.portal)
    return [
        _applied(data, data.portal, ruled),
        _unused(data, data.portal, ruled),
        _conflicts(data, data.portal, ruled),
        _contradicted(data, data.portal, ruled),
    ]


def _ruled(data: CheckedData, portal: Portal) -> list[Ruled]:
    rulebook, finder = Rulebook(portal), PlaceFinder(portal)
    found = []
    for row in data.rows:
        labels = row.example.labels if row.example else {}
        fits = list(rulebook.fitting(row.complaint, _answers(labels), finder.find(row.complaint)))
        if fits:
            rulings = tuple(_ruling(fit, row, rulebook) for fit in fits)
            found.append(Ruled(row, labels, rulings))
    return found


def _answers(labels: Mapping[str, str]) -> Answers:
    asked = {"category": ("category",), "report_type": ("report_type",), "agency": ("agency", "unit")}
    return {answer: {labels[name]: 1.0 for name in names if name in labels} for answer, names in asked.items()}


def _ruling(fit: Fit, row: CheckedRow, rulebook: Rulebook) -> Ruling:
    never = frozenset(fit.rule.never)
    if NAMED in never:
        never = (never - {NAMED}) | rulebook.named(row.complaint)
    return Ruling(fit, fit.rule.agency, never, agreed=True)


def _named(rule: Rule) -> str:
    return f"{quoted(rule.code)} ({rule.where})" if rule.where else quoted(rule.code)


def _counted(portal: Portal, ruled: Sequence[Ruled]) -> dict[str, tuple[int, int, int]]:
    """By the rule that counted: rows, rows with an agency label, and of these those it was right about. A rule that
    asks for the agency is not judged by the label it asked for."""
    judged = [(item.rulings[0], item.labels) for item in ruled if "agency" in item.labels]
    found = records([pair for pair in judged if not pair[0].fit.rule.agencies], portal)
    rows: dict[str, int] = defaultdict(int)
    for item in ruled:
        rows[item.rulings[0].fit.rule.code] += 1
    return {
        rule.code: (rows[rule.code], found[rule.code].fired, found[rule.code].right)
        if rule.code in found
        else (rows[rule.code], 0, 0)
        for rule in portal.rules
        if rule.code in rows
    }


def _told(rule: Rule, counted: tuple[int, int, int]) -> str:
    rows, judged, right = counted
    said = f"{_named(rule)}: {number(rows)} laporan"
    return said + (
        f", {number(right)} dari {number(judged)} sesuai label ({percent(right / judged)})" if judged else ""
    )


def _applied(data: CheckedData, portal: Portal, ruled: Sequence[Ruled]) -> Finding:
    counted = _counted(portal, ruled)
    return finding(
        "rule_applied",
        "Aturan portal yang berlaku pada laporan",
        "keterangan",
        [_told(rule, counted[rule.code]) for rule in portal.rules if rule.code in counted],
        "",
        rows=len(ruled),
        total=data.total,
        unit="aturan",
        most=MOST_LISTED,
    )


def _unused(data: CheckedData, portal: Portal, ruled: Sequence[Ruled]) -> Finding:
    applied = {item.rulings[0].fit.rule.code for item in ruled}
    days = [row.day for row in data.dated if row.day]
    return finding(
        "rule_unused",
        "Aturan portal yang tidak pernah berlaku pada data ini",
        "perlu dilihat",
        [f"{_named(rule)}: {_why_not(rule, ruled, days)}" for rule in portal.rules if rule.code not in applied],
        "Periksa kata-kata dan syaratnya di rules.csv; hapus aturan yang tidak diperlukan. Aturan yang baru atau "
        "jarang dipakai boleh dibiarkan.",
        rows=0,
        total=data.total,
        unit="aturan",
        most=MOST_LISTED,
    )


def _why_not(rule: Rule, ruled: Sequence[Ruled], days: Sequence[date]) -> str:
    before = [
        item.rulings[0].fit.rule.code
        for item in ruled
        if rule.code in (ruling.fit.rule.code for ruling in item.rulings)
    ]
    if before:
        earlier = ", ".join(quoted(code) for code in dict.fromkeys(before))
        return f"cocok dengan {number(len(before))} laporan, tetapi selalu didahului {earlier}"
    if days and not any(rule.in_force(day) for day in days):
        since = f"dari {day_words(rule.since)} " if rule.since else ""
        until = f"sampai {day_words(rule.until)} " if rule.until else ""
        return f"berlaku {since}{until}saja, di luar masa data ini"
    return "tidak ada laporan yang cocok"


def _conflicts(data: CheckedData, portal: Portal, ruled: Sequence[Ruled]) -> Finding:
    """Rules of the same conditions and days, and rules that fit the same rows, that send to different agencies."""
    same = [
        f"{_named(one)} dan {_named(other)}: syarat dan masanya sama, akibatnya berbeda"
        for one, other in combinations(portal.rules, 2)
        if _conditions(one) == _conditions(other) and _overlap(one, other) and _effect(one) != _effect(other)
    ]
    pairs: dict[tuple[str, str], list[Ruled]] = defaultdict(list)
    for item in ruled:
        first = item.rulings[0].fit.rule
        for ruling in item.rulings[1:]:
            if first.agency and ruling.agency not in ("", first.agency):
                pairs[first.code, ruling.fit.rule.code].append(item)
    told = [_both(codes, items) for codes, items in sorted(pairs.items(), key=lambda pair: (-len(pair[1]), pair[0]))]
    return finding(
        "rule_conflict",
        "Aturan portal yang saling bertentangan",
        "salah" if same else "perlu dilihat",
        [*same, *told],
        "Yang lebih atas di rules.csv yang dipakai. Persempit syaratnya (without, categories, from, to), atau letakkan "
        "aturan yang lebih khusus di atas.",
        rows=len({id(item) for items in pairs.values() for item in items}),
        total=data.total,
        unit="pasang aturan",
        most=MOST_LISTED,
    )


def _conditions(rule: Rule) -> Rule:
    """The rule with nothing but its conditions on the complaint; order does not matter."""
    return Rule(
        code="",
        reason="",
        words=tuple(sorted(rule.words)),
        without=tuple(sorted(rule.without)),
        categories=tuple(sorted(rule.categories)),
        agencies=tuple(sorted(rule.agencies)),
        report_types=tuple(sorted(rule.report_types)),
        places=tuple(sorted(rule.places)),
    )


def _effect(rule: Rule) -> tuple[str, frozenset[str]]:
    return rule.agency, frozenset(rule.never)


def _overlap(one: Rule, other: Rule) -> bool:
    start = max(one.since or date.min, other.since or date.min)
    return start <= min(one.until or date.max, other.until or date.max)


def _both(codes: tuple[str, str], items: Sequence[Ruled]) -> str:
    rights = []
    for code in codes:
        rulings = [(ruling, item) for item in items for ruling in item.rulings if ruling.fit.rule.code == code]
        right = sum(is_right(ruling, item.labels) for ruling, item in rulings if "agency" in item.labels)
        rights.append(f"{quoted(code)} {number(right)}")
    said = f"{quoted(codes[0])} dan {quoted(codes[1])} cocok dengan {number(len(items))} laporan yang sama"
    return f"{said}; sesuai label {', '.join(rights)} ({places([item.row.where for item in items])})"


def _contradicted(data: CheckedData, portal: Portal, ruled: Sequence[Ruled]) -> Finding:
    counted = _counted(portal, ruled)
    against = {rule.code for rule in portal.rules if rule.code in counted and contradicted(*counted[rule.code][1:])}
    wrong = [
        item
        for item in ruled
        if (first := item.rulings[0]).fit.rule.code in against
        and "agency" in item.labels
        and not is_right(first, item.labels)
    ]
    wheres = {code: [item.row.where for item in wrong if item.rulings[0].fit.rule.code == code] for code in against}
    return finding(
        "rule_contradicted",
        "Aturan portal yang lebih sering salah menurut label",
        "salah",
        [
            f"{_told(rule, counted[rule.code])}; berbeda di {places(wheres[rule.code])}"
            for rule in portal.rules
            if rule.code in against
        ],
        "Persempit aturannya di rules.csv, atau betulkan labelnya bila petugas yang keliru; aturan yang sering salah "
        "menurunkan peluang instansinya.",
        rows=len(wrong),
        total=data.total,
        unit="aturan",
    )
