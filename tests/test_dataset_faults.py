"""A data set that cannot be learned from is refused, with the place of the fault."""

from dataclasses import replace
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from router_model.errors import DatasetError
from router_model.portal import Portal
from training.dataset import Example, examples
from training.reading import Row, read_rows
from training.trainer import train


def refused(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read_rows(path)
    return str(caught.value)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path: Path) -> None:
    assert "tidak-ada.csv: berkas tidak ada" in refused(tmp_path / "tidak-ada.csv")
    assert "a.docx: jenis berkas tidak dikenal" in refused(written(tmp_path / "a.docx", "x"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,agency\nbaik,x\nCafé tutup,x\n".encode("latin-1")),
        ("a.jsonl", '{"text": "baik"}\n\n{"text": "Café"}\n'.encode("latin-1")),
    ],
)
def test_another_encoding_is_named_with_its_line_and_byte(tmp_path: Path, name: str, content: bytes) -> None:
    message = refused(written(tmp_path / name, content))
    assert f"{name} baris 3" in message
    assert "bukan UTF-8 (byte 0xe9)" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,agency\na\n", "a.csv baris 2: 1 kolom, seharusnya 2"),
        ("text,agency\na,b,c\n", "a.csv baris 2: 3 kolom, seharusnya 2"),
        ('text,agency\n"a"x,b\n', "a.csv baris 2: CSV rusak"),
        ('text,agency\n"tidak ditutup,b\n', "a.csv baris 2: CSV rusak"),
        ('"text,agency\n', "a.csv baris 1: CSV rusak"),
        ("isi,agency\na,b\n", "kolom text tidak ada; kolom yang ada: isi, agency"),
        ("text,agency\n", "tidak ada satu baris pun"),
        ("", "tidak ada satu baris pun"),
    ],
)
def test_a_broken_csv_is_refused_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    assert said in refused(written(tmp_path / "a.csv", content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('\n{"text": }\n', "a.jsonl baris 2: JSON rusak pada kolom 10"),
        ('["b"]\n', "a.jsonl baris 1: harus sebuah objek JSON"),
        ("\n\n", "tidak ada satu baris pun"),
    ],
)
def test_broken_json_is_refused_with_line_and_column(tmp_path: Path, content: str, said: str) -> None:
    assert said in refused(written(tmp_path / "a.jsonl", content))


@pytest.mark.parametrize(("name", "said"), [("a.xlsx", "Excel"), ("a.parquet", "Parquet")])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_file_cut_short_is_refused(tmp_path: Path, name: str, said: str, share: float) -> None:
    if name == "a.xlsx":
        book = openpyxl.Workbook()
        book.worksheets[0].append(["text", "agency"])
        book.worksheets[0].append(["Got bau", "satpolpp"])
        book.save(tmp_path / name)
    else:
        pyarrow.parquet.write_table(pa.Table.from_pylist([{"text": "Got bau", "agency": "satpolpp"}]), tmp_path / name)
    content = (tmp_path / name).read_bytes()
    message = refused(written(tmp_path / name, content[: int(len(content) * share)]))
    assert name in message
    assert said in message


def labelled(number: int, units: list[str], portal: Portal) -> list[Example]:
    rows = [
        Row(f"baris {i}", {"text": f"got mampet di gang {i}", "agency": units[i % len(units)]}) for i in range(number)
    ]
    return examples(rows, portal)[0]


def alone(portal: Portal) -> Portal:
    """The portal without shipped knowledge."""
    return replace(portal, settings={**portal.settings, "knowledge": False})


def test_too_few_rows_are_refused_before_any_training(portal: Portal) -> None:
    portal = alone(portal)
    with pytest.raises(DatasetError, match="Hanya 19 laporan berlabel; perlu sedikitnya 20"):
        train(labelled(19, ["satpolpp", "pupr"], portal), portal)


def test_one_agency_alone_is_refused(portal: Portal) -> None:
    portal = alone(portal)
    with pytest.raises(DatasetError, match=r"sedikitnya dua instansi.*satpolpp"):
        train(labelled(40, ["satpolpp"], portal), portal)


def test_thirty_rows_of_two_agencies_are_enough_to_answer(portal: Portal) -> None:
    trained = train(labelled(30, ["satpolpp", "pupr"], portal), portal)
    assert trained.rows == 30
    assert trained.router.policy.auto.of("pupr") > 1
