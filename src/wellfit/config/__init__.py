"""What a run is told: frozen sections, strict YAML in, exact YAML out, JSON Schema. Importing it loads no torch."""

from wellfit.config.clean import Clean
from wellfit.config.document import Document
from wellfit.config.features import Column, Features
from wellfit.config.loading import (
    LoadedConfig,
    apply_overrides,
    from_keywords,
    from_mapping,
    load_config,
    parse_config,
    with_values,
)
from wellfit.config.model import Config, as_mapping, model_spec
from wellfit.config.recipes import with_recipe
from wellfit.config.rules import Options
from wellfit.config.schema import json_schema
from wellfit.config.sections import Data, Output
from wellfit.config.split import Split
from wellfit.config.train import EarlyStopping, Train
from wellfit.config.tune import Range, Tune, parse_range
from wellfit.config.writing import starter_yaml, to_yaml, unresolved

__all__ = [
    "Clean",
    "Column",
    "Config",
    "Data",
    "Document",
    "EarlyStopping",
    "Features",
    "LoadedConfig",
    "Options",
    "Output",
    "Range",
    "Split",
    "Train",
    "Tune",
    "apply_overrides",
    "as_mapping",
    "from_keywords",
    "from_mapping",
    "json_schema",
    "load_config",
    "model_spec",
    "parse_config",
    "parse_range",
    "starter_yaml",
    "to_yaml",
    "unresolved",
    "with_recipe",
    "with_values",
]
