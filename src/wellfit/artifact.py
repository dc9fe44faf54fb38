"""The run folder on disk: what is in it, how it is written and read, and its versions.

    config.yaml          the resolved config: training from it gives the same weights
    plan.json            source, rows, cleaning, target and features, as plain numbers
    model.json           the architecture, its options and its shape
    model.safetensors    the weights
    history.parquet      what training recorded
    findings.json        what was found
    metrics.json         the scores; written last, so that a folder with it is a finished run
    evaluation.json      how the predictions of the scored rows are distributed
    learning_curve.json  what more rows would bring, where that was measured
    tuning.json          how settings were searched for, where they were
    explanation.json     which columns the predictions hang on, where that was measured
    set_aside.csv        rows that were used nowhere, with the reason; only where there are any
    report.html, MODEL_CARD.md, log.txt, checkpoint/

Every file is written under a temporary name and renamed, so that none is ever half written.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from wellfit.errors import RunFailed, RunFolderError
from wellfit.findings import Finding
from wellfit.history import History

__all__ = ["FORMAT_VERSION", "RunFolder", "next_run_path"]

FORMAT_VERSION = 1

_FILES = (
    "config.yaml",
    "plan.json",
    "model.json",
    "model.safetensors",
    "history.parquet",
    "findings.json",
    "metrics.json",
    "evaluation.json",
    "learning_curve.json",
    "treatment.json",
    "tuning.json",
    "explanation.json",
    "set_aside.csv",
    "report.html",
    "MODEL_CARD.md",
    "log.txt",
)

_KEYS = {
    "config.yaml": ("data", "split", "clean", "features", "model", "train", "output"),
    "plan.json": ("source", "rows", "split", "target", "cleaning", "features", "not_features"),
    "model.json": ("type", "options", "inputs", "outputs", "loss", "parameters"),
    "metrics.json": ("valid", "baselines"),
    "evaluation.json": ("split", "task"),
}
"""Mappings, and what each holds at the least."""


class RunFolder:
    """One run on disk."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.resolve().name

    @property
    def begun(self) -> bool:
        """Whether a run was begun here; it can then be resumed."""
        return (self.path / "config.yaml").is_file()

    @property
    def finished(self) -> bool:
        """Whether the run was finished."""
        return (self.path / "metrics.json").is_file()

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoint"

    def refuse_existing(self, *, force: bool) -> None:
        """Raise `RunFolderError` where a run would be overwritten, or where the path is something else."""
        if not os.path.exists(self.path):
            return
        if not self.path.is_dir():
            raise RunFolderError("A run is written into a folder.", got=str(self.path), do="Name another with --out.")
        left_over = set(self._left_over())
        if all(path in left_over for path in self.path.iterdir()):
            return
        if not self.begun:
            raise RunFolderError(
                "A run is never written into a folder that holds other files.",
                got=str(self.path),
                do="Name a new or an empty one with --out.",
            )
        if not force:
            raise RunFolderError(
                "An existing run is never overwritten unasked.",
                got=str(self.path),
                do="Name another with --out, or give --force.",
            )

    def clear(self) -> None:
        """Remove the files of a former run, before its config is overwritten; other files are left alone.

        First goes what makes it a finished run; its config stays, so that it is a run, killed at any moment.
        The folder is made where there is none; one that can't be made or written is a `RunFolderError`.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self.path))
            for name in ("metrics.json", *_FILES):
                if name != "config.yaml":
                    (self.path / name).unlink(missing_ok=True)
            shutil.rmtree(self.checkpoints, ignore_errors=True)
            self.tidy()
        except OSError as error:
            got = f"{error.strerror}: {error.filename}"
            rule = "A run's folder must be one that can be made and written."
            raise RunFolderError(rule, got=got, do="Name another with --out.") from None

    def tidy(self) -> None:
        """Remove half-written files that a killed process left."""
        for path in self._left_over():
            path.unlink(missing_ok=True)

    def _left_over(self) -> list[Path]:
        return [path for name in _FILES if (path := self._temporary(name)).exists()]

    def _temporary(self, name: str) -> Path:
        return self.path / f".{name}.part"

    def write_text(self, name: str, text: str) -> None:
        """Write a text file, whole or not at all."""
        self._write(name, text.encode())

    def write_json(self, name: str, record: Any) -> None:
        """Write a JSON file, whole or not at all; numbers that are not finite are an error of ours."""
        self.write_text(name, json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def write_versioned(self, name: str, record: Mapping[str, Any]) -> None:
        """Write a JSON file that carries the version of the format."""
        self.write_json(name, {"version": FORMAT_VERSION, **record})

    def write_weights(self, state: Mapping[str, Any]) -> None:
        """Write the weights; nothing but them is in the file, so that equal weights are equal files."""
        from safetensors.torch import save

        self._write("model.safetensors", save({name: value.contiguous().cpu() for name, value in state.items()}))

    def write_history(self, history: History) -> None:
        """Write the history."""
        self._placed("history.parquet", history.write)

    def write_findings(self, findings: Sequence[Finding]) -> None:
        """Write the findings."""
        self.write_json("findings.json", [finding.as_dict() for finding in findings])

    def _write(self, name: str, data: bytes) -> None:
        self._placed(name, lambda path: path.write_bytes(data))

    def _placed(self, name: str, write: Callable[[Path], object]) -> None:
        """Let a file be written under a temporary name, flush it to the disk, and rename it."""
        temporary = self._temporary(name)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, self.path / name)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise RunFailed(
                "A run's files must be written, and the disk refused it.",
                got=f"{error.strerror or error}: {self.path / name}",
                do="Make room or name another folder, then resume the run.",
            ) from None

    def read_config(self) -> dict[str, Any]:
        """Read the resolved config as plain data."""
        self._expect_begun()
        try:
            config = yaml.safe_load(self._text("config.yaml"))
        except (yaml.YAMLError, RecursionError) as error:
            raise self.altered("config.yaml", str(error)) from None
        self._check_keys("config.yaml", config)
        return dict(config)

    def read_versioned(self, name: str) -> dict[str, Any]:
        """Read a JSON file that carries the version of the format, brought to the present one."""
        record = self.read_json(name)
        version = record.get("version")
        if not isinstance(version, int):
            raise self.altered(name, "it has no version")
        if version > FORMAT_VERSION:
            raise RunFolderError(
                f"Runs up to format version {FORMAT_VERSION} are read here.",
                got=f"{self.path / name} of version {version}",
                do="Install a newer wellfit.",
            )
        return {key: value for key, value in record.items() if key != "version"}

    def read_json(self, name: str) -> Any:
        """Read a JSON file of a finished run."""
        self.expect_finished()
        try:
            record = json.loads(self._text(name))
        except (json.JSONDecodeError, RecursionError) as error:
            raise self.altered(name, str(error)) from None
        self._check_keys(name, record)
        return record

    def _check_keys(self, name: str, record: Any) -> None:
        for key in _KEYS.get(name, ()):
            if not isinstance(record, dict) or key not in record:
                raise self.altered(name, f"it has no {key}")

    def read_weights(self) -> dict[str, Any]:
        """Read the weights."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        self.expect_finished()
        try:
            return load_file(self.path / "model.safetensors")
        except (SafetensorError, OSError) as error:
            raise self.altered("model.safetensors", str(error)) from None

    def read_history(self) -> History:
        """Read the history."""
        self.expect_finished()
        return History.read(self.path / "history.parquet")

    def read_findings(self) -> list[Finding]:
        """Read the findings."""
        records = self.read_json("findings.json")
        try:
            return [Finding.from_dict(record) for record in records]
        except (AttributeError, TypeError, ValueError) as error:
            raise self.altered("findings.json", str(error)) from None

    def read_learning_curve(self) -> dict[str, Any] | None:
        """Read what more rows would bring; None where that was not measured."""
        return self._read_optional("learning_curve.json")

    def read_tuning(self) -> dict[str, Any] | None:
        """Read how settings were searched for; None where they were not."""
        return self._read_optional("tuning.json")

    def read_explanation(self) -> dict[str, Any] | None:
        """Read which columns the predictions hang on; None where that was not measured."""
        return self._read_optional("explanation.json")

    def _read_optional(self, name: str) -> dict[str, Any] | None:
        return self.read_json(name) if (self.path / name).is_file() else None

    def expect_finished(self) -> None:
        """Raise `RunFolderError` unless a finished run is here."""
        self._expect_begun()
        if not self.finished:
            raise RunFolderError(
                "This run was not finished.", got=str(self.path), do=f"Finish it with: wellfit resume {self.path}"
            )

    def _expect_begun(self) -> None:
        if not self.begun:
            raise RunFolderError(
                "A run is a folder that wellfit train wrote.",
                got=str(self.path),
                do="Name such a folder." if self.path.is_dir() else "There is no such folder.",
            )

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.altered(name, str(error)) from None

    def altered(self, name: str, why: str) -> RunFolderError:
        """Give the error for a file that is not as it was written."""
        return RunFolderError(
            f"The file {name} of a run must be as wellfit wrote it.", got=" ".join(why.split()), do="Train it anew."
        )


def next_run_path(data_name: str, root: Path = Path("runs")) -> Path:
    """Give the first folder ``runs/<data>-<n>`` that is not there yet.

    >>> next_run_path("adult", Path("/nowhere")).as_posix()
    '/nowhere/adult-1'
    """
    number = 1
    while (root / f"{data_name}-{number}").exists():
        number += 1
    return root / f"{data_name}-{number}"
