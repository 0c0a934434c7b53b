"""Which names of agencies probably mean one body. It only proposes: a person decides.

Names are compared with abbreviations spelled out and without the government they end in. Two bodies of different
governments are never alike, and places of different names never are either.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, takewhile

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from router_model.portal import folded
from router_model.tokens import stem
from training.acronyms import acronym_fit

SAME_NAME = "nama yang sama tanpa singkatan dan nama pemerintah daerah"
ACRONYM = "singkatan dari nama lengkapnya"
TYPO = "hampir sama ejaannya"
ONE_WORD = "berbeda satu kata"
OPENING = "awal dari nama yang lebih panjang; bila itu nama baru, lebih tepat ditulis di successions.csv"

_SPELLED = {
    "kab": "kabupaten", "pemkab": "pemerintah kabupaten", "pemkot": "pemerintah kota",
    "prov": "provinsi", "prop": "provinsi", "propinsi": "provinsi", "pemprov": "pemerintah provinsi",
    "kec": "kecamatan", "camat": "kecamatan", "kel": "kelurahan", "lurah": "kelurahan",
    "perbekel": "desa", "bendesa adat": "desa adat", "desa pakraman": "desa adat",
    "bag": "bagian", "sekda": "sekretariat daerah", "setda": "sekretariat daerah", "setwan": "sekretariat dprd",
    "dewan perwakilan rakyat daerah": "dprd", "satuan pol pp": "satuan polisi pamong praja",
    "satpol pp": "satuan polisi pamong praja", "satpolpp": "satuan polisi pamong praja",
    "satpol": "satuan polisi pamong praja", "pol pp": "satuan polisi pamong praja",
    "rsud": "rumah sakit umum daerah", "rsu": "rumah sakit umum", "rs": "rumah sakit", "pkm": "puskesmas",
    "pu": "pekerjaan umum", "sdm": "sumber daya manusia",
    "ukm": "usaha kecil menengah", "umkm": "usaha mikro kecil menengah", "kb": "keluarga berencana",
    "ham": "hak asasi manusia", "pdam": "perusahaan daerah air minum", "perumda": "perusahaan umum daerah",
    "uptd": "unit pelaksana teknis", "upt": "unit pelaksana teknis",
    "unit pelaksana teknis daerah": "unit pelaksana teknis", "olahraga": "olah raga", "kerjasama": "kerja sama",
}  # fmt: skip
_SHORT_FORM = re.compile(rf"\b(?:{'|'.join(sorted(_SPELLED, key=len, reverse=True))})\b")
_LEVELS = {"kabupaten", "kota", "provinsi"}
_JOINING = {"dan", "serta"}
_DISTRICT_AND_VILLAGE = {"kecamatan", "kelurahan", "desa"}
_NAMED_AFTER_PLACES = _DISTRICT_AND_VILLAGE | {"rumah", "puskesmas", "pasar", "sd", "sdn", "smp", "smpn", "balai"}
_FRONT = (
    ("kantor", _DISTRICT_AND_VILLAGE),
    ("unit pelaksana teknis", {"puskesmas", "rumah"}),
)
LONGEST_GOVERNMENT = 3
"""Words of the name of a regency, city or province."""
CLEARLY = 3
"""By so many points the best reading of a short form must be ahead of the next."""
MOST_ACRONYM_WORDS = 2
"""An acronym stands alone or after one word, such as `bagian prokopim`."""
CLOSE = 80
"""So alike, of 100, an unknown label must be to a known one to be taken for a slip."""


@dataclass(frozen=True)
class Name:
    """A label in words: `government` is level and name ("" both: not said), `words` the rest, spelled out."""

    label: str
    words: tuple[str, ...]
    government: tuple[str, str]

    @cached_property
    def core(self) -> tuple[str, ...]:
        """The words that tell bodies of one government apart."""
        return tuple(word for word in self.words if word != "daerah") or self.words

    @cached_property
    def key(self) -> tuple[tuple[str, str], str]:
        """Equal for two spellings of one name, in any order of its words; names after places keep their order."""
        if self.core[0] in _NAMED_AFTER_PLACES:
            return self.government, "".join(self.core)
        return self.government, " ".join(sorted(map(stem, self.core)))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two names are alike, 0 to 100, and why."""

    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`label` is probably another name of `agency`, which more rows bear."""

    label: str
    rows: int
    agency: str
    agency_rows: int
    similarity: int
    reason: str


def parse_name(label: str) -> Name:
    spelled = _SHORT_FORM.sub(lambda match: _SPELLED[match[0]], folded(label))
    spelled = _SHORT_FORM.sub(lambda match: _SPELLED[match[0]], spelled)
    for front, kinds in _FRONT:
        rest = spelled.removeprefix(f"{front} ")
        if rest.split(" ", 1)[0] in kinds:
            spelled = rest
    words, government = _without_government(spelled.split())
    words = [word for word in words if word not in _JOINING] or words
    if words[0] in {"bagian", "biro"} and words[-2:] == ["sekretariat", "daerah"]:
        words = words[:-2]
    return Name(label, tuple(words), government)


def _without_government(words: list[str]) -> tuple[list[str], tuple[str, str]]:
    """`... kabupaten bandung` as what stands before it, and `("kabupaten", "bandung")`."""
    first = 2 if words[:1] and words[0] in _NAMED_AFTER_PLACES else 1
    for start in range(len(words) - 1, first - 1, -1):
        name = words[start + 1 :]
        if words[start] in _LEVELS and len(name) <= LONGEST_GOVERNMENT and not _JOINING & set(name):
            rest = words[:start]
            if rest[-1] == "pemerintah" and len(rest) > 1:
                rest = rest[:-1]
            return rest, (words[start], " ".join(name))
    return words, ("", "")


def parse_names(labels: Iterable[str]) -> list[Name]:
    """Names of one portal: its own government counts as not said, also where only its place is named."""
    names = [parse_name(label) for label in labels if folded(label)]
    home = _home(names)
    return [_at_home(name, home) for name in names]


def _home(names: Sequence[Name]) -> tuple[str, str]:
    """The government most names bear: of a city or regency on a twentieth of them, of a province on over half.

    Districts and villages seldom say whose they are, so they do not count as silent.
    """
    offices = [name for name in names if name.words[0] not in _DISTRICT_AND_VILLAGE]
    counts = Counter(name.government for name in names if name.government[1])
    if not counts:
        return "", ""
    government, count = counts.most_common(1)[0]
    share = count / max(len(offices), 1)
    borne = share > 0.5 if government[0] == "provinsi" else share >= 0.05
    return government if borne and 2 * count >= counts.total() else ("", "")


def _at_home(name: Name, home: tuple[str, str]) -> Name:
    level, place = home
    if name.government in (home, (level, "")):
        return Name(name.label, name.words, ("", ""))
    ending = tuple(place.split())
    # A village may well bear the name of the regency in its own.
    bare = name.government == ("", "") and ending and name.words[0] not in _DISTRICT_AND_VILLAGE
    if bare and len(name.words) > len(ending) and name.words[-len(ending) :] == ending:
        return Name(name.label, name.words[: -len(ending)], ("", ""))
    return name


def likeness(one: Name, other: Name) -> Likeness | None:
    """Whether two names probably mean one body; `None` if they do not."""
    if one.government != other.government:
        return None
    if one.key == other.key:
        return Likeness(100, SAME_NAME)
    short, long = sorted((one, other), key=lambda name: len(name.core))
    score = fuzz.token_sort_ratio(" ".join(one.core), " ".join(other.core))
    if fit := _acronym_fit(short, long):
        return Likeness(100 * fit, ACRONYM)
    if short.core[0] != long.core[0] or short.core[0] in _NAMED_AFTER_PLACES:
        return None
    if _is_typo(short.core, long.core):
        return Likeness(score, TYPO)
    missing = set(map(stem, long.core)) ^ set(map(stem, short.core))
    if len(missing) == 1 and len(short.core) > 4:
        return Likeness(score, ONE_WORD)
    if short.core[0] in {"dinas", "badan"} and len(short.core) > 2 and long.core[: len(short.core)] == short.core:
        return Likeness(score, OPENING)
    return None


def _is_typo(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """One word of at least six letters differs, by one letter, from twelve letters on by two."""
    if len(one) != len(other):
        return False
    different = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    if len(different) != 1:
        return False
    a, b = different[0]
    shorter = min(len(a), len(b))
    return shorter >= 6 and a.isalpha() and b.isalpha() and OSA.distance(a, b) <= (1 if shorter < 12 else 2)


def _acronym_fit(short: Name, long: Name) -> float:
    """The fit of a name whose last word is an acronym of what the other has after the words they share."""
    if long.core[0] in _NAMED_AFTER_PLACES:
        return 0.0
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(short.core, long.core, strict=False)))
    if len(short.core) != common + 1 or len(short.core) > MOST_ACRONYM_WORDS:
        return 0.0
    return max(acronym_fit(short.core[-1], words[common:], kind_first=common == 0) for words in (long.core, long.words))


def proposals(counts: Mapping[str, int]) -> list[Proposal]:
    """Pairs of labels that are probably one body, at most one for each label, most rows first.

    `counts` maps labels to their rows. The label that more rows bear (of equals the longer one) is the agency.
    """
    groups: dict[tuple[tuple[str, str], str], list[Name]] = defaultdict(list)
    order = {label: (-rows, -len(label), label) for label, rows in counts.items()}
    for name in sorted(parse_names(counts), key=lambda name: order[name.label]):
        groups[name.key].append(name)
    found: dict[str, tuple[Likeness, str]] = {}
    for first, *rest in groups.values():
        for name in rest:
            found[name.label] = (Likeness(100, SAME_NAME), first.label)
    for alike, one, other in _clear(_alike([group[0] for group in groups.values()])):
        agency, label = sorted((one.label, other.label), key=lambda label: order[label])
        if label not in found or alike.score > found[label][0].score:
            found[label] = (alike, agency)
    made = [
        Proposal(label, counts[label], agency, counts[agency], round(alike.score), alike.reason)
        for label, (alike, agency) in found.items()
    ]
    return sorted(made, key=lambda proposal: (-proposal.rows, proposal.label))


Pair = tuple[Likeness, Name, Name]


def _alike(names: Sequence[Name]) -> Iterator[Pair]:
    for one, other in combinations(names, 2):
        if alike := likeness(one, other):
            short, long = sorted((one, other), key=lambda name: len(name.core))
            yield alike, short, long


def _clear(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Leaves out short forms that fit several long names about equally well."""
    by_short: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_short[(pair[1].label, pair[0].reason)].append(pair)
    for (_, reason), own in by_short.items():
        if reason not in (ACRONYM, OPENING):
            yield from own
            continue
        first, *rest = sorted(own, key=lambda pair: -pair[0].score)
        if not rest or (reason == ACRONYM and first[0].score - rest[0][0].score > CLEARLY):
            yield first


