"""Where the table on a sheet begins and ends: its header among titles and groups, its totals below."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from router_model.portal import folded
from training.sheets import Line, Sheet

_SEARCHED = 60
_LONGEST_NAME = 60
_FOOTER = re.compile(
    r"(?:grand |sub ?)?(?:total|jumlah)(?: (?:keseluruhan|seluruhnya|laporan|aduan|pengaduan|data|baris|tiket))*"
    r"(?:\s*[:=]?\s*\d[\d.,]*(?: \w+){0,2})?[ :]*"
    r"|(?:dicetak|diunduh|diekspor|dihasilkan|generated|printed|exported)(?: ?:| (?:pada|oleh|tanggal|on|by|at)\b).*"
    r"|halaman \d+(?: (?:dari|/) \d+)?"
)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet: its names, the column each stands for ("" for none), and the line the data begin at."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    data_from: int

    @property
    def filled(self) -> list[str]:
        return [name for name in self.names if name]

    @property
    def recognised(self) -> int:
        return len(set(self.columns) - {""})


def find_header(lines: Sequence[Line], known: Mapping[str, str]) -> Header | None:
    """The line, or pair of lines, whose names stand for most columns (`known`: folded name to column).

    Without a name for `text`: the first line that is filled like the table and reads like names. `None` if
    there is none.
    """
    top = lines[:_SEARCHED]
    singles = [_single(line, number, known) for number, line in enumerate(top) if any(line.cells)]
    pairs = [
        _pair(upper, lower, number, known)
        for number, (upper, lower) in enumerate(pairwise(top))
        if any(upper.cells) and any(lower.cells)
    ]
    best = max([*singles, *pairs], key=lambda header: ("text" in header.columns, header.recognised), default=None)
    if best is None or "text" in best.columns:
        return best
    widest = max(len(header.filled) for header in singles)
    return next(
        (h for h in singles if len(h.filled) >= 0.8 * widest and all(map(_reads_like_a_name, h.filled))),
        None,
    )


def data_lines(sheet: Sheet, header: Header) -> Iterator[Line]:
    """Lines below the header that hold data or a fault; totals and signatures under the table are left out."""
    lines = sheet.lines[header.data_from :]
    text_at = header.columns.index("text") if "text" in header.columns else 0
    end = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        if _is_footer(lines[number], text_at):
            end = number
        elif lines[number].fault or any(lines[number].cells[text_at : text_at + 1]):
            break
    for number, line in enumerate(lines[:end]):
        if line.fault or (any(line.cells) and not (number == 0 and _is_numbering(line))):
            yield line


def _single(line: Line, number: int, known: Mapping[str, str]) -> Header:
    names = tuple(" ".join(cell.split()) for cell in line.cells)
    return Header(names, tuple(known.get(folded(name), "") for name in names), number + 1)


def _pair(upper: Line, lower: Line, number: int, known: Mapping[str, str]) -> Header:
    """Two lines as one header: a group of columns is named once, above the first of them."""
    names: list[str] = []
    group = ""
    width = max(len(upper.cells), len(lower.cells))
    padded = ((*line.cells, *[""] * (width - len(line.cells))) for line in (upper, lower))
    for above, below in zip(*padded, strict=True):
        group = above or group
        both = below if group == below else f"{group} {below}" if below else above
        options = [" ".join(name.split()) for name in (both, below)]
        names.append(next((name for name in options if folded(name) in known), options[0]))
    return Header(tuple(names), tuple(known.get(folded(name), "") for name in names), number + 2)


def _reads_like_a_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and not name.lstrip("+-.")[:1].isdigit()


def _is_footer(line: Line, text_at: int) -> bool:
    cells = [cell for cell in line.cells if cell]
    if not cells or not _FOOTER.fullmatch(" ".join(cells[0].casefold().split())):
        return False
    text = "".join(line.cells[text_at : text_at + 1])
    return not _worded(text) or (text == cells[0] and not _worded("".join(cells[1:])))


def _worded(text: str) -> bool:
    return any(map(str.isalpha, text))


def _is_numbering(line: Line) -> bool:
    """Whether a line only numbers the columns, as official Indonesian tables do below their header."""
    cells = [cell.strip("()") for cell in line.cells if cell]
    return len(cells) > 1 and cells == [str(number) for number in range(1, len(cells) + 1)]
