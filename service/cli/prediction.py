"""`aduan predict` and `aduan score`: one complaint, or a whole file."""

import csv
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import openpyxl
import orjson
import typer
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.policy import ROUTE_LABELS
from router_model.portal import REPORT_TYPES, Category, Portal
from router_model.suggestion import Suggestion
from service.answering import suggestion_body
from service.cli.labelled import Columns, rows_of
from service.cli.output import AsJson, Registry, progress, result, result_json, say
from service.deadline_counting import suggested_deadline
from service.found_places import spot_of
from service.pages import clock
from service.serving import serving_release
from service.wire import DeadlineOut
from training.reading import COLUMNS, Row

SCORED = (
    "agency", "agency_p", "agency_2", "agency_2_p", "agency_3", "agency_3_p", "category", "category_p", "urgency",
    "urgency_p", "report_type", "route", "reasons", "release",
)  # fmt: skip
CHUNK = 2_000


def predict(
    registry: Registry,
    text: Annotated[str | None, typer.Argument(help="Isi laporan; tanpa ini dibaca dari masukan standar.")] = None,
    title: Annotated[str, typer.Option(help="Judul laporan.")] = "",
    address: Annotated[str, typer.Option(help="Alamat kejadian.")] = "",
    village: Annotated[str, typer.Option(help="Kelurahan atau desa.")] = "",
    release: Annotated[str, typer.Option(help="Nomor rilis; bawaan yang berlaku.")] = "",
    as_json: AsJson = False,
) -> None:
    """Menjawab satu laporan dan menerangkan alasannya."""
    serving = serving_release(registry, release)
    opened = serving.release
    now = datetime.now(ZoneInfo(opened.portal.timezone))
    complaint = Complaint(
        text=sys.stdin.read() if text is None else text,
        title=title,
        address=address,
        village=village,
        received_at=now.replace(tzinfo=None),
    )
    suggestion = serving.router.suggest(complaint)
    deadline = suggested_deadline(suggestion, opened.portal, "", now)
    if as_json:
        body = replace(suggestion_body(suggestion, opened.portal), deadline=deadline)
        result_json({**asdict(body), "release": opened.id, "portal": opened.portal.code})
        return
    result(_explained(suggestion, deadline, opened.portal, opened.id))


def _explained(suggestion: Suggestion, deadline: DeadlineOut | None, portal: Portal, release: str) -> str:
    lines = [f"Rute      {suggestion.route.value}: {ROUTE_LABELS[suggestion.route]}"]
    lines += [f"          {reason.message}" for reason in suggestion.reasons]
    lines += [f"          Perlu ditambahkan: {', '.join(suggestion.missing)}"] * bool(suggestion.missing)
    for number, agency in enumerate(suggestion.agencies[:3], 1):
        label = "Instansi" if number == 1 else ""
        lines.append(
            f"{label:10}{number}. {agency.p:4.0%}  {agency.name}{' (di luar pemerintah daerah)' * agency.external}"
        )
    for number, item in enumerate(suggestion.categories[:2], 1):
        name = portal.category[item.code].name
        lines.append(f"{'Kategori' if number == 1 else '':10}{number}. {item.p:4.0%}  {name}")
    if level := suggestion.urgency:
        p = suggestion.p("urgency", level)
        lines.append(f"{'Urgensi':10}   {'' if p is None else f'{p:4.0%}':4}  {level}")
    lines += [f"{'Rahasia':10}   {suggestion.confidential}"] * bool(suggestion.confidential)
    if kind := suggestion.matter.report_type:
        p = suggestion.p("report_type", kind)
        lines.append(f"{'Jenis':10}   {'' if p is None else f'{p:4.0%}':4}  {REPORT_TYPES[kind]}")
    if deadline:
        until = f"{deadline.working_days} hari kerja, sampai {clock(deadline.due, portal.timezone)} bila masuk sekarang"
        source = f" [{deadline.source}]" if deadline.source else ""
        lines.append(f"{'Tenggat':10}   {deadline.certainty:>4}  {until}{source}")
    for number, found in enumerate(suggestion.places):
        spot = spot_of(found, portal)
        district = f", Kecamatan {spot.district}" if spot.district else ""
        acted_on = suggestion.place is not None and found.place == suggestion.place.place
        unused = "" if acted_on else " (tidak dipakai)"
        lines.append(f"{'' if number else 'Tempat':10}   {found.p:4.0%}  {spot.name}{district}, {spot.found}{unused}")
    for number, rule in enumerate(suggestion.rules):
        lines.append(f"{'' if number else 'Aturan':10}   {rule.certainty:>4}  {rule.reason} [{rule.code}]")
    words = ", ".join(item.term for item in suggestion.evidence[:6])
    lines.append(f"{'Karena':10}   {words or '-'}")
    lines.append(f"{'Rilis':10}   {release}")
    return "\n".join(lines)


