"""From a source larger than memory to shards on disk: two passes over its rows, and none where it was done before.

The first pass counts rows, finds copies, reads the target, and takes a sample. Rows are dealt by their numbers. Plans
are learned on the training rows of the sample, the target's on all of them. The second pass replays the plans batch by
batch and lays the rows down as a network reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.config import Config, as_mapping, with_recipe, with_values
from wellfit.data.cleaning import CleaningPlan, TargetPlan
from wellfit.data.features import FeaturePlan
from wellfit.data.large.cache import Cache
from wellfit.data.large.shards import Shards
from wellfit.data.large.stream import RowStream, files_of, identity, outgrows_memory, passes_by, streamed
from wellfit.data.sources.contents import checksum_of
from wellfit.data.sources.lasting import secrets_kept_out
from wellfit.data.sources.many.finding import FileSet
from wellfit.data.sources.paths import masked
from wellfit.data.sources.remote import Near
from wellfit.data.sources.web.headers import headers_kept_out, lasting_headers
from wellfit.data.table import SourceRecord
from wellfit.errors import ConfigError, DataError, RunFailed
from wellfit.findings import Finding
from wellfit.preparation_findings import crosses_found
from wellfit.preparation_settings import lasting_source, method_of
from wellfit.prepared_shards import PreparedShards
from wellfit.sharding.arrivals import Arrivals
from wellfit.sharding.laying import MOST_ASIDE, Laid, laid_down, row_bytes
from wellfit.sharding.learning import Learned, learned

__all__ = ["Arrivals", "is_streamed", "prepare_shards"]

LAYOUT = 1
"""Goes up where shards of an earlier version must not be taken for those of this one."""

_ASIDE = "set_aside.arrow"


def is_streamed(config: Config, place: Any) -> bool:
    """Say whether a source is read in batches: as the config says, or because it would not fit in memory.

    Args:
        config: what says so.
        place: what `Arrivals` gives as the source.

    Raises:
        ConfigError: the source is of a kind that is read as a whole, or rows have weights.
    """
    asked = config.data.streamed
    large = asked is True or (asked == "auto" and outgrows_memory(place) and passes_by(place))
    if large and config.data.weight is not None:
        rule = "Rows that are read in batches all count alike."
        raise ConfigError(rule, got=f"data.weight {config.data.weight}", do="Leave it out, or data.streamed: false.")
    if asked is True and not passes_by(place):
        raise _refused(place)
    return large


def _refused(place: Any) -> ConfigError:
    rule = "'data.streamed: true' is for delimited text, Parquet, Arrow, records a line, and databases."
    return ConfigError(rule, got=str(place) if isinstance(place, (Near, Path, str)) else type(place), do="Try auto.")


def prepare_shards(config: Config, arrivals: Arrivals) -> PreparedShards | None:
    """Read, split and learn the plans, and lay the rows down; None where a file is of a kind read as a whole.

    Raises:
        RunFailed: there is no room for the shards.
    """
    config, notes = _of_one_network(config)
    cache, places = arrivals.cache, {"source": arrivals.source, **arrivals.own}
    key = _key_of(config, {name: _identity(place, cache) for name, place in places.items()})
    shards = _found(cache, key, notes)
    if shards is None:
        streams = _streams(config, places, arrivals)
        if streams is None:
            return None
        notes += _made(config, streams, cache, key, arrivals.workspace)
        held = cache.find(key)
        if held is None:
            raise RunFailed("The rows that were laid down are gone.", got=str(cache.folder), do="Start again.")
        shards = Shards(held, fresh=True)
    prepared = _prepared(config, shards, arrivals, notes)
    cache.name_too(key, _key_of(prepared.config, shards.record["identities"]))
    return prepared


def _of_one_network(config: Config) -> tuple[Config, list[str]]:
    """Have one network trained where an ensemble is asked for, whose members each read other rows; say so.

    Within a time it is RealMLP, which learns more in it (30 s: California housing 9 % less RMSE than an MLP, Beijing's
    air 17 %, bank 1 % less log loss). Without a limit its recipe, of 256 epochs, would take too long.
    """
    if config.model["type"] != "ensemble":
        return config, []
    name = "mlp" if config.train.time is None else "realmlp"
    note = f"One network ({name}) is trained, not an ensemble: rows that are read in batches are held out once."
    return with_values(config, {"model": {"type": name}}), [note]


def _identity(place: Any, cache: Cache) -> str:
    """Give a checksum of a source's bytes, or of a database's rows."""
    if isinstance(place, RowStream):
        return place.record.checksum
    files = files_of(place)
    if files is None:
        raise _refused(place)
    return identity(files, _checksum(place, cache))


def _checksum(place: Any, cache: Cache) -> Callable[[Path], str]:
    """Give what gives a file's checksum; of files that are here for a while only, none is noted down."""
    return checksum_of if isinstance(place, Near) else cache.checksum


def _key_of(config: Config, identities: Mapping[str, str]) -> str:
    """Give the key of what the shards hold: the sources' bytes, the settings, and the versions that read them."""
    settings = as_mapping(config)
    free = ("source", "valid", "test", "headers", "streamed", "cache")
    facts = {
        "layout": LAYOUT,
        "versions": [metadata.version(name) for name in ("wellfit", "polars", "numpy", "scikit-learn")],
        "sources": dict(identities),
        "data": {name: value for name, value in settings["data"].items() if name not in free},
        "clean": {name: value for name, value in settings["clean"].items() if name != "on_schema"},
        **{name: settings[name] for name in ("split", "features")},
        "model": config.model["type"],
    }
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _streams(config: Config, places: Mapping[str, Any], arrivals: Arrivals) -> dict[str, RowStream] | None:
    """Open the sources, the first one first: what it has for a header, the others have too."""
    streams: dict[str, RowStream] = {}
    header = config.data.header
    for name, place in places.items():
        checksum = _checksum(place, arrivals.cache)
        stream = streamed(place, header, spooling=arrivals.spool, checksum=checksum)
        if stream is None and (name != "source" or config.data.streamed is True):
            raise _refused(place)
        if stream is None:
            return None
        streams[name] = stream
        header = streams["source"].record.details.get("header", "auto")  # type: ignore[assignment]
    return streams


