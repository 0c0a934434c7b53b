"""What the operator decides, read from the environment once, where a process begins."""

import os
import secrets
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from router_model.errors import AduanError

METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder where the counters of several processes meet; the Prometheus client reads it when imported."""


class SettingsError(AduanError):
    """An environment variable that cannot be used."""


class Settings(BaseSettings):
    """Each field is an environment variable: `home` is `ADUAN_HOME`. `docs/operator.md` says what each one is for.
    Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="ADUAN_", env_ignore_empty=True, frozen=True)

    home: Path = Path("var")
    database_url: Annotated[str, Field(repr=False)] = ""
    secret: Annotated[str, Field(repr=False)] = ""
    requests_per_minute: Annotated[int, Field(ge=1)] = 1_200
    most_running: Annotated[int, Field(ge=1)] = 64
    most_seconds: Annotated[float, Field(gt=0)] = 30.0
    most_body: Annotated[int, Field(ge=1_000)] = 1_000_000
    most_upload: Annotated[int, Field(ge=1_000)] = 50_000_000
    keep_days: Annotated[int, Field(ge=0)] = 0
    secure_cookies: bool = False
    webhook_private: bool = False
    log_level: str = "info"

    @property
    def registry(self) -> Path:
        return self.home / "registry"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'aduan.db'}"

    @property
    def signing_secret(self) -> bytes:
        """Signs sessions and fingerprints of requests. Made once in `home`, unless `ADUAN_SECRET` gives it."""
        if self.secret:
            return self.secret.encode()
        path = self.home / "secret"
        self.home.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.{secrets.token_hex(4)}")
        draft.touch(0o600)
        draft.write_text(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_bytes()


def settings_from_environment() -> Settings:
    """Raises `SettingsError`, naming each variable that does not hold what its field needs."""
    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(sorted({f"ADUAN_{str(fault['loc'][0]).upper()}" for fault in error.errors()}))
        raise SettingsError(f"Isi yang tidak dapat dipakai: {names}. Lihat docs/operator.md.") from None
