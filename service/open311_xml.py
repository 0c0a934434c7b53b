"""Answers of GeoReport v2 in XML, with the element names of the specification (https://wiki.open311.org/GeoReport_v2)."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

MEDIA_TYPE = "text/xml; charset=utf-8"
_RESOURCES = {
    "discovery": ("discovery", ""),
    "services": ("services", "service"),
    "requests": ("service_requests", "request"),
    "tokens": ("service_requests", "request"),
}
_ITEMS = {"endpoints": "endpoint", "formats": "format", "attributes": "attribute"}
_ERRORS = ("errors", "error")
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def as_xml(path: str, status: int, body: Any) -> bytes:
    """What JSON says at a path that ends with `.xml`."""
    resource, _, inner = path.rpartition("/open311/v2/")[2].removesuffix(".xml").partition("/")
    names = _ERRORS if status >= 400 else ("service_definition", "") if resource == "services" and inner else None
    root, item = names or _RESOURCES[resource]
    written: bytes = ElementTree.tostring(_element(root, body, item), encoding="utf-8", xml_declaration=True)
    return written


def _element(name: str, value: Any, item: str = "") -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(value, Mapping):
        element.extend(_element(key, inner, _ITEMS.get(key, "")) for key, inner in value.items())
    elif isinstance(value, list):
        element.extend(_element(item, inner) for inner in value)
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif value is not None:
        element.text = _REFUSED.sub(" ", str(value))
    return element
