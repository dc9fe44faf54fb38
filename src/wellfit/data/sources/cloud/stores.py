"""The stores that schemes name, opened with what the environment says."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from wellfit.data.sources.cloud.address import Address
from wellfit.data.sources.cloud.faults import told
from wellfit.errors import DataError

__all__ = ["is_cloud", "store_of"]

_STORES = {"s3": "S3Store", "gs": "GCSStore", "az": "AzureStore"}
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_RETRIES = 4
_RETRY_SECONDS = 60


def is_cloud(source: Any) -> bool:
    """Tell the address of a bucket."""
    return isinstance(source, str) and source.partition("://")[0].lower() in _STORES and "://" in source


def store_of(place: Address) -> Any:
    """Open the bucket or container of an address.

    Raises:
        DataError: obstore is not installed, or the environment lacks what the store needs.
    """
    try:
        from obstore import store
    except ImportError:
        rule = "Reading from cloud storage needs obstore."
        raise DataError(rule, got=place.shown, do="Install it: pip install 'wellfit[cloud]'.") from None
    options = {
        # a request takes as long as its file is large
        "client_options": {"connect_timeout": "10s", "timeout": "6h", "allow_http": _plain_http(place.scheme)},
        "retry_config": {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    }
    with told(place):
        return getattr(store, _STORES[place.scheme])(place.bucket, **options)


def _plain_http(scheme: str) -> bool:
    """Whether the environment names an endpoint without encryption, such as one on this machine."""
    named = (os.environ.get(name, "") for name in _ENDPOINTS[scheme])
    first = next((endpoint for endpoint in named if endpoint), "")
    return first.startswith("http://") or os.environ.get("AZURE_STORAGE_USE_EMULATOR", "").lower() in ("true", "1")
