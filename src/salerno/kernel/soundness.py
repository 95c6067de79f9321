"""What is wrong with settings: what nowhere makes sense, and what is unfit for production."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from salerno.kernel.addresses import networks_in, scheme_of
from salerno.kernel.secrecy import key_of, weakness

if TYPE_CHECKING:
    from salerno.kernel.settings import Settings

DEVELOPMENT_PASSWORDS = frozenset(
    {"", "postgres", "password", "salerno", "salerno_app", "salerno_owner", "admin", "root", "guest", "test"}
)
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
WITH_TLS = frozenset({"require", "verify-ca", "verify-full"})
FILES = ("salerno_clients", "salerno_networks", "salerno_providers")


def malformed(settings: "Settings") -> list[str]:
    """What no environment accepts."""
    found = []
    for name in ("encryption_key", "encryption_key_previous"):
        if (value := getattr(settings, name)) and key_of(value) is None:
            found.append(f"{name.upper()} is neither exactly 32 characters nor base64 of 32 bytes.")
    if settings.database_pool_min > settings.database_pool_max:
        found.append("DATABASE_POOL_MIN is above DATABASE_POOL_MAX.")
    for name in ("database_url", "database_owner_url"):
        if (value := getattr(settings, name)) and scheme_of(value) not in ("postgresql", "postgres"):
            found.append(f"{name.upper()} is not a postgresql:// address.")
    found += _misnamed(settings)
    if settings.database_owner_url and not settings.database_url:
        found.append("DATABASE_OWNER_URL is set, but DATABASE_URL is not.")
    if settings.smtp_host and "@" not in settings.smtp_from:
        found.append("SMTP_HOST is set, but SMTP_FROM is not an e-mail address.")
    if scheme_of(settings.base_url) not in ("http", "https"):
        found.append("SALERNO_BASE_URL is not an http or https address.")
    return found


def _misnamed(settings: "Settings") -> list[str]:
    """Files that are not there, and places of others that are no places."""
    found = []
    if settings.redis_url and scheme_of(settings.redis_url) not in ("redis", "rediss", "unix"):
        found.append("REDIS_URL is not a redis://, rediss:// or unix:// address.")
    try:
        networks_in(settings.salerno_trusted_proxies)
    except ValueError:
        found.append("SALERNO_TRUSTED_PROXIES names something that is no address and no network.")
    for name in FILES:
        if (value := getattr(settings, name)) and not Path(value).expanduser().is_file():
            found.append(f"{name.upper()} names no file.")
    return found


def unfit(settings: "Settings") -> list[str]:
    """What production refuses, one sentence each."""
    return [*_secrets(settings), *_the_database(settings), *_the_way_in(settings)]


def _secrets(settings: "Settings") -> list[str]:
    found = []
    if not settings.encryption_key:
        found.append("ENCRYPTION_KEY is missing. Make one with: openssl rand -base64 32")
    for name in ("encryption_key", "jwt_secret", "jwt_refresh_secret"):
        if (value := getattr(settings, name)) and (reason := weakness(value)):
            found.append(f"{name.upper()} {reason}")
    if settings.jwt_secret and settings.jwt_secret in (settings.jwt_refresh_secret, settings.encryption_key):
        found.append("JWT_SECRET is used twice: every secret is its own.")
    if settings.demo_mark.exists():
        found.append("SALERNO_DATA holds the demo clinic, whose passwords are public. Use another folder.")
    if settings.smtp_user and settings.smtp_password.lower() in DEVELOPMENT_PASSWORDS:
        found.append("SMTP_PASSWORD is a default one.")
    return found


def _the_database(settings: "Settings") -> list[str]:
    found = []
    for name in ("database_url", "database_owner_url"):
        url = urlsplit(getattr(settings, name))
        query = dict(parse_qsl(url.query))
        host = query.get("host") or url.hostname or ""
        by_socket = not host or host.startswith("/")
        if not by_socket and host not in LOCAL_HOSTS and query.get("sslmode") not in WITH_TLS:
            found.append(f"{name.upper()} reaches another machine without TLS. Add ?sslmode=verify-full")
        if not by_socket and (url.password or "").lower() in DEVELOPMENT_PASSWORDS | {(url.username or "").lower()}:
            found.append(f"{name.upper()} has a default password, or none.")
    return found


def _the_way_in(settings: "Settings") -> list[str]:
    found = []
    if not settings.base_url.startswith("https://"):
        found.append("SALERNO_BASE_URL is not an https address.")
    if "*" in settings.origins or any(not origin.startswith("https://") for origin in settings.origins):
        found.append("SALERNO_ORIGINS names an origin that is not a single https address.")
    if settings.log_level == "debug":
        found.append("LOG_LEVEL is debug.")
    for name in ("rate_limit_max_requests", "rate_limit_max_signed_in", "rate_limit_max_secrets"):
        if not getattr(settings, name):
            found.append(f"{name.upper()} is without limit.")
    if settings.salerno_instances > 1 and not settings.redis_url:
        found.append("SALERNO_INSTANCES is more than one and REDIS_URL is empty: each would count for itself.")
    redis = urlsplit(settings.redis_url)
    if redis.scheme == "redis" and redis.hostname not in LOCAL_HOSTS:
        found.append("REDIS_URL reaches another machine without TLS. Let it begin with rediss://")
    if settings.smtp_host and settings.smtp_security == "none":
        found.append("SMTP_SECURITY is none.")
    return found