def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Berkas laporan.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Berkas hasil (.csv, .xlsx, .jsonl).")],
    registry: Registry,
    release: Annotated[str, typer.Option(help="Nomor rilis; bawaan yang berlaku.")] = "",
    columns: Columns = None,
) -> None:
    """Menjawab satu berkas; kolom jawaban ditambahkan pada setiap baris."""
    writers = {".csv": _write_csv, ".xlsx": _write_xlsx, ".jsonl": _write_jsonl}
    writer = writers.get(out.suffix.casefold())
    if writer is None:
        raise DatasetError(f"{out.name}: jenis hasil tidak dikenal; pakai {', '.join(writers)}")
    serving = serving_release(registry, release)
    opened = serving.release
    rows = rows_of([source], columns)
    scored: list[dict[str, str]] = []
    with progress() as call:
        for start in range(0, len(rows), CHUNK):
            call("menjawab laporan", start, len(rows))
            chunk = rows[start : start + CHUNK]
            suggestions = serving.router.suggest_many([row.complaint for row in chunk])
            scored += [
                _scored(row, suggestion, opened.portal.category, opened.id)
                for row, suggestion in zip(chunk, suggestions, strict=True)
            ]
        call("menjawab laporan", len(rows), len(rows))
    given = [column for column in COLUMNS if column not in SCORED and any(column in row.values for row in rows)]
    draft = out.with_name(f".{out.name}.draft")
    try:
        writer(draft, [*given, *SCORED], scored)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    say(f"{len(rows)} laporan dijawab ke {out}.")


def _scored(row: Row, suggestion: Suggestion, categories: Mapping[str, Category], release: str) -> dict[str, str]:
    cells = {column: value for column, value in row.values.items() if column not in SCORED}
    for number, agency in enumerate(suggestion.agencies[:3], 1):
        column = "agency" if number == 1 else f"agency_{number}"
        cells[column], cells[f"{column}_p"] = agency.name, f"{agency.p:.4f}"
    if suggestion.categories:
        best = suggestion.categories[0]
        cells["category"] = categories[best.code].name
        cells["category_p"] = f"{best.p:.4f}"
    if level := suggestion.urgency:
        p = suggestion.p("urgency", level)
        cells["urgency"], cells["urgency_p"] = level, "" if p is None else f"{p:.4f}"
    cells["report_type"] = suggestion.matter.report_type
    cells["route"], cells["release"] = suggestion.route.value, release
    cells["reasons"] = ";".join(reason.code for reason in suggestion.reasons)
    return cells


def _write_csv(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_jsonl(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps({column: row.get(column, "") for column in columns}) + b"\n")


def _cell(value: str) -> str:
    """Without control characters, which Excel refuses; a leading "=" would run as a formula when opened."""
    value = ILLEGAL_CHARACTERS_RE.sub("", value)
    return f"'{value}" if value.startswith("=") else value


def _write_xlsx(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("hasil")
    sheet.append(columns)
    for row in rows:
        sheet.append([_cell(row.get(column, "")) for column in columns])
    book.save(path)
