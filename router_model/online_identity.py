"""Mail addresses and links that lead to one person: profiles, shared files, requests with their number."""

import re
from collections.abc import Iterator

Span = tuple[str, int, int]
"""Kind, start and end of one find."""

_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]++(?: ?@ ?|[\[(]at[\])]| at (?=[\w-]{2,40} (?:dot|titik)\b))"
    r"[\w-]+(?:(?:\.| \. ?| (?:dot|titik) )[\w-]+)+\b",
    re.IGNORECASE,
)
_MAIL_SIGNS = ("@", "[at]", "(at)", " dot ", " titik ")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']{3,400}", re.IGNORECASE)
_END = ".,;:!?)]}"
_PERSONS_LINK = re.compile(
    r"""
    ^ (?:https?://)? (?:[\w-]+\.)*?
    (?:
        (?: facebook | fb | instagram | tiktok | twitter | x | threads | linkedin | t )
            \. (?: com | me | net ) /
            (?! (?: share | sharer | hashtag | explore | groups | events | watch | p | reel ) \b ) \S
      | (?: drive | docs | photos ) \. google \. com /
      | (?: forms \. gle | bit \. ly / ktp | dropbox \. com ) / \S
      | (?! (?:www\.)? (?: google \. [\w.]+ /maps | maps \. | goo \. gl /maps ) )
        \S*? (?:
            [?&;] (?: \w*_ )? (?: id | uid | user | nik | kk | no | nomor | key | kode | code | token | tiket | ticket
                | email | hp | phone | telp | nama | npwp | bpjs | pendaftaran | \w+_id | no_\w+ ) = [^&\s]
          | / (?=[\w-]*\d)
            (?: \d{9,} | [0-9a-f]{8}-[0-9a-f]{4}-[\w-]{4,} | (?=\w*\d\w*\d) (?=\w*[a-z]) \w{20,} ) (?: [/?\#] | $ )
        )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLACE_LINK = re.compile(
    r"(?i)^(?:https?://)?(?:[\w-]+\.)*(?:google\.[\w.]+/maps|maps\.|goo\.gl/maps|openstreetmap\.org)"
)


def apart(candidates: Iterator[Span], taken: bytearray) -> Iterator[Span]:
    """Those that overlap nothing `taken`, which has a byte for each character; marks them there, plates and links
    with 2 and all else with 1."""
    for kind, start, end in candidates:
        if not any(taken[start:end]):
            taken[start:end] = (b"\2" if kind in ("plate", "link") else b"\1") * (end - start)
            yield kind, start, end


def online_spans(text: str, lower: str) -> Iterator[Span]:
    """Mail addresses (also "nama at contoh dot com") and links by which a person is known; others stay. Links come
    first, for a mail address may stand in one."""
    if "://" in text or "www." in lower:
        for match in _LINK.finditer(text):
            link = match[0].rstrip(_END)
            if not _PLACE_LINK.match(link) and _PERSONS_LINK.match(link):
                yield "link", match.start(), match.start() + len(link)
    if any(sign in lower for sign in _MAIL_SIGNS):
        for match in _MAIL.finditer(text):
            yield "email", *match.span()
