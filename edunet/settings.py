"""One documented TOML file plus environment variables, composed from the parts' own settings.

Order, the first that is set wins: environment (`EDUNET_COLLECTOR__LIVENESS_EVERY_S=10`), the file named by `EDUNET_CONFIG`
or `edunet.toml` in the working directory or `/etc/edunet/edunet.toml`, the defaults. Every setting has a default that is right for one machine.
"""

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from api.settings import ApiSettings
from collector.settings import CollectorSettings
from demo.settings import DemoSettings
from inventory.settings import InventorySettings


class LogSettings(BaseModel):
    """What goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is printed."
    )
    format: Literal["text", "json"] = Field(default="text", description="A line of text, or a JSON object a line.")


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="EDUNET_", env_nested_delimiter="__", extra="forbid")

    state_dir: str = Field(
        default="", description="Directory of all state; empty: `state/` beside the virtual environment."
    )
    timezone: str = Field(default="Asia/Shanghai", description="Time zone of pages, calendars and reports.")
    inventory: InventorySettings = InventorySettings()
    collector: CollectorSettings = CollectorSettings()
    api: ApiSettings = ApiSettings()
    demo: DemoSettings = DemoSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: Any,
        env_settings: Any,
        dotenv_settings: Any,
        file_secret_settings: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        found = config_file()
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if found:
            sources.append(TomlConfigSettingsSource(settings_cls, toml_file=found))
        return tuple(sources)

    def state(self) -> Path:
        """The state directory, made if it is missing (0700)."""
        path = Path(self.state_dir) if self.state_dir else _default_state()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "run").mkdir(mode=0o700, exist_ok=True)
        return path.absolute()

    def database_url(self) -> str:
        """SQLAlchemy address of the real register."""
        return self.inventory.database_url or f"sqlite:///{self.state() / 'edunet.db'}"

    def key_file(self) -> Path:
        """The file with the key that seals credentials."""
        return Path(self.inventory.key_file) if self.inventory.key_file else self.state() / "secret.key"


def config_file() -> Path | None:
    """The configuration file in use, or None. A file named by EDUNET_CONFIG that is missing raises FileNotFoundError."""
    named = os.environ.get("EDUNET_CONFIG")
    if named:
        if not Path(named).is_file():
            raise FileNotFoundError(f"EDUNET_CONFIG names {named}, which is no file")
        return Path(named)
    for path in (Path("edunet.toml"), Path("/etc/edunet/edunet.toml")):
        if path.is_file():
            return path
    return None


def _default_state() -> Path:
    beside = Path(sys.prefix).parent
    if sys.prefix != sys.base_prefix and os.access(beside, os.W_OK):
        return beside / "state"
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "edunet"