def _found(cache: Cache, key: str, notes: list[str]) -> Shards | None:
    held = cache.find(key)
    if held is None:
        return None
    try:
        return Shards(held)
    except DataError as error:
        held.close()
        cache.drop(key)
        notes.append(f"Rows that were laid down before are made anew: {error.rule} Got {error.got}.")
        return None


def _made(config: Config, streams: Mapping[str, RowStream], cache: Cache, key: str, workspace: Path) -> list[str]:
    """Read the sources and put the shards under their key; say what had to go for them."""
    stamps = _stamps(streams)
    own = {name: stream for name, stream in streams.items() if name != "source"}
    stream = streams["source"]
    found = learned(config, stream, own)
    notes = cache.make_room(row_bytes(found) * (found.rows["read"] + sum(map(len, found.own.values()))))
    folder = workspace / "shards"
    folder.mkdir()
    laid, writer = laid_down(found, stream, own, folder)
    if _stamps(streams) != stamps:
        raise DataError("The source changed while it was read.", got=stream.record.uri, do="Start again.")
    aside = laid.table(list(stream.schema))
    if aside.height:
        aside.write_ipc(folder / _ASIDE)
    identities = {name: each.record.checksum for name, each in streams.items()}
    writer.finish({"identities": identities, **_record(found, laid, stream, config, aside.height)})
    cache.keep(folder, key)
    return notes


def _stamps(streams: Mapping[str, RowStream]) -> list[tuple[int, int]]:
    paths = [path for stream in streams.values() for path in stream.paths]
    return [(info.st_size, info.st_mtime_ns) for info in map(Path.stat, paths)]


def _record(found: Learned, laid: Laid, stream: RowStream, config: Config, kept_aside: int) -> dict[str, Any]:
    """Give what is written beside the shards: the plans, and what was found on the way."""
    record = replace(stream.record, rows=found.rows["read"], columns=len(stream.schema))
    aside = int((found.places > 2).sum())
    beyond = [f"Of {aside:,} rows set aside, the first {MOST_ASIDE:,} for each reason are kept."] * (aside > kept_aside)
    sampled, crosses = len(found.sampled) < found.rows["train"], {column.name for column in found.features.crossed}
    unseen = {name: count for name, count in laid.unseen.items() if count and sampled and name not in crosses}
    seldom = [
        f"'{name}': {count:,} of {found.rows['train']:,} training cells have a level that the sample has seldom or "
        "never; they share a slot."
        for name, count in unseen.items()
    ]
    given = config.features
    return {
        "source": record.as_dict(),
        "target": found.target.as_dict(),
        "cleaning": found.cleaning.as_dict(),
        "features": found.features.as_dict(),
        "rows": dict(found.rows),
        "not_features": list(found.apart),
        "ranges": {name: list(ends) for name, ends in laid.ranges.items()},
        "findings": [finding.as_dict() for finding in found.findings],
        "notes": [*stream.notes, *found.notes, *crosses_found(found.config, found.features), *beyond, *seldom],
        "resolved": {
            "data.target": found.target.name,
            "data.task": found.target.task,
            "data.header": record.details.get("header", True),
            "split.method": method_of(config, found.split),
            "features.scale": found.features.scale if given.scale == "auto" else None,
            "features.encode": found.features.encode["name"] if given.encode == "auto" else None,
            "features.crosses": found.features.crosses,
        },
    }


def _prepared(config: Config, shards: Shards, arrivals: Arrivals, notes: list[str]) -> PreparedShards:
    """Read the plans back from beside the shards."""
    record, data = shards.record, config.data
    target = TargetPlan.from_dict(record["target"])
    config = with_recipe(config, task=target.task, rows=record["rows"]["train"])
    lasting = {
        "data.source": lasting_source(data.source) if arrivals.data is None else data.source,
        "data.valid": lasting_source(data.valid),
        "data.test": lasting_source(data.test),
        "data.headers": lasting_headers(data.headers),
    }
    values = {key: value for key, value in record["resolved"].items() if value is not None}
    aside = shards.folder / _ASIDE
    where = f"Rows are read in batches and laid down in {arrivals.cache.folder}, where a later run finds them."
    secrets = [*secrets_kept_out([data.source, data.valid, data.test]), *headers_kept_out(data.headers)]
    return PreparedShards(
        config=with_values(config, {**lasting, "data.streamed": True, **values}),
        source=replace(SourceRecord.from_dict(record["source"]), uri=_uri(arrivals.source)),
        target=target,
        cleaning=CleaningPlan.from_dict(record["cleaning"]),
        features=FeaturePlan.from_dict(record["features"]),
        rows=record["rows"],
        not_features=tuple(record["not_features"]),
        ranges={name: (low, high) for name, (low, high) in record["ranges"].items()},
        findings=tuple(Finding.from_dict(finding) for finding in record["findings"]),
        set_aside=pl.read_ipc(aside) if aside.is_file() else pl.DataFrame(),
        notes=(*record["notes"], where, *notes, *secrets),
        shards=shards,
    )


def _uri(place: Any) -> str:
    """Give what is recorded of where rows come from; equal files may lie elsewhere than when they were laid down."""
    if isinstance(place, RowStream):
        return place.record.uri
    return place.uri if isinstance(place, FileSet) else masked(str(place))
