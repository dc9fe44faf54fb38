"""Where a study is kept: in the folder of the run that it ends in, so that the same command goes on with it.

RUN/config.yaml           the config as it was given, until the final training writes its own
RUN/tuning/config.yaml    the same, for as long as the study goes on
RUN/tuning/settled.json   settings that are the same in all trainings, found before the first
RUN/tuning/journal.jsonl  the trials
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from wellfit.artifact import RunFolder, next_run_path
from wellfit.config import Config, load_config, to_yaml, with_values
from wellfit.config.recipes import given_settings
from wellfit.data.sources.lasting import lasting, name_of
from wellfit.errors import ConfigError, RunFolderError

__all__ = ["StudyFolder", "is_study"]

_LONGEST_NAME = 60
"""Letters of the data's name that a folder takes over."""


def is_study(path: str | os.PathLike[str]) -> bool:
    """Tell whether a folder holds a study that is not finished."""
    return (Path(path) / "tuning" / "config.yaml").is_file()


class StudyFolder:
    """The folder of one study."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.run = RunFolder(path)
        self.path = self.run.path / "tuning"
        self.journal = self.path / "journal.jsonl"
        self.config_file = self.path / "config.yaml"

    @classmethod
    def of(cls, config: Config, data: Any, *, force: bool) -> StudyFolder:
        """Give the folder of a study that was begun with the same config, else one to begin it in.

        Raises:
            RunFolderError: the folder that is named holds something else.
        """
        if config.output.run is None:
            return cls._nameless(config, data)
        folder = cls(config.output.run)
        if not is_study(folder.run.path):
            folder.run.refuse_existing(force=force)
        elif force and not folder._is_of(config):
            shutil.rmtree(folder.path)
        elif not folder._is_of(config):
            raise RunFolderError(
                "The folder holds a study that is not finished, and of another config.",
                got=str(folder.run.path),
                do=f"Finish it with: wellfit resume {folder.run.path}, name another with --out, or give --force.",
            )
        return folder

    @classmethod
    def _nameless(cls, config: Config, data: Any) -> StudyFolder:
        name = _data_name(config, data)
        for path in sorted(Path("runs").glob(f"{name}-*"), key=lambda path: (len(path.name), path.name)):
            if is_study(path) and cls(path)._is_of(config):
                return cls(path)
        return cls(next_run_path(name))

    def _is_of(self, config: Config) -> bool:
        """Tell whether the study is one of a config; how many trials and how long are free to change."""
        own = load_config(self.config_file).config
        free = {"output.run": None, "tune.trials": 1, "tune.time": None, "tune.workers": "auto"}
        return given_settings(with_values(own, free)) == given_settings(with_values(_lasting(config), free))

    def begin(self, config: Config) -> None:
        """Write the config down, unless the study was begun before."""
        settled = _lasting(with_values(config, {"output.run": str(self.run.path)}))
        if not is_study(self.run.path):
            self.run.clear()
            self.run.write_text("config.yaml", to_yaml(settled))
        self.path.mkdir(parents=True, exist_ok=True)
        # Only what was given: what is left open is settled anew for each trial. JSON is YAML.
        RunFolder(self.path).write_text("config.yaml", json.dumps(given_settings(settled), indent=1))

    def settle(self, values: dict[str, Any]) -> None:
        """Write down what is the same in all trainings."""
        RunFolder(self.path).write_json("settled.json", values)

    def settled(self) -> dict[str, Any] | None:
        """Give what is the same in all trainings, by dotted key; None where that is not known yet."""
        file = self.path / "settled.json"
        values: dict[str, Any] | None = json.loads(file.read_text()) if file.is_file() else None
        return values

    def read(self) -> Config:
        """Give the config of the study."""
        config = load_config(self.config_file).config
        if config.data.source is None:
            raise RunFolderError(
                "A study is gone on with from its source, and the rows of this one were in memory.",
                got=str(self.run.path),
                do="Call wellfit.tune with the same rows and settings.",
            )
        return config

    def expect_rows(self, before: str | None, now: str) -> None:
        """Raise `ConfigError` where the rows are others than when the study was begun."""
        if before is not None and before != now:
            raise ConfigError(
                "A study goes on with the rows it was begun with, and these are others.",
                got=str(self.run.path),
                do="Name another folder with --out.",
            )

    def close(self) -> None:
        """Remove what only an unfinished study needs."""
        shutil.rmtree(self.path, ignore_errors=True)


def _lasting(config: Config) -> Config:
    """Give a config whose sources are found from any folder, and that holds no secret."""
    places = {"source": config.data.source, "valid": config.data.valid, "test": config.data.test}
    return with_values(config, {f"data.{name}": lasting(place) for name, place in places.items() if place is not None})


def _data_name(config: Config, data: Any) -> str:
    source = config.data.source if data is None else data
    if not isinstance(source, (str, Path, tuple)):
        return "table"
    return name_of(source if isinstance(source, tuple) else os.fspath(source))[:_LONGEST_NAME] or "table"
