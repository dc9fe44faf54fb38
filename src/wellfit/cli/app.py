"""The commands, assembled."""

from __future__ import annotations

from typing import Annotated

import typer

from wellfit.cli import catalog, doctor, explain, training, tuning, using

__all__ = ["app"]

app = typer.Typer(
    name="wellfit",
    help="Train deep-learning models to a good fit: from raw data to one folder that predicts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from wellfit import __version__

        typer.echo(f"wellfit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for command in (
    training.init,
    training.check,
    training.train,
    training.resume,
    tuning.tune,
    doctor.diagnose,
    doctor.treat,
    using.predict,
    using.evaluate,
    explain.explain,
    using.report,
    catalog.schema,
):
    app.command()(command)
app.command("list")(catalog.list_)
