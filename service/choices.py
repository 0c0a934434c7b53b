"""Labels as people write them, turned into the codes of a portal."""

from collections.abc import Mapping

from router_model.cleaning import readable
from router_model.errors import AduanError
from router_model.personal_data import mask_personal_data
from router_model.portal import REPORT_TYPES, Portal, folded
from service.database.dispositions import Chosen

LONGEST_NAME = 100
LONGEST_REASON = 1_000


class UnknownLabelError(AduanError):
    """Labels the portal does not have; `faults` names each field and what is wrong with it."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("Ada label yang tidak dikenal portal ini; lihat GET /v1/taxonomy.")
        self.faults = dict(faults)


def chosen(
    portal: Portal,
    agency: str,
    category: str = "",
    urgency: str = "",
    report_type: str = "",
    by: str = "",
    reason: str = "",
) -> Chosen:
    """Each label by code, name, short name or alias, however it is spelled; the empty ones were not said.

    Raises:
        UnknownLabelError: naming each field whose label the portal does not have.
    """
    found_agency = portal.find_agency(agency)
    found_category = portal.find_category(category) if category else None
    levels = {folded(label): level.code for level in portal.urgency for label in (level.name, level.code)}
    types = {folded(label): code for code, name in REPORT_TYPES.items() for label in (name, code)}
    level, kind = levels.get(folded(urgency)), types.get(folded(report_type))
    faults = {}
    if found_agency is None or found_agency.code in portal.retired:
        faults["agency"] = "instansi tidak dikenal" if found_agency is None else "instansi ini sudah tidak berlaku"
    if category and found_category is None:
        faults["category"] = "kategori tidak dikenal"
    if urgency and level is None:
        faults["urgency"] = "tingkat urgensi tidak dikenal"
    if report_type and kind is None:
        faults["report_type"] = "klasifikasi tidak dikenal"
    if faults or found_agency is None:
        raise UnknownLabelError(faults)
    return Chosen(
        agency=found_agency.code,
        category=found_category.code if found_category else None,
        urgency=level,
        report_type=kind,
        by=masked(by)[:LONGEST_NAME],
        reason=masked(reason)[:LONGEST_REASON],
    )


def masked(text: str) -> str:
    """Free text as it may be kept."""
    return mask_personal_data(readable(text))[0] if text else ""
