"""What labelled complaints say of the portal's rules, when they are checked and when a model is trained."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from router_model.complaint import Complaint
from router_model.portal import Agency, Category, Place, Portal, UrgencyLevel, load_portal
from router_model.rules import Rule, RuleRecord, Tally
from router_model.suggestion import Router
from training.checking import check_table
from training.dataset import Example
from training.findings import Finding
from training.reading import Row, Table
from training.rule_precision import contradicted, rule_records
from training.trainer import Trained

PORTAL = Portal(
    code="kecil",
    name="Kota Kecil",
    government="Pemerintah Kota Kecil",
    timezone="Asia/Jakarta",
    agencies=(
        Agency("pu", "Dinas Pekerjaan Umum", "dinas"),
        Agency("dishub", "Dinas Perhubungan", "dinas"),
        Agency("balai", "Balai Jalan", "balai", external=True),
        Agency("kel-melati", "Kelurahan Melati", "kelurahan", territory=("1",), territorial=True),
    ),
    categories=(Category("lubang", "Jalan berlubang"), Category("lampu", "Lampu jalan")),
    urgency=tuple(UrgencyLevel(code, code) for code in ("darurat", "tinggi", "sedang", "rendah")),
    places=(Place("9", "Taman Bunga", "kecamatan"), Place("1", "Melati", "kelurahan", "9")),
)
BY_WORD = Rule("cempaka", "Ruas ini milik balai.", words=("cempaka",), agency="balai", where="rules.csv baris 2")
BY_LABEL = Rule("lampu", "Lampu diurus Dishub.", categories=("lampu",), agency="dishub", where="rules.csv baris 3")


def findings(rules: tuple[Rule, ...], *rows: Mapping[str, str]) -> dict[str, Finding]:
    """By their codes the findings about rules in a file whose first row is on line 2."""
    table = [
        Row(f"data.csv baris {number}", {"text": f"lubang nomor {'i' * number}", "agency": "pu", **row})
        for number, row in enumerate(rows, 2)
    ]
    checkup = check_table(Table(table, []), "data.csv", replace(PORTAL, rules=rules), date(2026, 1, 1))
    return {item.code: item for item in checkup.findings if item.code.startswith("rule_")}


def at(street: str, agency: str = "pu", **values: str) -> dict[str, str]:
    return {"text": f"lubang di jalan {street}", "agency": agency, **values}


def test_a_portal_without_rules_has_nothing_to_say_of_them() -> None:
    assert findings((), {}) == {}


def test_each_rule_is_counted_with_how_often_the_label_says_the_same() -> None:
    rows = [at("cempaka", "balai"), at("cempaka"), at("cempaka", ""), at("dahlia"), {"category": "lampu"}]
    found = findings((BY_WORD, BY_LABEL), *rows)["rule_applied"]
    assert found.examples == (
        "‘cempaka’ (rules.csv baris 2): 3 laporan, 1 dari 2 sesuai label (50 %)".replace(" %", "\u00a0%"),
        "‘lampu’ (rules.csv baris 3): 1 laporan, 0 dari 1 sesuai label (0 %)".replace(" %", "\u00a0%"),
    )
    assert (found.severity, found.count, found.share) == ("keterangan", 2, 0.8)


def test_rules_that_never_apply_are_named_with_the_reason() -> None:
    over = replace(BY_WORD, code="dahulu", until=date(2020, 12, 31), where="rules.csv baris 4")
    later = replace(BY_WORD, code="sesudah", agency="balai", where="rules.csv baris 5")
    rows = [at("cempaka", received_at="2025-03-01"), {"received_at": "2025-03-02"}]
    assert findings((BY_WORD, BY_LABEL, over, later), *rows)["rule_unused"].examples == (
        "‘lampu’ (rules.csv baris 3): tidak ada laporan yang cocok",
        "‘dahulu’ (rules.csv baris 4): berlaku sampai 31 Desember 2020 saja, di luar masa data ini",
        "‘sesudah’ (rules.csv baris 5): cocok dengan 1 laporan, tetapi selalu didahului ‘cempaka’",
    )
    assert findings((BY_WORD,), *rows)["rule_unused"].count == 0


def test_a_rule_counts_only_within_its_dates() -> None:
    dated = replace(BY_WORD, since=date(2025, 1, 1), until=date(2025, 12, 31))
    days = ("2024-12-31", "2025-01-01", "2025-12-31", "")
    found = findings((dated,), *[at("cempaka", "balai", received_at=day) for day in days])
    assert found["rule_applied"].examples[0].startswith("‘cempaka’ (rules.csv baris 2): 2 laporan, 2 dari 2")


def test_rules_that_send_the_same_complaint_to_different_bodies_are_shown_with_who_was_right() -> None:
    rows = [at("cempaka", "balai", category="lampu"), at("cempaka", category="lampu"), at("cempaka", "balai")]
    found = findings((BY_WORD, BY_LABEL), *rows)["rule_conflict"]
    assert found.examples == (
        "‘cempaka’ dan ‘lampu’ cocok dengan 2 laporan yang sama; sesuai label ‘cempaka’ 1, ‘lampu’ 0 (baris 2, 3)",
    )
    assert (found.severity, found.share) == ("perlu dilihat", pytest.approx(2 / 3))
    assert findings((BY_WORD, replace(BY_LABEL, agency="balai")), *rows)["rule_conflict"].count == 0


def test_two_rules_of_the_same_conditions_and_days_are_wrong_whatever_the_data_say() -> None:
    other = replace(BY_WORD, code="lain", agency="pu", where="rules.csv baris 3")
    found = findings((BY_WORD, other), {})["rule_conflict"]
    assert (found.severity, found.count) == ("salah", 1)
    assert found.examples[0].startswith("‘cempaka’ (rules.csv baris 2) dan ‘lain’ (rules.csv baris 3): syarat dan masa")
    before = replace(other, until=date(2024, 12, 31))
    since = replace(BY_WORD, since=date(2025, 1, 1))
    assert findings((before, since), {})["rule_conflict"].count == 0
    assert findings((before, replace(since, since=date(2024, 12, 31))), {})["rule_conflict"].count == 1


def test_a_rule_that_labels_contradict_is_wrong_with_the_rows() -> None:
    rows = [at(f"cempaka {'i' * number}", "balai" if number < 4 else "pu") for number in range(10)]
    found = findings((BY_WORD,), *rows)["rule_contradicted"]
    assert (found.severity, found.count, found.share) == ("salah", 1, 0.6)
    assert "4 dari 10 sesuai label" in found.examples[0]
    assert found.examples[0].endswith("berbeda di baris 6, 7, 8, 9, 10, 11")
    assert findings((BY_WORD,), *rows[:9])["rule_contradicted"].count == 0
    half = [*rows[:9], at("cempaka akhir", "balai")]
    assert findings((BY_WORD,), *half)["rule_contradicted"].count == 0


def test_a_rule_that_asks_for_the_agency_is_not_judged_by_the_label_it_asked_for() -> None:
    asks = replace(BY_WORD, agencies=("pu",))
    found = findings((asks,), *[at(f"cempaka {'i' * number}") for number in range(12)])
    assert found["rule_applied"].examples == ("‘cempaka’ (rules.csv baris 2): 12 laporan",)
    assert found["rule_contradicted"].count == 0


def test_a_rule_that_only_forbids_is_right_where_the_forbidden_did_not_have_it() -> None:
    forbids = replace(BY_WORD, agency="", never=("pu", "@kelurahan"))
    rows = [at("cempaka", "balai"), at("cempaka"), at("cempaka", "Kelurahan Melati")]
    assert "1 dari 3 sesuai label" in findings((forbids,), *rows)["rule_applied"].examples[0]


def test_a_rule_is_contradicted_where_it_is_wrong_more_often_than_not_in_ten_or_more() -> None:
    assert [contradicted(*counted) for counted in ((9, 0), (10, 4), (10, 5), (0, 0))] == [False, True, False, False]


def asked(trained: Trained, rules: tuple[Rule, ...], rows: list[Example]) -> dict[str, RuleRecord]:
    portal = replace(trained.router.portal, rules=rules)
    router = Router(trained.router.scorer, portal, trained.router.policy, trained.router.places)
    return rule_records(router, rows, list(router.scorer.predict_many([row.complaint for row in rows])))


def test_the_record_of_a_rule_keeps_apart_where_the_model_said_the_same(trained: Trained) -> None:
    rule = Rule("lampu", "Lampu diurus Dishub.", words=("lampu jalan",), agency="dishub")
    rows = [
        Example(str(number), "", None, "web", Complaint(text), {"agency": label, "unit": label})
        for number, (text, label) in enumerate(
            [
                ("lampu jalan mati sudah dua minggu, gelap sekali", "dishub"),
                ("sampah menumpuk di bawah lampu jalan, truk sampah tidak datang", "dlhk"),
                ("sampah plastik menumpuk di TPS dekat lampu jalan, belum diangkut", "dishub"),
                ("sampah menumpuk", "dlhk"),
            ]
        )
    ]
    assert asked(trained, (rule,), rows) == {"lampu": RuleRecord(Tally(1, 1, 1.0), Tally(2, 1, 2.0))}
    assert asked(trained, (), rows) == {}
    unlabelled = [replace(row, labels={}) for row in rows]
    assert asked(trained, (rule,), unlabelled) == {}


def test_training_gives_every_rule_that_applied_its_record(trained: Trained, denpasar: Path) -> None:
    rules, records = load_portal(denpasar).rules, trained.router.policy.rules
    assert rules
    assert 0 < len(records) <= len(rules)
    assert records.keys() <= {rule.code for rule in rules}
    for record in records.values():
        for tally in (record.agreed, record.overruled):
            assert 0 <= tally.right <= tally.fired
            assert tally.fired / 4 <= tally.expected <= tally.fired


def test_no_rule_of_the_shipped_portal_is_contradicted_by_the_sample(trained: Trained) -> None:
    """But for the one that keeps a complaint from whom it accuses: some labels left it there all the same."""
    records = trained.router.policy.rules
    overruled = [record.overruled for code, record in records.items() if code != "berkadar-pengawasan"]
    assert sum(tally.right for tally in overruled) > 0.6 * sum(tally.fired for tally in overruled) > 0
    assert not [
        code for code, it in records.items() if contradicted(it.fired, it.right) and code != "berkadar-pengawasan"
    ]
