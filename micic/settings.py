"""The only reader of the environment: small classes by concern, every variable named MICIC_*.

Read by the doors and handed down as values; a capability never reads settings. Imports nothing of ours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SYSTEM_DATA = Path("/var/lib/micic")

# database role -> the field that holds its address
_ROLE_FIELDS = {
    "micic_app": "database_url",
    "micic_worker": "worker_database_url",
    "micic_owner": "owner_database_url",
    "micic_public": "public_database_url",
    "micic_exercise": "exercise_database_url",
    "micic_readonly": "readonly_database_url",
    "micic_backup": "backup_database_url",
}


class SettingMissing(RuntimeError):
    """A variable that this command needs is absent or malformed; the message names it."""


class Databases(BaseSettings):
    """One address per role (postgresql://...). A role never falls back to the address of another."""

    model_config = SettingsConfigDict(env_prefix="MICIC_", extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    worker_database_url: SecretStr | None = None
    owner_database_url: SecretStr | None = None
    public_database_url: SecretStr | None = None
    exercise_database_url: SecretStr | None = None
    readonly_database_url: SecretStr | None = None
    backup_database_url: SecretStr | None = None

    @classmethod
    def of_roles(cls, urls: Mapping[str, str]) -> Self:
        """From role -> address, as Cluster.urls gives it; the environment plays no part."""
        return cls.model_validate({_ROLE_FIELDS[role]: url for role, url in urls.items()})

    @property
    def is_configured(self) -> bool:
        """Whether the deployment names its own database; if not, the private cluster is used."""
        return self.database_url is not None

    def url(self, role: str) -> str:
        """The address for one role; SettingMissing names the variable when there is none."""
        field = _ROLE_FIELDS[role]
        secret: SecretStr | None = getattr(self, field)
        if secret is None:
            raise SettingMissing(f"MICIC_{field.upper()} is not set: the address of the database as {role}")
        return secret.get_secret_value()

    def environment(self) -> dict[str, str]:
        """The variables that give a child process the same databases."""
        secrets = {field: getattr(self, field) for field in _ROLE_FIELDS.values()}
        return {f"MICIC_{field.upper()}": s.get_secret_value() for field, s in secrets.items() if s is not None}


class Keys(BaseSettings):
    """The master keys, `id:base64 of 32 bytes`, the current one first: MICIC_MASTER_KEY, or the file
    MICIC_MASTER_KEY_FILE. Read by `micic.security.crypto.MasterKeys.parse`.
    """

    model_config = SettingsConfigDict(env_prefix="MICIC_", extra="ignore", frozen=True)

    master_key: SecretStr | None = None
    master_key_file: Path | None = None

    def text(self) -> str:
        """The keys as configured; SettingMissing if absent or unreadable."""
        if self.master_key is not None:
            return self.master_key.get_secret_value().strip()
        if self.master_key_file is None:
            raise SettingMissing("set MICIC_MASTER_KEY or MICIC_MASTER_KEY_FILE; make a key with `micic keys new`")
        try:
            return self.master_key_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingMissing(f"MICIC_MASTER_KEY_FILE cannot be read: {error}") from error


class Mail(BaseSettings):
    """Where e-mail is handed over: smtp://, smtp+starttls:// or smtps://user:password@host:port."""

    model_config = SettingsConfigDict(env_prefix="MICIC_", extra="ignore", frozen=True)

    smtp_url: SecretStr | None = None
    mail_from: str = "crisis-cell@localhost"


class Web(BaseSettings):
    """The address people see, and the one the server listens on."""

    model_config = SettingsConfigDict(env_prefix="MICIC_", extra="ignore", frozen=True)

    public_url: str = "http://127.0.0.1:8000"
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8000, ge=0, le=65535)


def default_data() -> Path:
    """/var/lib/micic for root, else the user's own data folder."""
    if os.geteuid() == 0:
        return SYSTEM_DATA
    home = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(home) / "micic"


class Storage(BaseSettings):
    """Where this machine keeps the private cluster, keys of the demo and finished exports."""

    model_config = SettingsConfigDict(env_prefix="MICIC_", extra="ignore", frozen=True)

    data: Path = Field(default_factory=default_data)
