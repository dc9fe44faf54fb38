from __future__ import annotations

import os

import pytest

from wellfit.runtime import threads


@pytest.fixture(autouse=True)
def one_thread():
    """These tensors are too small to be shared out."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def keras(tmp_path_factory):
    """Keras computing with torch; both settings must be made before it is imported."""
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ.setdefault("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    module = pytest.importorskip("keras")
    assert module.backend.backend() == "torch"
    return module
