"""Klien kecil untuk layanan Aduan; salin dan ubah seperlunya. Perlu Python 3.11 dan httpx.

    with Aduan("http://127.0.0.1:8000", kunci) as aduan:
        saran = aduan.suggest({"external_id": "PRO-1", "text": "Lampu jalan di depan balai banjar mati"})
        aduan.dispose("PRO-1", agency=saran["agencies"][0]["code"], by="disposisi01")

Permintaan yang ditolak sementara (429, 503) atau terputus diulang dengan Idempotency-Key yang sama, jadi tidak ada yang
tercatat dua kali.
"""

import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NotRequired, Self, TypedDict, cast

import httpx

BATCH = 500
AGAIN = frozenset({429, 503})
_random = secrets.SystemRandom()


class Location(TypedDict, total=False):
    address: str
    village: str
    district: str
    lat: float
    lon: float
    area_code: str


class Complaint(TypedDict):
    """Jangan kirim nama, NIK, atau nomor telepon sebagai kolom; layanan menolak kolom yang tidak dikenal."""

    text: str
    external_id: NotRequired[str]
    title: NotRequired[str]
    channel: NotRequired[str]
    received_at: NotRequired[str]
    location: NotRequired[Location]
    anonymous: NotRequired[bool]
    confidential: NotRequired[bool]


class Agency(TypedDict):
    code: str
    name: str
    external: bool
    p: float


class Suggestion(TypedDict):
    """Sebagian isi jawaban; lihat /openapi.json untuk semuanya."""

    id: str
    external_id: str
    agencies: list[Agency]
    candidates: int
    route: str
    route_label: str
    missing: list[str]
    release: str | None


class BatchItem(TypedDict):
    status: int
    suggestion: Suggestion | None
    problem: dict[str, Any] | None


class RefusedError(Exception):
    """Layanan menolak; `problem` ialah badan RFC 9457, tanpa isi laporan."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail') or problem.get('title', '')}")
        self.status = status
        self.problem = problem


class Aduan:
    def __init__(
        self, url: str, key: str, seconds: float = 10.0, attempts: int = 5, longest_wait: float = 65.0
    ) -> None:
        """Menyerah setelah `attempts` percobaan, atau bila diminta menunggu lebih lama dari `longest_wait` detik."""
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=httpx.Timeout(seconds, connect=3.0))
        self._attempts, self._longest_wait = attempts, longest_wait

    def suggest(self, complaint: Complaint) -> Suggestion:
        return cast(Suggestion, self._ask("POST", "/v1/suggestions", complaint))

    def suggest_many(self, complaints: Sequence[Complaint]) -> list[BatchItem]:
        """Sebanyak apa pun; dikirim 500 demi 500, dijawab menurut urutannya."""
        items: list[BatchItem] = []
        for start in range(0, len(complaints), BATCH):
            answer = self._ask("POST", "/v1/suggestions/batch", {"complaints": complaints[start : start + BATCH]})
            items += answer["items"]
        return items

    def dispose(self, external_id: str, *, agency: str, **chosen: str) -> dict[str, Any]:
        """`chosen`: category, urgency, report_type, by, reason."""
        return self._ask("POST", "/v1/dispositions", {"external_id": external_id, "agency": agency, **chosen})

    def refuse(self, external_id: str, *, refused_by: str, **told: str) -> dict[str, Any]:
        """Instansi menolak karena bukan wewenangnya. `told`: by, reason, dan agency bila tujuan barunya sudah ada."""
        return self._ask("POST", "/v1/dispositions", {"external_id": external_id, "refused_by": refused_by, **told})

    def taxonomy(self) -> dict[str, Any]:
        return self._ask("GET", "/v1/taxonomy")

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        for attempt in range(1, self._attempts + 1):
            try:
                answer = self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                if attempt == self._attempts:
                    raise
                pause = _pause(attempt)
            else:
                if answer.is_success:
                    return cast(dict[str, Any], answer.json())
                pause = _pause(attempt, answer.headers.get("Retry-After", ""))
                if answer.status_code not in AGAIN or attempt == self._attempts or pause > self._longest_wait:
                    raise RefusedError(answer.status_code, _problem(answer))
            time.sleep(pause)
        raise AssertionError("attempts harus sedikitnya 1")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


def _pause(attempt: int, retry_after: str = "") -> float:
    """Retry-After bila ada, kalau tidak 0,5, 1, 2, ... detik; ditambah sedikit acak agar tidak serempak."""
    wait = float(retry_after) if retry_after.isdigit() else 0.5 * 2.0 ** (attempt - 1)
    return wait + _random.uniform(0, 0.25)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return cast(dict[str, Any], answer.json())
    return {"title": answer.reason_phrase}
