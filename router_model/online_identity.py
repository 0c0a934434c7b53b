"""Mail addresses and links that lead to one person: profiles, shared files, requests with their number."""

import re

Span = tuple[str, int, int]
"""Kind, start and end of one find."""

_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]++(?: ?@ ?|[\[(]at[\])]| at (?=[\w-]{2,40} (?:dot|titik)\b))"
    r"[\w-]+(?:(?:\.| \. ?| (?:dot|titik) )[\w-]+)+\b",
    re.IGNORECASE,
)
_MAY_BE_MAIL = re.compile(r"@|[\[(]at[\])]| (?:dot|titik) ", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']{3,2000}", re.IGNORECASE)
_END = ".,;:!?)]}"
_PERSONS_LINK = re.compile(
    r"""
    ^ (?:https?://)? (?:[\w-]+\.)*?
    (?:
        (?: facebook | fb | instagram | tiktok | twitter | x | threads | linkedin | t )
            \. (?: com | me | net ) / (?! (?: share | sharer | hashtag | explore | groups | events | watch | p | reel ) \b ) \S
      | (?: drive | docs | photos ) \. google \. com /
      | (?: forms \. gle | bit \. ly / ktp | dropbox \. com ) / \S
      | (?! (?:www\.)? (?: google \. [\w.]+ /maps | maps \. | goo \. gl /maps ) )
        \S*? (?:
            [?&;] (?: \w*_ )? (?: id | uid | user | nik | kk | no | nomor | key | kode | code | token | tiket | ticket
                | email | hp | phone | telp | nama | npwp | bpjs | pendaftaran | \w+_id | no_\w+ ) = [^&\s]
          | / (?=[\w-]*\d) (?: \d{9,} | [0-9a-f]{8}-[0-9a-f]{4}-[\w-]{4,} | (?=\w*\d\w*\d) (?=\w*[a-z]) \w{20,} ) (?: [/?\#] | $ )
        )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLACE_LINK = re.compile(r"(?i)^(?:https?://)?(?:[\w-]+\.)*(?:google\.[\w.]+/maps|maps\.|goo\.gl/maps|openstreetmap\.org)")


def online_spans(text: str) -> list[Span]:
    """Mail addresses (also "nama at contoh dot com") and links by which a person is known; others stay."""
    found: list[Span] = []
    if "://" in text or "www." in text.lower():
        for match in _LINK.finditer(text):
            link = match[0].rstrip(_END)
            if not _PLACE_LINK.match(link) and _PERSONS_LINK.match(link):
                found.append(("link", match.start(), match.start() + len(link)))
    if _MAY_BE_MAIL.search(text):
        for match in _MAIL.finditer(text):
            if not any(start < match.end() and match.start() < end for _, start, end in found):
                found.append(("email", *match.span()))
    return found
