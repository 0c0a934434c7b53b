"""Names of persons where the text says that they are: "nama saya", "a.n.", "Ibu Sari", "anak saya", a signature, a
name beside a number, and each of them again where it stands alone.

Other names stay: streets, shops and offices bear them too.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources
from itertools import pairwise

from router_model.name_words import WORD, ends, is_common, is_known, is_name, is_trusted, name_at, no_names, words_of
from router_model.online_identity import Span
from router_model.tokens import is_root

Name = tuple[int, int]
"""Start and end."""

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
    (?P<named> (?<![^\W\d_]) (?: nama | nma | nm ) (?: \ ketua\ r[tw] (?:\ ?\d+)? )?
        (?: \ (?! {_THINGS} ) [^\W\d_]{{2,12}} ){{0,3}} (?: \ ?\( [^()\n]{{2,20}} \) )? [\ .'"*]{{0,3}} [:=;] )
  | (?P<labelled> (?<!\w) (?: pelapor | pemohon | pengadu | narahubung | (?: kontak | contact )\ person | cp | kontak
        | wali\ murid | penanggung\ jawab ) [\ .]{{0,2}} [:(=]
        | (?<!\w) (?: istri | suami | anak | ayah | ibu | bapak ) \ ? [:=] )
  | (?P<applicant> (?<!\w) (?: pelapor | pemohon | pengadu ) (?=\ [^\W\d_]) )
  | (?P<beside> (?<=\d{{6}}) \ an (?=\ ) )
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
                    (?: \ (?: saya | sy | kami ) )? )?
            | (?: kk | ktp | akta | akte | npwp | bpjs | kis | rekening | nik ) \ an (?=\ ) )
      | (?P<an> (?<!\d\ ) an (?=\ ?[:.]|\ ) | (?: ber )? namanya (?=\ ) )
      | (?P<called> bernama | dengan \ nama (?! {_RELATION} \ ?[:=;] )
            | alm\. | alm(?:arhum(?:ah)?)? (?=\ (?:bapak|ibu|bpk)) )
    ) (?: (?<=[./]) | (?<=/n) | (?! \w ) )
    """,
    re.VERBOSE,
)
_BETWEEN = re.compile(
    r"[\s:;=,.(\"'*_-]{0,4}(?:\d{1,2} ?[.)] ?)?"
    r"(?:(?:bapak|bpk|bp|ibu|bu|pak|p|sdr|sdri|saudara|saudari|ny|tn|mas|mbak|kak|cak|mbah|kang"
    r"|h|hj|alm|almh|almarhum|almarhumah|drs|drh|drg|dr|dra|ir|prof|kh|ust|ananda|adik|pak haji)\b\.?,? ?)*"
)
_HONORIFIC = re.compile(
    r"(?:(?:bapak|pak|ibu|ibuk|bu|mas|mbak|mbah|cak|kang|pakde|bude|tante|haji|ustad[zh]?|nyonya|tuan)"
    r"(?:\.(?! )|\.? ?: ?| )"
    r"|(?:bpk|bp|sdri?|saudara|saudari|ny|tn|almarhum|almarhumah|almh?|hj?)(?:\. ?|\.? ?: ?| ))(?=[^\W\d_])"
)
_UNMISTAKABLE = ("sdr", "ny.", "ny ", "tn.", "tn ", "alm")
_NO_PERSONS = re.compile(
    r"(?:\b(?:jl|jln|jalan|gang|gg|kampung|kampoeng|makam|raya)\b\.? ?(?:\w{1,3}[. ]{1,2}){0,3}"
    r"|\b(?:warung|warkop|toko|bakso|soto|sate|nasi|rawon|mie|depot|bengkel|kos|kost|kosan|kontrakan|laundry|salon"
    r"|apotek|klinik|rumah makan|rm|masjid|mushol+ah?|mushal+ah?|musala|gedung|stadion|patung|monumen|lapangan|kedai"
    r"|cafe|kafe|ud|pasar|bergambar|asrama)\b\.? ?(?:(?!milik|punya|oleh)\w+ )?"
    r"|\b(?:wali ?kota|wawali|bupati|gubernur|presiden|menteri|mensos|camat|lurah|kades|kadis|dinas|kapolsek|dprd)\b"
    r"[^.\n\d]{0,14})$"
)
_OFFICE_AFTER = re.compile(
    r"[ ,(]{1,3}(?:selaku |sebagai |kepala |ketua |mantan )?"
    r"(?:wali ?kota|wawali|bupati|gubernur|presiden|menteri|camat|lurah|kadis|dprd|kapolsek|dinas)\b"
)
"""Streets, shops and who holds a high office bear names as well."""
_THING_BEFORE = re.compile(
    r"\b(?:pantai|sungai|tukad|kali|pasar|toko|warung|jalan|jln|gang|desa|banjar|dusun|kelurahan|kampung|perumahan|gedung|hotel|kafe|cafe"
    r"|villa|pt|cv|perusahaan|yayasan|sekolah|pura|masjid|gereja|kucing|anjing|sapi|aplikasi|situs|program|grup|akun|produk|obat|taman"
    r"|pulau|danau|kapal|boat|speedboat|perahu|jukung|bus|kereta|restoran"
    r"|rumah makan|proyek|usaha|organisasi|ormas|klub|club|komunitas|daerah|tempat|lokasi)"
    r"(?: \w+)? (?:yang |yg )?(?:bernama|dengan nama|namanya)$"
)
_PERSON_BEFORE = re.compile(
    r"\b(?:petugas|oknum|pegawai|warga|ketua|anak(?:nya)?|orang|ibu|bapak|guru|dokter|bidan|staf|staff|kader|siswa|murid|adik|kakak|mandor"
    r"|pemilik|sopir|saya)\b"
)
_IDENTITY_BEFORE = re.compile(
    r"(?:\b(?:rumah|kediaman|rmh|milik|pasien|korban|pelapor|pemohon|nasabah|pelanggan|hubungi|menghubungi"
    r"|menghub|hub|kontak|narahubung|cp|contact person|tetangga(?: saya| kami)?|penerima(?: bantuan)?|ahli waris"
    r"|terlapor|warga(?: saya| kami)?|lansia|janda|dengan|wali murid|narasumber"
    r"|(?:anak|putra|putri|istri|suami|keluarga)(?: dari)?|saya|an|nama|bernama|oknum|atas) ?:? ?)$"
)
_IDENTITY_AFTER = re.compile(
    r"[ ,;:.()\n-]{0,4}(?:(?:dengan |dg |no\.? ?|nomor )*(?:nik|ktp|kk|hp|wa|tlp|telp|telepon|bpjs|npwp)\b"
    r"|umur|usia|beralamat|berusia|yang tinggal|\d{1,3} ?(?:th|thn|tahun)\b)"
)
_SAYA = re.compile(r"(?:saya|sy|sya|kami|aku),? (?P<with>(?:dengan|dgn|dg|a/n|an) )?(?=[^\W\d_])")
_PLACE_OF = re.compile(
    r"\b(?:kampung|kelurahan|desa|daerah|wilayah|alamat|jalan|gang|rt|rw|sekolah|toko|perumahan|dusun|rumah|kos|kost"
    r"|tempat|lokasi|domisili|komplek|lingkungan) $"
)
_INTRODUCED = re.compile(
    r"[ ,;:.()\n]{1,4}(?:(?:dengan |dg |dgn |no\.? ?|nomor |nomer )*(?:nik|ktp|kk)\b|warga\b|selaku\b|alamat\b|umur\b"
    r"|beralamat\b|ketua\b|tinggal di\b|driver\b|rt\b|dari (?:rt|rw|ketua|warga|kel|kec|desa|jl|jalan)\b"
    r"|(?:orang ?tua|ortu|wali|ibu|ayah|bapak) (?:murid|siswa|dari)\b|pak saya\b|\d{16})"
)
_KIN = re.compile(
    r"(?:anak|putra|putri|istri|suami|ayah|ibu|ibuk|bapak|adik|adek|kakak|kakek|nenek|mertua|orang ?tua|ortu|pasangan"
    r"|keponakan|saudara|tetangga|teman|warga|wali|siswa|cucu|paman|tante|mama|papa)(?:nya"
    r"|(?: perempuan| laki-laki| kandung| pertama| kedua| ketiga| bungsu| sulung)? (?:saya|sy|sya|kami)"
    r"|(?P<of>(?: murid| siswa| kandung)? dari(?: siswa| anak| ananda| murid| saudara| almarhum)?))"
    r"(?: (?:yang|yg) (?:ber)?nama(?:nya)?| namanya|,? si)?(?P<mark> ?[,:(] ?| )"
    r"(?:(?:bapak|bpk|bp|pak|ibu|bu|alm|almh|almarhum|almarhumah|mbah|mas|mbak)\b\.? ?)?(?=[^\W\d_])"
)
_CLOSING = re.compile(
    r"(?P<strong>hormat(?:,? (?:saya|kami))?|salam|ttd|tertanda|pelapor|pemohon|pengadu"
    r")[^\w\n]{0,12}\n\W{0,4}$"
    r"|(?:kasih|kasi|makasih|trims|thanks|tks|suwun|nuwun|wassalam\w*|w[a-z]{0,9}\.? ?wb)[^\w\n]{0,12}\n\W{0,4}$"
)
_SIGNATURE = re.compile(
    r"\W{0,4}(?:(?:ttd|tertanda|pelapor|an|a\.?n)\b[^\w]{0,6})?"
    r"(?:(?:bapak|bpk|ibu|h|hj|ir|drs|dra|dr|kh|mr|sdr|sdri)\b\.? ?)*(?=[^\W\d_])"
)
_SIGNER_BELOW = re.compile(
    r"[^\w\n]*\n\W{0,3}(?:ketua|warga|rt\b|rw\b|hp\b|wa\b|no\.? ?(?:hp|wa|telp)|nik\b|\+62|08|pelapor|jl\b)"
)
_LINE_END = re.compile(r"[^\w\n]{0,6}(?:$|\n|\(|(?<=,)|(?<=, )|\+62|0\d{2}|(?:hp|wa|tlp|telp)\b)")
_SIGNER_AFTER = re.compile(r"[^\w]{0,6}(?:ketua|warga|rt|rw|hp|wa|tlp|telp|\+62|08|selaku|pengurus)")
_SIGNER = re.compile(r" ?[(,] ?(?:wakil )?ketua (?:rt|rw|lpmk|pkk|karang)\b")
_RECEIVER = re.compile(r"[a-z]+ (?=[a-z])")
_FULL_NAME = re.compile(r"[A-Z][a-z'’]{2,}(?: [A-Z][a-z'’]{2,}){1,3}|[A-Z]{3,}(?: [A-Z]{3,}){1,3}")
_PLACE_BEFORE = re.compile(
    r"(?:\b(?:jl|jln|jalan|gang|gg|raya|sd|sdn|sdk|smp|smpn|smpk|sma|sman|smk|smkn|mi|mts|ma|tk|paud|tpq|tpa|universitas|univ|rs|rsud|rsu"
    r"|rsi|klinik|masjid|mushol+ah?|mushal+ah?|musala|pondok|ponpes|yayasan|pt|cv|ud|toko|warung|warkop|hotel|taman|gedung|perum|perumahan|komplek|griya"
    r"|graha|desa|ds|dusun|kel|kelurahan|kec|kecamatan|kab|kabupaten|kota|kampung|kp|pasar|rusun|apartemen|stadion|patung|nabi"
    r"|presiden|jenderal|bandara|terminal|sungai|jembatan|lapangan|makam|monumen|museum|wisma|villa|blok|sunan|raden|pantai)"
    r"\b[ .:,]{1,3}(?:[a-z0-9]{1,3}[ .]{1,2}){0,2}|: )$"
)
_AND = re.compile(
    r" ?(?P<and>,| dan | serta | & | / |/| sama ) ?(?:(?:bapak|bpk|bp|ibu|bu|pak|sdr|sdri|mas|mbak)\b\.? ?)?"
    r"(?=[^\W\d_])"
)
_HONORIFICS = (
    "pak", "bapak", "ibu", "bu ", "bu.", "bu:", "bude", "mas ", "mas.", "mas:", "mbak", "mbah", "cak ", "kang ",
    "ustad", "haji ", "tante ", "nyonya", "tuan ", "bp", "sdr", "saudar", "ny ", "ny.", "tn ", "tn.", "alm", "h.", "h ",
    "hj",
)  # fmt: skip
_SPEAKERS = ("saya", "sy ", "sy,", "sya ", "kami", "aku")
_KINDRED = (
    "anak", "putra", "putri", "istri", "suami", "ayah", "ibu", "bapak", "adik", "adek", "kakak", "kakek", "nenek",
    "mertua", "orang tua", "orangtua", "ortu", "pasangan", "keponakan", "saudara", "tetangga", "teman", "warga", "wali",
    "siswa", "cucu", "paman", "tante", "mama", "papa",
)  # fmt: skip
_RECEIVERS = ("kepada ", "milik ", "oleh ", "adalah ", "bahwa ")
"""How what the patterns read begins, none of it the beginning of another: it is looked for as plain text, which is many
times as fast as the patterns."""
_CUES = (
    "nama", "nma", "nm ", "nm:", "a.n", "a. n", "a/n", " an.", " an ", " an:", "\nan", "(an", "kontak", "contact", "cp",
    "pelapor", "pemohon", "narahubung", "wali murid",
    "penanggung", "perkenalkan", " alm",
)  # fmt: skip

