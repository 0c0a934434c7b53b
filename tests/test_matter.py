"""What kind of matter it is: raised where it calls for oversight, and never silenced where there is a matter in it."""

import pytest

from router_model.complaint import Complaint
from router_model.matter import OVERSIGHT_FROM, matter_of
from router_model.policy import Route
from router_model.portal import REPORT_TYPES
from router_model.prediction import Prediction, Ranked
from router_model.suggestion import Router, Suggestion

BRIBE = "Petugas loket minta uang 50 ribu supaya berkas saya didahulukan."
LAMP = "Lampu jalan di depan balai banjar mati sejak Senin."


def believed(text: str, p: float) -> Prediction:
    """A model that gives `pengawasan` this probability, and the rest to `pengaduan`."""
    ranked = sorted((Ranked("pengawasan", p), Ranked("pengaduan", 1 - p)), key=lambda item: -item.p)
    return Prediction(Complaint(text), {"report_type": tuple(ranked)}, "", 9, 9)


def codes(suggestion: Suggestion) -> list[str]:
    return [item.code for item in suggestion.reasons]


def test_a_rule_raises_the_report_type_whatever_the_model_believes() -> None:
    assert matter_of(believed(BRIBE, 0.01)).report_type == "pengawasan"
    assert matter_of(believed(LAMP, 0.01)).report_type == "pengaduan"


def test_a_model_that_is_half_convinced_is_enough() -> None:
    assert matter_of(believed(LAMP, OVERSIGHT_FROM)).report_type == "pengawasan"
    assert matter_of(believed(LAMP, OVERSIGHT_FROM - 0.01)).report_type == "pengaduan"


@pytest.mark.parametrize("given", REPORT_TYPES)
def test_the_citizens_choice_raises_and_never_lowers(given: str) -> None:
    assert matter_of(believed(BRIBE, 0.0), given).report_type == "pengawasan"
    wanted = "pengawasan" if given == "pengawasan" else "pengaduan"
    assert matter_of(believed(LAMP, 0.0), given).report_type == wanted


def test_without_a_model_only_the_rules_speak() -> None:
    assert matter_of(Prediction(Complaint(LAMP), {}, "", 9, 9)).report_type == ""
    assert matter_of(Prediction(Complaint(BRIBE), {}, "", 9, 9)).report_type == "pengawasan"


def test_oversight_goes_to_the_inspectorate_never_to_whom_it_accuses_and_not_without_a_person(router: Router) -> None:
    suggestion = router.suggest(Complaint("Staf lurah Sesetan minta uang rokok 100 ribu untuk surat keterangan."))
    assert suggestion.matter.report_type == "pengawasan"
    assert suggestion.agency.code == "inspektorat"
    assert not [item for item in suggestion.agencies if item.kind == "kelurahan"]
    assert suggestion.route is not Route.AUTO
    assert "oversight" in codes(suggestion)
    assert "terlapor" in suggestion.confidential


def test_what_the_citizen_calls_oversight_reaches_the_rules_of_the_portal(router: Router) -> None:
    complaint = Complaint("Dinas Perhubungan: kelakuan orangnya soal lampu jalan kami mohon diperiksa.")
    assert router.suggest(complaint).agency.code == "dishub"
    suggestion = router.suggest(complaint, report_type="pengawasan")
    assert "dishub" not in {item.code for item in suggestion.agencies}
    assert suggestion.confidential


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tes tes", "test"),
        ("PINJAMAN ONLINE CAIR 5 MENIT TANPA JAMINAN HUBUNGI KAMI SEKARANG", "spam"),
        ("dasar goblok semua", "abuse"),
        ("Sidang cerai saya di pengadilan agama kalah, saya mau banding atas putusan hakim.", "out_of_scope"),
    ],
)
def test_what_is_no_complaint_goes_to_a_person_with_the_reason(router: Router, text: str, why: str) -> None:
    suggestion = router.suggest(Complaint(text))
    assert (suggestion.route, codes(suggestion), suggestion.missing) == (Route.REVIEW, [why], ())


def test_thanks_go_their_way_and_say_so(router: Router) -> None:
    suggestion = router.suggest(Complaint("Terima kasih petugas DLHK, sampah sudah diangkut, pelayanannya bagus."))
    assert "thanks" in codes(suggestion)


def test_abuse_does_not_silence_a_matter(router: Router) -> None:
    calm, rude = (router.suggest(Complaint(text)) for text in (LAMP, f"{LAMP} Dasar goblok semua!"))
    assert rude.matter.none is not None
    assert rude.matter.none.matter
    assert rude.agency.code == calm.agency.code
    assert "abusive_words" in codes(rude)


def test_danger_is_never_put_aside_as_no_complaint(router: Router) -> None:
    assert router.suggest(Complaint("Goblok semua! Rumah sebelah kebakaran, api besar!")).route is Route.EMERGENCY
