"""The published description, and what schemathesis makes of it: every call, with all checks."""

import copy
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from served import LAMP, Service, serving
from sqlalchemy import select, update

from service.database.schema import webhook_deliveries

AGREED = {
    "/v1/suggestions": {"post"},
    "/v1/suggestions/batch": {"post"},
    "/v1/suggestions/{suggestion_id}": {"get"},
    "/v1/dispositions": {"post"},
    "/v1/taxonomy": {"get"},
    "/open311/v2/services.json": {"get"},
    "/open311/v2/requests.json": {"get", "post"},
    "/v1/review/next": {"get"},
    "/v1/review/{suggestion_id}/decision": {"post"},
    "/v1/review/{suggestion_id}/skip": {"post"},
    "/v1/review/{suggestion_id}/undo": {"post"},
    "/v1/review/stats": {"get"},
    "/v1/datasets": {"get", "post"},
    "/v1/trainings": {"get", "post"},
    "/v1/trainings/{training_id}": {"get"},
    "/v1/releases": {"get"},
    "/v1/releases/{release_id}/promote": {"post"},
    "/v1/releases/rollback": {"post"},
    "/livez": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}
ACCEPTED = ["2xx", "401", "403", "404", "409"]
WORD_OR_ID = ["/v1/suggestions/batch", "/v1/webhooks/dead", "/v1/releases/rollback"]
EXAMPLES = 12
Description = dict[str, Any]


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url, webhook_private=True) as started:
        yield started


@pytest.fixture(scope="module")
def published(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Description, Service]]:
    home = tmp_path_factory.mktemp("openapi")
    with serving(home, towns, f"sqlite:///{home / 'aduan.db'}") as started:
        yield httpx.get(f"{started.url}/openapi.json", trust_env=False).json(), started


def test_every_agreed_call_is_described_in_words(published: tuple[Description, Service]) -> None:
    described, _ = published
    for path, methods in AGREED.items():
        assert methods <= described["paths"][path].keys(), path
    for path, methods_of_path in described["paths"].items():
        for method, call in methods_of_path.items():
            assert call.get("summary"), f"{method} {path} has no summary"
            assert call.get("security") or not path.startswith("/v1/"), f"{method} {path} does not say it needs a key"
    answer = described["components"]["schemas"]["SuggestionOut"]["properties"]
    assert all(answer[field]["description"] for field in ("candidates", "category_group", "release"))


def test_the_published_example_is_accepted_as_it_stands(published: tuple[Description, Service]) -> None:
    described, service = published
    examples = described["components"]["schemas"]["ComplaintIn"]["examples"]
    assert examples
    for body in examples:
        assert service.small.post("/v1/suggestions", json=body).status_code == 201


