"""What a store says when it refuses, as one sentence without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from wellfit.data.sources.cloud.address import Address
from wellfit.errors import DataError, RunFailed, WellfitError

__all__ = ["Missing", "told"]

_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION (or AWS_SKIP_SIGNATURE=true for a public bucket)",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's file",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}


class Missing(DataError):
    """There is no such key."""


@contextmanager
def told(place: Address, key: str = "") -> Iterator[None]:
    """Turn a store's error into one of ours; ``key`` is the object that was asked for."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, FileNotFoundError, PermissionError, ValueError) as error:
        if isinstance(error, WellfitError):
            raise
        raise _sentence(place, key, error) from None


def _sentence(place: Address, key: str, error: Exception) -> WellfitError:
    shown = f"{place.scheme}://{place.bucket}/{key}" if key else place.shown
    text = f"{type(error).__name__} {error}"
    for pattern, rule, do in _CASES:
        if re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            return DataError(rule, got=shown, do=do.format(keys=_KEYS[place.scheme]))
    if isinstance(error, FileNotFoundError):
        return Missing("There is no such key in the bucket.", got=shown, do="Check the key; capitals matter.")
    code = re.search(r"<Code>(\w+)</Code>", text) or re.search(r"status code: (\d+[\w ]*)", text)
    said = f" The store says: {code[1].strip()}." if code else ""
    return RunFailed("The store could not be reached, or failed each time.", got=shown, do=f"Try later.{said}")


_CASES = (
    (
        r"PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|301 Moved|BareRedirect",
        "The bucket lies in another region.",
        "Set AWS_REGION to the bucket's region.",
    ),
    (
        r"NoSuchBucket|ContainerNotFound|specified bucket does not exist|container does not exist",
        "There is no such bucket.",
        "Check its name, and that region and endpoint are the bucket's.",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|AuthenticationFailed|UnauthenticatedError"
        r"|401 Unauthorized",
        "The store does not know these credentials.",
        "Check {keys}.",
    ),
    (
        r"Missing(AccessKeyId|SecretAccessKey)|169\.254\.169\.254|metadata\.google|MissingCredentials"
        r"|credential.{0,40}(missing|not found|could not)"
        r"|(account|credentials?).{0,40}(must be|not) (specified|found)|MissingAccount",
        "The environment holds no credentials for the store.",
        "Set {keys}.",
    ),
    (
        r"AccessDenied|PermissionDenied|AuthorizationPermissionMismatch|403 Forbidden|PermissionError",
        "These credentials have no right to read this.",
        "Ask the bucket's owner for the right to list and read it.",
    ),
    (
        r"(open|decode) service account|ReadPem",
        "The file of the login can't be read, or holds none.",
        "Check {keys}.",
    ),
    (
        r"UnknownConfigurationKey|InvalidEndpoint|relative URL without a base|builder error|HTTPS? (is )?required",
        "The store's settings in the environment can't be used.",
        "Check the endpoint; the store is described by {keys}.",
    ),
)