_FIRST = ("an.", "an ", "alm", "cp", "kontak", "pelapor", "pemohon")
_SURE = ("named", "behalf", "beside", "called", "mine", "labelled")
_WEAK = ("plain", "an", "labelled", "mine", "applicant")
_FIRST_OF_LIST = re.compile(r"1[.)] ?$")
_NEXT_OF_LIST = re.compile(r"(?<![\d.,/])[2-9][.)] ?(?=[A-Z])")
_SMALL_LETTERS = re.compile(r"[a-z]+\b")
_CONTACT = re.compile(
    r"\b(?:cp|hubungi|hub|kontak|kabari|narahubung|telepon|wa|penanggung jawab)[ :.(]{1,3}"
    r"(?:(?:bapak|bpk|ibu|pak|bu)\.? )?$"
)
_NUMBERED = re.compile(r" ?(?:[ivx]+\b|no\b|nomor|\d|blok|gang|gg|rt\b)")
_HONORIFIC_BEFORE = re.compile(r"\b(?:bapak|bpk|bp|pak|ibu|bu|sdri?|saudar[ai])\.? $")
_WORD_BEFORE = re.compile(r"([^\W\d_]+) $")
_WORD_AFTER = re.compile(r" ([^\W\d_]+)")

_BEFORE_NUMBER = re.compile(
    r"((?:[^\W\d_][\w'’.]{0,24} ){0,3}[^\W\d_][\w'’.]{0,24}?)[ \n]?[\s:(,.\-]{0,3}"
    r"(?:(?:no|nomor|nomer|nik|hp|wa|telp|tlp|telepon|ktp|kk|dengan|cp)\b[ .:]{0,3}){0,3}$",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(
    r" ?[(,/\n -] ?(?P<honorific>(?:bapak|bpk|pak|ibu|bu|mas|mbak)\b\.? )?(?=[^\W\d_])", re.IGNORECASE
)


@cache
def _namesakes() -> tuple[str, ...]:
    """Names that streets, schools and buildings bear all over the country."""
    file = resources.files("router_model") / "lexicon" / "namesakes.tsv"
    return tuple(file.read_text("utf-8").splitlines()[1:])


def name_spans(text: str, lower: str, taken: bytearray, numbers: Collection[Span]) -> Iterator[Span]:
    """Names; the honorific before one stays. `taken` as in `apart`, `numbers` what was found before."""
    found: set[Name] = set()
    for start, end in _candidates(text, lower, taken, numbers):
        if not any(taken[start:end]):
            found.add((start, end))
            yield "name", start, end
            for other in _enumerated(text, lower, end):
                found.add(other)
                yield "name", *other
    for start, end in _again(text, lower, found):
        yield "name", start, end


def _candidates(text: str, lower: str, taken: bytearray, numbers: Collection[Span]) -> Iterator[Name]:
    if any(cue in lower for cue in _CUES) or lower.startswith(_FIRST):
        yield from _after_cues(text, lower)
    yield from _after_saya(text, lower)
    yield from _of_kin(text, lower)
    yield from _with_honorific(text, lower, taken)
    if "\n" in lower:
        yield from _signed(text, lower)
    for kind, start, end in numbers:
        if kind not in ("plate", "link"):
            yield from _beside_number(text, lower, start, end)
    if "ketua" in lower:
        for signer in _SIGNER.finditer(lower):
            yield from _before(text, lower, signer.start())
    yield from _full_names(text, lower)


def _after_cues(text: str, lower: str) -> Iterator[Name]:
    for cue in _CUE.finditer(lower):
        kind = cue.lastgroup or ""
        if kind in ("called", "an") and _is_thing(lower, cue):
            continue
        between = _BETWEEN.match(lower, cue.end())
        start = between.end() if between else cue.end()
        if kind in ("mine", "plain") and ". " in lower[cue.end() : start]:
            continue
        name = name_at(text, start, loose=True, sure=kind in _SURE)
        if name and (kind not in _WEAK or _stands(text, lower, kind, cue.start(kind), name)):
            yield name
            if _FIRST_OF_LIST.search(text, max(0, start - 3), start):
                yield from _listed_below(text, name[1])


def _listed_below(text: str, end: int) -> Iterator[Name]:
    """The names at "2.", "3." of a list whose first one ends here."""
    for number in _NEXT_OF_LIST.finditer(text, end, end + 240):
        if name := name_at(text, number.end(), loose=True, sure=True):
            yield name


def _stands(text: str, lower: str, kind: str, start: int, name: Name) -> bool:
    words = words_of(text, name)
    if kind == "mine":
        return len(words) > 1 or words[0][0].isupper() or is_known(words[0].lower()) or _goes_on(lower, name[1])
    if kind == "plain":
        return (len(words) > 1 or is_trusted(words)) and _INTRODUCED.match(lower, name[1]) is not None
    if kind == "an" and text[start] == "A" and _PLACE_BEFORE.search(lower, max(0, start - 16), start):
        return False
    if kind == "applicant":
        return words[0][0].isupper() and any(is_known(word.lower()) for word in words)
    if is_trusted(words) or (kind == "labelled" and words[0][0].isupper()):
        return True
    if any(word.isupper() and len(word) > 3 and not is_common(word.lower()) for word in words):
        return True
    return len(words) > 1 and any(is_known(word.lower()) for word in words)


def _goes_on(lower: str, end: int) -> bool:
    return _INTRODUCED.match(lower, end) is not None or ends(lower, end)


def _is_thing(lower: str, cue: re.Match[str]) -> bool:
    first = max(0, cue.start() - 40)
    thing = _THING_BEFORE.search(lower, first, cue.end())
    return thing is not None and not _PERSON_BEFORE.search(lower, max(0, thing.start() - 10), thing.end())


def _after_saya(text: str, lower: str) -> Iterator[Name]:
    """ "Saya Ketut Rajin, warga ...": a known name, or two capitals, or what stands before a word of identity."""
    for saya in _matches(_SAYA, _SPEAKERS, lower, text):
        between = _BETWEEN.match(lower, saya.end())
        start = between.end() if between else saya.end()
        name = name_at(text, start, loose=True)
        if not name or _PLACE_OF.search(lower, max(0, saya.start() - 14), saya.start()):
            continue
        words = words_of(text, name)
        trusted = is_trusted(words)
        capitals = sum(word[0].isupper() and not word.isupper() for word in words)
        introduced = _INTRODUCED.match(lower, name[1]) is not None
        known = any(is_known(word.lower()) and (word[0].isupper() or not is_common(word.lower())) for word in words)
        presented = saya["with"] is not None and trusted
        if saya[0].startswith("kami") and not known:
            continue
        if len(words) == 1 and trusted and capitals and ends(text, name[1]):
            presented = True
        if known or presented or (introduced and (trusted or len(words) > 1)) or (trusted and capitals > 1):
            yield name


def _of_kin(text: str, lower: str) -> Iterator[Name]:
    """ "anak saya Made Sari", "suami saya (made)": a capital, a known name, or what stands in brackets."""
    for kin in _matches(_KIN, _KINDRED, lower, text):
        name = name_at(text, kin.end(), loose=True)
        if not name:
            continue
        words = words_of(text, name)
        bracketed = "(" in kin["mark"] and text[name[1] : name[1] + 1] == ")"
        sure = bracketed or (words[0][0].isupper() and not words[0].isupper() and ends(text, name[1]))
        if "kami" in kin[0] and not any(is_known(word.lower()) for word in words):
            continue
        if (is_trusted(words) or sure or (kin["of"] and len(words) > 1)) and not _PLACE_OF.search(
            lower, max(0, kin.start() - 14), kin.start()
        ):
            yield name


def _with_honorific(text: str, lower: str, taken: bytearray) -> Iterator[Name]:
    for honorific in _matches(_HONORIFIC, _HONORIFICS, lower, text):
        name = name_at(text, honorific.end(), loose=True, sure=honorific[0].startswith("sdr"))
        if not name or not _is_person(text, honorific.start(), name):
            continue
        if honorific[0] in ("ny ", "tn ") and not text[name[0]].isupper():
            continue
        if text.startswith("BP ", honorific.start()):  # a body, such as "BP Batam"
            continue
        before = _IDENTITY_BEFORE.search(lower, max(0, honorific.start() - 30), honorific.start())
        after = _IDENTITY_AFTER.match(lower, name[1])
        numbered = 1 in taken[name[1] : name[1] + 16]
        if before or after or numbered or _is_private(text, lower, honorific.start(), name):
            yield name


def _matches(pattern: re.Pattern[str], beginnings: tuple[str, ...], lower: str, text: str) -> Iterator[re.Match[str]]:
    """Where `pattern` matches at a word with one of the beginnings, outside of a mask, of "bapak/ibu" and of "ibu-ibu",
    and no plain word in small letters follows."""
    for beginning in beginnings:
        start = lower.find(beginning)
        while start >= 0:
            within = start > 0 and (lower[start - 1].isalnum() or lower[start - 1] in "_[/-")
            if within and text[start].isupper() and text[start - 1].islower():
                within = False
            if not within and (match := pattern.match(lower, start)) and not _is_plain(text, match.end()):
                yield match
            start = lower.find(beginning, start + 1)


def _is_plain(text: str, start: int) -> bool:
    if text[start].isupper() or text[start - 1] == "(":
        return False
    word = _SMALL_LETTERS.match(text, start)
    return word is not None and len(word[0]) > 2 and is_common(word[0]) and not is_known(word[0])


def _is_person(text: str, start: int, name: Name) -> bool:
    """ "H." is an honorific only before a capital, and where no other letter with a full stop stands before it."""
    if text[start] not in "Hh" or text[start : start + 4].lower() == "haji":
        return True
    return text[name[0]].isupper() and not re.search(r"\w[. ]$|\. $", text[max(0, start - 2) : start])


def _is_private(text: str, lower: str, start: int, name: Name) -> bool:
    shouted = text[start : name[1]].isupper()
    words = [word for word in words_of(text, name) if len(word) > 1] or ["-"]
    unmistakable = lower.startswith(_UNMISTAKABLE, start) and words[0][0].isupper()
    if not unmistakable and shouted and not any(is_known(word.lower()) for word in words):
        return False
    if not unmistakable and not is_trusted(words[:1]):
        return False
    if lower.startswith(_namesakes(), name[0]):
        return False
    return not _NO_PERSONS.search(lower, max(0, start - 40), start) and not _OFFICE_AFTER.match(lower, name[1])


def _signed(text: str, lower: str) -> Iterator[Name]:
    """A name on a line of its own below the closing words, or above who signs or the number."""
    line = lower.find("\n") + 1
    while line:
        signature = _SIGNATURE.match(lower, line)
        name = name_at(text, signature.end(), loose=True) if signature else None
        if name and _LINE_END.match(lower, name[1]):
            closing = _CLOSING.search(lower, max(0, line - 40), line)
            strong = closing is not None and closing["strong"] is not None
            signs = _SIGNER_AFTER.match(lower, name[1]) is not None
            if (closing and _is_signature(text, name, strong or signs)) or (
                _SIGNER_BELOW.match(lower, name[1]) and _is_signature(text, name, strong=False)
            ):
                yield name
        line = lower.find("\n", line) + 1


def _is_signature(text: str, name: Name, strong: bool) -> bool:
    words = words_of(text, name)
    if not all(word[0].isupper() or is_known(word.lower()) for word in words):
        return False
    if any(is_known(word.lower()) and (word[0].isupper() or not is_common(word.lower())) for word in words):
        return True
    odd = sum(is_trusted([word]) for word in words)
    return strong and odd > 0


def _beside_number(text: str, lower: str, start: int, end: int) -> Iterator[Name]:
    """A listed name directly before a number, as in a signature, or behind it in brackets."""
    yield from _before(text, lower, start)
    after = _AFTER_NUMBER.match(text, end)
    name = name_at(text, after.end(), loose=False) if after else None
    if after and name and (after["honorific"] or any(is_known(word.lower()) for word in words_of(text, name))):
        yield name


def _before(text: str, lower: str, end: int) -> Iterator[Name]:
    """The name that ends here: one that is known, or two capitals that begin a line."""
    before = _BEFORE_NUMBER.search(text, max(0, end - 80), end)
    if not before:
        return
    words = list(WORD.finditer(text, *before.span(1)))
    while words and words[-1][1].lower() in no_names():
        words.pop()
    first = len(words)
    while first and is_name(words[first - 1][1], loose=True):
        first -= 1
    words = words[first:]
    if not words or _PLACE_BEFORE.search(lower, max(0, words[0].start() - 16), words[0].start()):
        return
    known = any(is_known(word[1].lower()) for word in words)
    alone = words[0].start() == 0 or text[words[0].start() - 1] == "\n"
    if not known and _CONTACT.search(lower, max(0, words[0].start() - 24), words[0].start()):
        known = is_trusted([words[0][1]])
    if known or (alone and all(is_trusted([word[1]]) for word in words)):
        yield words[0].start(), words[-1].end(1)


def _full_names(text: str, lower: str) -> Iterator[Name]:
    """Two capitalised known names in a row, but for streets, schools and the great dead that these are named after;
    behind "kepada" or "milik" one of them may be unknown."""
    for receiver in _matches(_RECEIVER, _RECEIVERS, lower, text):
        name = name_at(text, receiver.end(), loose=True) if text[receiver.end()].isupper() else None
        words = words_of(text, name) if name else []
        if name and len(words) > 1 and any(is_known(word.lower()) for word in words) and _is_free(lower, *name):
            yield name
    for match in _FULL_NAME.finditer(text):
        words = match[0].split()
        for number, (one, other) in enumerate(pairwise(words)):
            if not (is_known(one.lower()) and is_known(other.lower())):
                continue
            if is_root(one.lower()) and is_root(other.lower()):
                continue
            start = match.start() + len(" ".join(words[:number])) + (number > 0)
            name = name_at(text, start, loose=False)
            if name and not number and _is_free(lower, *name):
                yield name
            break


def _is_free(lower: str, start: int, end: int) -> bool:
    if lower.startswith(_namesakes(), start) or _PLACE_BEFORE.search(lower, max(0, start - 16), start):
        return False
    return _NUMBERED.match(lower, end) is None


def _enumerated(text: str, lower: str, end: int) -> Iterator[Name]:
    """The next ones of "Budi dan Sari"; behind a comma only known names."""
    while joint := _AND.match(lower, end):
        name = name_at(text, joint.end(), loose=False)
        if not name or not is_trusted(words := words_of(text, name)):
            return
        if joint["and"] in (",", "/") and not is_known(words[0].lower()):
            return
        yield name
        end = name[1]


def _again(text: str, lower: str, found: Collection[Name]) -> Iterator[Name]:
    """The same names once more: whole, or one word of them that is no part of another name."""
    words: set[str] = set()
    for name in found:
        whole = lower[slice(*name)]
        words.update(word for word in whole.split() if len(word) > 2)
        start = lower.find(whole) if " " in whole else -1
        while start >= 0:
            yield start, start + len(whole)
            start = lower.find(whole, start + len(whole))
    if not words:
        return
    for match in WORD.finditer(text):
        if match[1].lower() in words and _stands_alone(text, lower, *match.span(1)):
            yield match.span(1)


def _stands_alone(text: str, lower: str, start: int, end: int) -> bool:
    """Whether no capital stands beside it, so that "Sari" is not read in "Pondok Sari Indah"; small letters only count
    behind an honorific or in a word that is none of the language."""
    first = max(0, start - 30)
    if not text[start].isupper():
        odd = end - start > 4 and not is_common(lower[start:end])
        return odd or _HONORIFIC_BEFORE.search(lower, first, start) is not None
    if _PLACE_BEFORE.search(lower, first, start) and lower[start - 2 : start] != ": ":
        return False
    shouted = text[start:end].isupper()
    before, after = _WORD_BEFORE.search(text, first, start), _WORD_AFTER.match(text, end)
    if after and after[1][0].isupper() and not shouted:
        return False
    if not before or before[1][0].islower():
        return True
    return before[1].lower() in no_names() or (is_common(before[1].lower()) and not shouted)