def test_a_method_that_is_not_there_is_told_which_are(published: tuple[Description, Service]) -> None:
    _, service = published
    for path, allowed in (("/v1/datasets", "GET, POST"), ("/v1/releases/rollback", "POST"), ("/v1/releases/x", "GET")):
        answer = service.small.delete(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def known(service: Service) -> Mapping[str, list[str]]:
    """What exists in the portal, by the name of the parameter or field that says it."""

    def made(path: str, **sent: Any) -> str:
        answer = service.small.post(path, **sent)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    hooks = [
        made("/v1/webhooks", json={"url": "http://127.0.0.1:9/", "events": ["suggestion.created"]}) for _ in range(3)
    ]
    asked = [service.asked(text=text, external_id=f"N-{n}")["id"] for n, text in enumerate((LAMP, "tolong", "rusak"))]
    rows = f"text,agency\n{LAMP},Dinas Perhubungan\n"
    sets = [made("/v1/datasets", files={"file": (f"{n}.csv", f"{rows}{LAMP} {n},Dinas Kebersihan\n")}) for n in "ab"]
    with service.database.begin() as connection:
        connection.execute(update(webhook_deliveries).values(state="dead"))
        deliveries = connection.execute(select(webhook_deliveries.c.id)).scalars().all()
    taxonomy = service.small.get("/v1/taxonomy").json()
    categories = [category["code"] for category in taxonomy["categories"]]
    return {
        "suggestion_id": asked,
        "service_request_id": asked,
        "token_id": asked,
        "dataset_id": sets,
        "training_id": [made("/v1/trainings", json={}) for _ in range(2)],
        "release_id": [release["id"] for release in service.small.get("/v1/releases").json()["releases"]],
        "webhook_id": hooks,
        "delivery_id": list(deliveries),
        "service_code": categories,
        "jurisdiction_id": ["kota-kecil"],
        "agency": [agency["name"] for agency in taxonomy["agencies"]],
        "category": categories,
        "urgency": [level["code"] for level in taxonomy["urgency"]],
        "report_type": list(taxonomy["report_types"]),
        "url": ["http://127.0.0.1:9/aduan"],
    }


def told_what_is_known(described: Description, values: Mapping[str, list[str]]) -> Description:
    """No description can say which labels and numbers a portal has; this one says those of the test's portal, so
    that what is valid by it must be accepted and everything else refused."""
    told = copy.deepcopy(described)
    for calls in told["paths"].values():
        for call in calls.values():
            for parameter in call.get("parameters", []):
                if parameter["name"] in values and parameter["in"] == "path":
                    parameter["schema"] = {"type": "string", "enum": values[parameter["name"]]}
    schemas = told["components"]["schemas"]
    for name in ("DispositionIn", "DecisionIn", "WebhookIn", "RequestIn"):
        for field, schema in schemas[name]["properties"].items():
            if field in values:
                optional = [""] if schema.get("default") == "" else []
                schema.update({"enum": [*values[field], *optional]})
                schema.pop("examples", None)
    schemas["TrainingIn"]["properties"]["datasets"]["items"] = {"type": "string", "enum": values["dataset_id"]}
    return told


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """A key for each request: schemathesis sends the same short ones again with other bodies, which is refused."""
    if case.headers and 0 < len(str(case.headers.get("Idempotency-Key", ""))) < 200:
        case.headers["Idempotency-Key"] = secrets.token_hex(8)


def configuration(service: Service) -> SchemathesisConfig:
    accepted = {"expected-statuses": ACCEPTED}
    return SchemathesisConfig.from_dict(
        {
            "base-url": service.url,
            "headers": {"Authorization": service.small.headers["Authorization"]},
            "continue-on-failure": True,
            "seed": 1,
            "generation": {"max-examples": EXAMPLES, "database": "none"},
            "checks": {"positive_data_acceptance": accepted},
            "operations": [
                # What makes a file one that can be learned from is not for a description to say.
                {
                    "include-path": "/v1/datasets",
                    "include-method": "POST",
                    "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "422"]}},
                },
                # The last word of these is also taken for an id: GET /v1/suggestions/batch asks for suggestion "batch".
                {"include-path": WORD_OR_ID, "checks": {"unsupported_method": {"enabled": False}}},
            ],
        }
    )


def test_schemathesis_finds_nothing(service: Service) -> None:
    described = httpx.get(f"{service.url}/openapi.json", trust_env=False).json()
    told = told_what_is_known(described, known(service))
    schema = schemathesis.openapi.from_dict(told, config=configuration(service))
    found, checked = [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, ScenarioFinished):
            for check in (check for checks in event.recorder.checks.values() for check in checks):
                checked.add(check.name)
                if check.failure_info:
                    failure, example = check.failure_info.failure, check.failure_info.code_sample
                    found.append(f"{event.recorder.label}: {failure.title}: {failure.message}\n{example}")
        elif isinstance(event, NonFatalError | FatalError):
            found.append(str(event.info.message if isinstance(event, NonFatalError) else event.exception))
    assert not found, "\n\n".join(found)
    assert {"not_a_server_error", "response_schema_conformance", "ignored_auth", "negative_data_rejection"} <= checked