class NearestNames:
    """Finds what an unknown label may have meant. `known` maps labels to the names they stand for."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = [(parse_name(label), name) for label, name in known.items() if folded(label)]
        self._of_government: dict[tuple[str, str], _Choices] = {}
        self._found: dict[str, str] = {}

    @property
    def names(self) -> set[str]:
        return {name for _, name in self._known}

    def of(self, label: str) -> str:
        """The name whose label is nearest, by spelling or as an acronym; "" if none is close."""
        if label not in self._found:
            self._found[label] = self._find(parse_name(label)) if folded(label) else ""
        return self._found[label]

    def closest(self, label: str, most: int) -> list[str]:
        """The names that are nearest by spelling, nearest first, however far they are."""
        words = " ".join(parse_name(label).core) if folded(label) else ""
        spelled = [" ".join(name.core) for name, _ in self._known]
        found = process.extract(words, spelled, scorer=fuzz.token_sort_ratio, limit=None)
        first = [self.of(label)] if self.of(label) else []
        return list(dict.fromkeys([*first, *(self._known[place][1] for _, _, place in found)]))[:most]

    def _find(self, name: Name) -> str:
        choices = self._of_government.get(name.government)
        if choices is None:
            choices = _Choices([(k, meant) for k, meant in self._known if _may_be(k.government, name.government)])
            self._of_government[name.government] = choices
        return choices.nearest(name)


def _may_be(known: tuple[str, str], label: tuple[str, str]) -> bool:
    """A government that is not said may be any, but a province says so."""
    return label in (known, ("", "")) or (known == ("", "") and label[0] != "provinsi")


class _Choices:
    """Known names that a label of one government may mean."""

    def __init__(self, known: Sequence[tuple[Name, str]]) -> None:
        self._known = known
        self._as_written = [" ".join(name.core) for name, _ in known]
        self._sorted = [" ".join(sorted(name.core)) for name, _ in known]

    def nearest(self, name: Name) -> str:
        found = [
            (near[1], self._known[near[2]][1])
            for words, choices in ((name.core, self._as_written), (sorted(name.core), self._sorted))
            if (near := process.extractOne(" ".join(words), choices, scorer=fuzz.ratio, score_cutoff=CLOSE))
        ]
        if not found and len(name.core) <= MOST_ACRONYM_WORDS:
            found = [(fit, meant) for known, meant in self._known if (fit := _acronym_fit(name, known))]
        return max(found, default=(0.0, ""))[1]
