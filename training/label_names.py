"""What people call a class."""

from router_model.portal import REPORT_TYPES, Portal


def label_name(portal: Portal, answer: str, code: str) -> str:
    """The code itself where the portal does not know it."""
    if answer == "category" and code in portal.category:
        return portal.category[code].name
    if answer == "urgency":
        return next((level.name for level in portal.urgency if level.code == code), code)
    if answer == "report_type":
        return REPORT_TYPES.get(code, code)
    if code.startswith("@"):
        return portal.unit_name(code) + (" (tempat belum diketahui)" if answer == "agency" else " (semua kantor)")
    return portal.agency[code].name if code in portal.agency else code
