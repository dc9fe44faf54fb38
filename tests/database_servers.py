"""Real database servers on loopback, in folders of their own; where one is not installed, tests skip and say so."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "p@ss/w:rd?1"


@dataclass(frozen=True)
class Server:
    """A server that runs, and the process that is it."""

    port: int
    process: int
    folder: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged() -> dict[str, object]:
    """Give what starts a process as somebody else than root; servers refuse root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam(next(name for name in ("postgres", "mysql", "nobody") if name in names))
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def owned_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="server-"))
    try:
        if "user" in (them := unprivileged()):
            os.chown(folder, them["user"], them["group"])  # type: ignore[arg-type]
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str], folder: Path) -> None:
    with (folder / "out.txt").open("w+") as out:
        them = unprivileged()
        done = subprocess.run(command, cwd=folder, stdout=out, stderr=out, check=False, **them)  # type: ignore[call-overload]
        out.seek(0)
        assert done.returncode == 0, out.read()


def postgres_programs() -> Path:
    """Give the folder of PostgreSQL's programs, or skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    named = shutil.which("postgres")
    if not found and not named:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent if found else Path(named or "").parent


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """Run a PostgreSQL server whose owner is ``owner``, with `PASSWORD`."""
    programs = postgres_programs()
    with owned_folder() as folder:
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        data = str(folder / "data")
        initdb = ["initdb", "-D", data, "-U", "owner", "--auth=scram-sha-256", f"--pwfile={folder}/password"]
        run([str(programs / initdb[0]), *initdb[1:], "--encoding=UTF8", "--no-locale", "--no-sync"], folder)
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [str(programs / "pg_ctl"), "-D", data]
        run([*control, "-w", "-l", str(folder / "log.txt"), "-o", options, "start"], folder)
        try:
            process = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
            yield Server(port, process, folder)
        finally:
            with contextlib.suppress(AssertionError):
                run([*control, "-m", "immediate", "stop"], folder)


@contextlib.contextmanager
def mariadb() -> Iterator[Server]:
    """Run a MariaDB server with a user ``owner`` and a database ``shop``."""
    program = shutil.which("mariadbd") or shutil.which("mysqld") or shutil.which("mariadbd", path="/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if not program or not install:
        pytest.skip("MariaDB is not installed: apt-get install mariadb-server-core mariadb-client-core")
    with owned_folder() as folder:
        data, port = f"--datadir={folder / 'data'}", free_port()
        run([install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"], folder)
        start = folder / "start.sql"
        start.write_text(
            f"CREATE DATABASE shop;\nCREATE USER owner@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON shop.* TO owner@'127.0.0.1';\n"
        )
        command = [program, "--no-defaults", data, f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
        command += [f"--socket={folder}/socket", f"--pid-file={folder}/pid", f"--init-file={start}"]
        with (folder / "log.txt").open("w") as log:
            them = unprivileged()
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **them)  # type: ignore[call-overload]
        try:
            answers(port, process, folder / "log.txt")
            yield Server(port, process.pid, folder)
        finally:
            process.kill()
            process.wait()


def answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server takes connections."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
