"""Names of persons where the text says that they are: "nama saya", "a.n.", "Ibu Sari, NIK ...", a name beside a number.

Names alone stay: streets, shops, offices and people in office bear them too.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources

from router_model.online_identity import Span
from router_model.tokens import abbreviations, is_root, stem, stem_exceptions

MOST_WORDS = 6
"""Words of the longest name that is read."""

_RELATION = (
    r"(?:\ (?:lengkap|saya|sy|sya|kami|pelapor|pemohon|siswa|siswi|anak|pasien|pemilik|penerima|peserta|korban"
    r"|orang\ tua|ortu|ibu|bapak|ayah|istri|suami|ibu\ kandung|kepala\ keluarga|kk|ktp|di\ ktp|pengadu|warga|kpm|wali"
    r"|terlapor|pelaku|pelanggan|tertanggung|ahli\ waris|pemegang\ kartu|pengirim|saksi)){0,2}"
)
_THINGS = (
    r"(?:jalan|jln|jl|toko|sekolah|instansi|desa|kelurahan|kecamatan|kabupaten|kota|usaha|perusahaan|gang|pasar|dusun|banjar|barang"
    r"|kegiatan|aplikasi|akun|bank|rs|puskesmas|program|lembaga|kantor|perumahan|lokasi|tempat|produk|obat|hotel|pt|cv|dinas|rt|rw)\b"
)
_CUE = re.compile(
    rf"""
    (?P<named> (?: nama | nma ) (?: \ (?! {_THINGS} ) [^\W\d_]{{2,12}} ){{0,3}} [\ .]{{0,2}} [:=;] )
  | (?P<beside> (?<=\d) \ an (?=\ ) )
  | (?<![\w\[]) (?:
        (?P<plain> nama (?= \ [^\W\d_]) (?! \ (?: saya | sy | sya | aku | kami | lengkap | anak | ibu | bapak
            | ayah | suami | istri | pelapor | pemohon | pasien | siswa ) \b ) )
      | (?P<mine> (?: nama | nma ) \ (?: saya | sy | sya | aku | lengkap | kami ) (?: \ (?: adalah | ialah | yaitu ) )?
            | saya ,? \ nama | saya\ bernama
            | nama \ (?: anak | ibu | bapak | ayah | suami | istri ) (?: \ (?: saya | kandung ) )?
            | perkenalkan ,? (?: \ nama )? (?: \ (?: saya | sy | aku | kami ) )?
            | nama (?: \ (?: pelapor | pemohon | pasien | siswa ) ) )
      | (?P<behalf> a\.\ ?n\.? | an\. | a/n\.? | (?: ber )? atas \ (?: nama | nma )
                (?: \ (?: ayah | ibu | bapak | anak | ank | istri | suami | adik | kakak | orang\ tua | nenek | kakek )
                    \ (?: saya | sy | kami ) )?
            | (?: kk | ktp | akta | akte | npwp | bpjs | kis | rekening | nik ) \ an (?=\ ) )
      | (?P<called> bernama | dengan \ nama (?! {_RELATION} \ ?[:=;] )
            | alm\. | alm(?:arhum(?:ah)?)? (?=\ (?:bapak|ibu|bpk)) )
    ) (?: (?<=[./]) | (?<=/n) | (?! \w ) )
  | \b (?<!dengan\ ) (?P<signed> (?: hormat | salam ) \ ? (?: saya | kami | hormat )? \ ? ,? \n )
    """,
    re.VERBOSE,
)
_BETWEEN = re.compile(
    r"[\s:;=,.(\"'*_-]{0,4}(?:\d{1,2} ?[.)] ?)?"
    r"(?:(?:bapak|bpk|ibu|bu|pak|p|sdr|sdri|saudara|saudari|ny|tn|mas|mbak|kak"
    r"|h|hj|alm|almh|almarhum|almarhumah|drs|dr|dra|ir|prof|kh|ust|ananda|adik|pak haji)\b\.?,? ?)*"
)
_HONORIFIC = re.compile(
    r"(?<![\w\[/])(?:bapak|bpk|pak|ibu|bu|sdr|sdri|saudara|saudari|ny|tn|almarhum|almarhumah|alm|almh|mas"
    r"|mbak)\b\.?:? (?=[^\W\d_])"
)
_THING_BEFORE = re.compile(
    r"\b(?:pantai|sungai|tukad|kali|pasar|toko|warung|jalan|jln|gang|desa|banjar|dusun|kelurahan|kampung|perumahan|gedung|hotel|kafe|cafe"
    r"|villa|pt|cv|perusahaan|yayasan|sekolah|pura|masjid|gereja|kucing|anjing|sapi|aplikasi|situs|program|grup|akun|produk|obat|taman"
    r"|pulau|danau|kapal|restoran|rumah makan|proyek|usaha|organisasi|ormas|klub|club|komunitas|daerah|tempat|lokasi)"
    r"(?: \w+)? (?:yang |yg )?(?:bernama|dengan nama)$"
)
_PERSON_BEFORE = re.compile(
    r"\b(?:petugas|oknum|pegawai|warga|ketua|anak(?:nya)?|orang|ibu|bapak|guru|dokter|bidan|staf|staff|kader|siswa|murid|adik|kakak|mandor"
    r"|pemilik|sopir|saya)\b"
)
_IDENTITY_BEFORE = re.compile(
    r"(?:\b(?:rumah|kediaman|rmh|milik|pasien|korban|pelapor|pemohon|nasabah|pelanggan|hubungi|menghubungi"
    r"|menghub|hub|kontak|narahubung|cp|contact person|tetangga(?: saya| kami)?|penerima(?: bantuan)?|ahli waris"
    r"|terlapor|warga(?: saya| kami)?|lansia|janda"
    r"|(?:anak|putra|putri|istri|suami|keluarga)(?: dari)?|saya|an|nama|bernama|oknum|atas) ?:? ?)$"
)
_IDENTITY_AFTER = re.compile(
    r"[ ,;:.()\n-]{0,4}(?:(?:dengan |dg |no\.? ?|nomor )*(?:nik|ktp|kk|hp|wa|tlp|telp|telepon|bpjs|npwp)\b"
    r"|umur|usia|beralamat|berusia|yang tinggal|\d{1,3} ?(?:th|thn|tahun)\b)"
)
_SAYA = re.compile(r"(?<![\w\[])(?:saya|sy) (?=[^\W\d_])")
_INTRODUCED = re.compile(
    r"[ ,;:.()\n]{1,4}(?:(?:dengan |dg |dgn |no\.? ?|nomor |nomer )*(?:nik|ktp|kk)\b|warga\b|selaku\b|alamat\b|umur\b"
    r"|beralamat\b|ketua\b|tinggal di\b|driver\b|rt\b|\d{16})"
)
_HONORIFICS = ("pak ", "bpk", "ibu ", "bu ", "sdr", "saudar", "ny", "tn", "alm", "mas ", "mbak ")
_CUES = (
    "nama",
    "nma",
    "a.n",
    "a. n",
    " an.",
    "\nan.",
    "(an.",
    " an ",
    "a/n",
    "perkenalkan",
    " alm",
    "hormat",
    " salam",
    "\nsalam",
)
_FIRST = ("an.", "alm", "salam")

_WORD = re.compile(r"([^\W\d_](?:[\w]|['’`](?=\w)|-(?=[^\W\d_]))*)(\.?)")
_JOINT = re.compile(r" ?(?=[^\W\d_])")
_BEFORE_NUMBER = re.compile(
    r"((?:[^\W\d_][\w'’.]{0,24} ){0,3}[^\W\d_][\w'’.]{0,24}?)[ \n]?[\s:(,.\-]{0,3}"
    r"(?:(?:no|nomor|nomer|nik|hp|wa|telp|tlp|telepon|ktp|kk|dengan|cp)\b[ .:]{0,3}){0,3}$",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(
    r" ?[(,/\n -] ?(?P<honorific>(?:bapak|bpk|pak|ibu|bu|mas|mbak)\b\.? )?(?=[^\W\d_])", re.IGNORECASE
)

_PREFIXED = re.compile(r"me|di|ter|ber|pe|ke|se|\w+(?:nya|kan)$")
_END = re.compile(r" ?(?:[\n,;)]|\.(?: |$)|$)")
_GOES_ON = frozenset(("mau", "ingin", "hendak", "mohon", "warga", "tinggal", "alamat", "umur", "nik", "asal"))
"""Words by which one who has said a name goes on; what stands before them may be a name that is a word too."""
_PARTICLES = ("i", "ni", "si")


@cache
def _listed(name: str) -> frozenset[str]:
    file = resources.files("router_model") / "lexicon" / name
    return frozenset(file.read_text("utf-8").split()[1:])


def _known_names() -> frozenset[str]:
    """Common names of persons, our own list."""
    return _listed("names.tsv")


def no_names() -> frozenset[str]:
    """Words after a cue that are no name: who speaks, bodies, offices, the words of a sentence."""
    return _listed("no_names.tsv")


def _is_name(word: str, loose: bool, first: bool = True) -> bool:
    """`loose`: after a clear cue any word passes that is no Indonesian word; else only names and capitals."""
    low = word.lower().replace("’", "'")
    if low in no_names() or not word.replace("'", "").replace("’", "").replace("-", "").isalpha():
        return False
    if low in _known_names():
        return True
    if len(word) == 1:
        return word.isupper()
    capital = word[0].isupper() and not word.isupper()
    common = low in abbreviations() or low in stem_exceptions() or is_root(low) or is_root(stem(low))
    if capital:
        if not first and not _PREFIXED.match(low) and low not in abbreviations():
            return True
        return not common or (is_root(low) and stem(low) == low)
    return not common and (loose or word.isupper()) and len(word) > 2


def _passes(text: str, match: re.Match[str], loose: bool, first: bool) -> bool:
    """Whether a word belongs to a name: by itself, or because a name follows ("i wayan", "KADEK SULUH PERMANA")."""
    if _is_name(match[1], loose, first):
        return True
    word = match[1]
    if not first and len(word) == 1 and match[2]:
        return True
    following = _WORD.match(text, match.end() + 1)
    if (
        not first
        and loose
        and word[0].isupper()
        and is_root(word.lower())
        and word.lower() not in no_names()
        and _END.match(text, match.end(1))
    ):
        return True
    if not first and loose and following and following[1].lower() in _GOES_ON:
        return is_root(word.lower()) and word.lower() not in no_names()
    if not following or not _is_name(following[1], loose and word[0].isupper()):
        return False
    low, known = word.lower(), following[1].lower() in _known_names()
    if low in _PARTICLES:
        return known
    if low == "anak":
        return following[1].lower() == "agung"
    if len(low) == 1:
        return known and bool(match[2])
    return loose and low not in no_names() and is_root(low) and (known or word.isupper())


def _name_at(text: str, start: int, loose: bool) -> tuple[int, int] | None:
    """Start and end of the name that begins at `start`."""
    end = position = start
    for _ in range(MOST_WORDS):
        match = _WORD.match(text, position)
        if not match or not _passes(text, match, loose, position == start):
            break
        end = match.end(1)
        stops = match[2] and len(match[1]) > 4
        joint = _JOINT.match(text, match.end())
        if stops or not joint or (joint[0] == "" and not match[2]):
            break
        position = joint.end()
    if end - start < 2:
        return None
    return start, end


def name_spans(text: str, lower: str, taken: bytearray, numbers: Collection[Span]) -> Iterator[Span]:
    """Names; the honorific before one stays. `taken` as in `apart`, `numbers` what was found before."""
    for start, end in _candidates(text, lower, taken, numbers):
        yield "name", start, end


def _candidates(text: str, lower: str, taken: bytearray, numbers: Collection[Span]) -> Iterator[tuple[int, int]]:
    if any(cue in lower for cue in _CUES) or lower.startswith(_FIRST):
        yield from _after_cues(text, lower)
    if "saya" in lower:
        yield from _after_saya(text, lower)
    if any(word in lower for word in _HONORIFICS):
        yield from _with_honorific(text, lower, taken)
    for kind, start, end in numbers:
        if kind not in ("plate", "link"):
            yield from _beside_number(text, start, end)


def _after_cues(text: str, lower: str) -> Iterator[tuple[int, int]]:
    for cue in _CUE.finditer(lower):
        if cue.lastgroup == "called" and _is_thing(lower, cue):
            continue
        between = _BETWEEN.match(lower, cue.end())
        start = between.end() if between else cue.end()
        if cue.lastgroup in ("mine", "plain") and ". " in lower[cue.end() : start]:
            continue
        loose = cue.lastgroup in ("named", "mine", "behalf", "beside", "called", "plain")
        name = _name_at(text, start, loose)
        if name and (cue.lastgroup != "plain" or _INTRODUCED.match(lower, name[1])):
            yield name


def _is_thing(lower: str, cue: re.Match[str]) -> bool:
    first = max(0, cue.start() - 40)
    thing = _THING_BEFORE.search(lower, first, cue.end())
    return thing is not None and not _PERSON_BEFORE.search(lower, first, thing.end())


def _after_saya(text: str, lower: str) -> Iterator[tuple[int, int]]:
    """ "Saya Ketut Rajin, warga ...": a known name, or two capitals, or what stands before a word of identity."""
    for saya in _SAYA.finditer(lower):
        name = _name_at(text, saya.end(), loose=True)
        if not name:
            continue
        words = [word[1] for word in _WORD.finditer(text, *name)]
        known = sum(word.lower() in _known_names() for word in words)
        capitals = sum(word[0].isupper() and not word.isupper() for word in words)
        introduced = _INTRODUCED.match(lower, name[1]) is not None
        if (introduced and (known or capitals or len(words) > 1)) or capitals > 1 or (known and capitals):
            yield name


def _with_honorific(text: str, lower: str, taken: bytearray) -> Iterator[tuple[int, int]]:
    for honorific in _HONORIFIC.finditer(lower):
        before = _IDENTITY_BEFORE.search(lower, max(0, honorific.start() - 30), honorific.start())
        name = _name_at(text, honorific.end(), loose=True)
        if not name:
            continue
        after = _IDENTITY_AFTER.match(lower, name[1])
        numbered = 1 in taken[name[1] : name[1] + 16]
        if before or after or numbered:
            yield name


def _beside_number(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A listed name directly before a number, as in a signature, or behind it in brackets."""
    if before := _BEFORE_NUMBER.search(text, max(0, start - 80), start):
        first, last = before.span(1)
        words = list(_WORD.finditer(text, first, last))
        while words and words[0][1].lower() in no_names():
            words.pop(0)
        known = any(word[1].lower() in _known_names() for word in words)
        if known and all(_is_name(word[1], loose=True) for word in words):
            yield words[0].start(), words[-1].end(1)
    if (after := _AFTER_NUMBER.match(text, end)) and (name := _name_at(text, after.end(), loose=False)):
        words = list(_WORD.finditer(text, *name))
        if after["honorific"] or any(word[1].lower() in _known_names() for word in words):
            yield name
