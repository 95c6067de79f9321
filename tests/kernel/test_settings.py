"""Settings: read once, each one documented, wrong ones named and never shown, unsafe ones refused in production."""

import base64
import os
import re
import secrets
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from salerno.kernel.master_key import master_key
from salerno.kernel.secrecy import key_of, weakness
from salerno.kernel.settings import Settings, SettingsError, description_of, example, read_settings

NOWHERE = Path(os.devnull)
RANDOM = base64.b64encode(bytes.fromhex("8f1c0b6ee2a94d57b3761f08c5de92a4376b51e8f90cd2a6417be3590aa8d7c2")).decode()
OTHER = "kO4vXz0B1mZr7TqHnY2sWcJ9eLdAgPfU"
SAFE = {
    "SALERNO_ENV": "production",
    "ENCRYPTION_KEY": RANDOM,
    "SALERNO_BASE_URL": "https://clinic.example.org",
    "JWT_SECRET": OTHER,
}
GUESSED = [
    "your-32-character-encryption-key",
    "your-32-character-encryption-key!",
    "change-me-change-me-change-me-32",
    "01234567890123456789012345678901",
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz123456",
    "qwertyuiopasdfghjklqwertyuiopasd",
    "a" * 32,
    "0" * 32,
    "K7vXz0B1" * 4,
    base64.b64encode(bytes(32)).decode(),
    base64.b64encode(b"\xff" * 32).decode(),
    base64.b64encode(bytes(range(32))).decode(),
    base64.b64encode(b"this-is-a-sample-key-of-32-bytes").decode(),
]


def refused(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment, NOWHERE)
    return caught.value.sentences


def test_nothing_set_is_a_working_development_installation() -> None:
    settings = read_settings({}, NOWHERE)
    assert (settings.production, settings.port, settings.level) == (False, 3000, "debug")
    assert (settings.snapshot_frequency, settings.projection_batch_size) == (100, 1000)
    assert settings.base_url == "http://localhost:3000"
    assert settings.token_lifetime == timedelta(hours=24)
    assert read_settings({"JWT_EXPIRES_IN": "15m"}, NOWHERE).token_lifetime == timedelta(minutes=15)
    assert read_settings({"JWT_EXPIRES_IN": "90"}, NOWHERE).token_lifetime == timedelta(seconds=90)
    assert settings.data == Path("/var/lib/salerno" if os.geteuid() == 0 else "~/.local/share/salerno").expanduser()


def test_an_empty_variable_counts_as_absent() -> None:
    assert read_settings({"PORT": "", "DATABASE_URL": "  "}, NOWHERE) == read_settings({}, NOWHERE)


def test_the_environment_goes_before_the_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# a comment\nPORT=4000\nexport METRICS_PORT='4001'\n\nHOST=\"0.0.0.0\"\n")
    settings = read_settings({"PORT": "5000"}, dotenv)
    assert (settings.port, settings.metrics_port, settings.host) == (5000, 4001, "0.0.0.0")


def test_production_does_not_read_the_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=4000\n")
    assert read_settings(SAFE, dotenv).port == 3000


def test_node_env_switches_to_production_too() -> None:
    settings = read_settings({**SAFE, "SALERNO_ENV": "", "NODE_ENV": "production"}, NOWHERE)
    assert settings.production
    assert settings.level == "info"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "canary-8472"),
        ("PORT", "70000"),
        ("DATABASE_POOL_MAX", "0"),
        ("ENABLE_METRICS", "canary-8472"),
        ("JWT_EXPIRES_IN", "canary-8472"),
        ("LOG_LEVEL", "canary-8472"),
        ("SALERNO_ENV", "canary-8472"),
        ("ENCRYPTION_KEY", "canary-8472"),
        ("DATABASE_URL", "mysql://canary-8472"),
        ("DATABASE_URL", "postgresql://[canary-8472"),
        ("DATABASE_URL", "postgresql://h:canary-8472/x"),
        ("SALERNO_BASE_URL", "canary-8472"),
    ],
)
def test_t080_a_wrong_setting_is_named_and_its_value_is_not_shown(name: str, value: str) -> None:
    sentences = refused({name: value})
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{name} ")
    assert value not in sentences[0]
    assert "canary" not in sentences[0]


def test_every_wrong_setting_is_named_at_once() -> None:
    assert [sentence.split()[0] for sentence in refused({"PORT": "x", "METRICS_PORT": "y"})] == ["PORT", "METRICS_PORT"]


def test_the_settings_do_not_show_their_secrets_when_printed() -> None:
    settings = read_settings(SAFE, NOWHERE)
    assert RANDOM not in f"{settings!r} {settings} {[settings]}"


# -- production


def test_production_with_safe_settings_has_no_problems() -> None:
    assert read_settings(SAFE, NOWHERE).problems() == []


@pytest.mark.parametrize("sample", [secret for secret in GUESSED if key_of(secret)])
def test_t080_production_refuses_a_guessable_encryption_key(sample: str) -> None:
    sentences = refused({**SAFE, "ENCRYPTION_KEY": sample})
    assert [sentence.split()[0] for sentence in sentences] == ["ENCRYPTION_KEY"]
    assert sample not in sentences[0]


def test_the_previous_key_has_the_form_of_a_key_too() -> None:
    assert [sentence.split()[0] for sentence in refused({"ENCRYPTION_KEY_PREVIOUS": "short"})] == [
        "ENCRYPTION_KEY_PREVIOUS"
    ]


@pytest.mark.parametrize("length", [1, 16, 31, 33, 42, 45, 64])
def test_t080_a_key_of_another_length_is_refused_in_every_environment(length: int) -> None:
    for environment in ({}, SAFE):
        sentences = refused({**environment, "ENCRYPTION_KEY": ("8fKx-2vQ" * 9)[:length]})
        assert sentences == ("ENCRYPTION_KEY is neither exactly 32 characters nor base64 of 32 bytes.",)


MAIL = {"SMTP_HOST": "mail.example.org", "SMTP_FROM": "clinic@example.org"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ENCRYPTION_KEY": ""}, "ENCRYPTION_KEY"),
        ({"JWT_SECRET": "short"}, "JWT_SECRET"),
        ({"JWT_SECRET": "your-super-secret-jwt-key-change-this-in-production"}, "JWT_SECRET"),
        ({"JWT_REFRESH_SECRET": "your-refresh-secret-at-least-32-chars"}, "JWT_REFRESH_SECRET"),
        ({"JWT_REFRESH_SECRET": OTHER}, "JWT_SECRET"),
        ({"DATABASE_URL": "postgresql://salerno_app:postgres@localhost/salerno"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://clinic:clinic@localhost/salerno"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://clinic:{OTHER}@db.internal/salerno"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://clinic:{OTHER}@/salerno?host=db.internal"}, "DATABASE_URL"),
        ({"SALERNO_BASE_URL": "http://clinic.example.org"}, "SALERNO_BASE_URL"),
        ({"SALERNO_ORIGINS": "https://a.example.org, *"}, "SALERNO_ORIGINS"),
        ({"LOG_LEVEL": "debug"}, "LOG_LEVEL"),
        ({"RATE_LIMIT_MAX_REQUESTS": "0"}, "RATE_LIMIT_MAX_REQUESTS"),
        ({"RATE_LIMIT_MAX_SECRETS": "0"}, "RATE_LIMIT_MAX_SECRETS"),
        ({"SALERNO_INSTANCES": "2"}, "SALERNO_INSTANCES"),
        ({"REDIS_URL": "redis://cache.internal:6379/0"}, "REDIS_URL"),
        ({**MAIL, "SMTP_SECURITY": "none"}, "SMTP_SECURITY"),
        ({"SMTP_USER": "clinic", "SMTP_PASSWORD": "password"}, "SMTP_PASSWORD"),
    ],
)
def test_t080_production_refuses_what_is_unsafe_and_names_it(change: dict[str, str], named: str) -> None:
    sentences = refused({**SAFE, **change})
    assert [sentence.split()[0] for sentence in sentences] == [named]


@pytest.mark.parametrize("url", ["rediss://cache.internal/0", "redis://localhost:6379", "unix:///run/redis.sock"])
def test_production_takes_a_redis_that_is_safe_to_reach(url: str) -> None:
    assert read_settings({**SAFE, "REDIS_URL": url, "SALERNO_INSTANCES": "3"}, NOWHERE).processes == 3


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"REDIS_URL": "memcached://localhost"}, "REDIS_URL"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL"),
        ({"SALERNO_TRUSTED_PROXIES": "10.0.0.1, proxy.internal"}, "SALERNO_TRUSTED_PROXIES"),
        ({"SALERNO_TRUSTED_PROXIES": "10.0.0.1/8"}, "SALERNO_TRUSTED_PROXIES"),  # the address, or the network?
        ({"SALERNO_FORWARDED_HEADER": "x-real-ip"}, "SALERNO_FORWARDED_HEADER"),
        ({"SALERNO_WORKERS": "0"}, "SALERNO_WORKERS"),
    ],
)
def test_a_store_or_a_proxy_that_cannot_be_understood_stops_the_start(given: dict[str, str], named: str) -> None:
    assert [sentence.split()[0] for sentence in refused(given)] == [named]


def test_trusted_proxies_are_those_on_this_machine_and_those_that_are_named() -> None:
    def told(**given: str) -> list[str]:
        return [str(network) for network in read_settings(given, NOWHERE).proxies]

    assert told() == []
    assert told(SALERNO_BEHIND_PROXY="true") == ["127.0.0.1/32", "::1/128"]
    both = told(SALERNO_BEHIND_PROXY="true", SALERNO_TRUSTED_PROXIES="10.0.0.5, fd00::/8")
    assert both == ["127.0.0.1/32", "::1/128", "10.0.0.5/32", "fd00::/8"]


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://clinic:{OTHER}@db.internal/salerno?sslmode=verify-full",
        f"postgresql://clinic:{OTHER}@localhost/salerno",
        "postgresql://salerno_app@/salerno?host=%2Frun%2Fpostgresql",
    ],
)
def test_production_takes_a_database_that_is_safe_to_reach(url: str) -> None:
    assert read_settings({**SAFE, "DATABASE_URL": url}, NOWHERE).database_url == url


def test_t080_production_refuses_a_folder_with_the_demo_clinic(tmp_path: Path) -> None:
    environment = {**SAFE, "SALERNO_DATA": str(tmp_path)}
    read_settings(environment, NOWHERE).demo_mark.touch()
    assert [sentence.split()[0] for sentence in refused(environment)] == ["SALERNO_DATA"]


# -- keys


def test_c48_a_key_is_32_characters_as_they_stand_or_base64_of_32_bytes() -> None:
    raw = secrets.token_bytes(32)
    assert key_of(base64.b64encode(raw).decode()) == raw
    assert key_of(base64.urlsafe_b64encode(raw).decode().rstrip("=")) == raw
    assert key_of(OTHER) == OTHER.encode()
    assert key_of("é" * 32) is None
    assert key_of(base64.b64encode(raw[:31]).decode()) is None
    assert key_of(base64.b64encode(raw + b"x").decode()) is None


@pytest.mark.parametrize("secret", GUESSED)
def test_a_guessable_secret_is_weak(secret: str) -> None:
    assert weakness(secret) != ""


def test_what_openssl_makes_is_never_called_weak() -> None:
    made = [base64.b64encode(os.urandom(n)).decode() for n in (24, 32) for _ in range(2000)]
    made += [os.urandom(16).hex() for _ in range(200)]
    assert [secret for secret in made if weakness(secret)] == []


def settings_in(folder: Path, **environment: str) -> Settings:
    return read_settings({"SALERNO_DATA": str(folder / "data"), **environment}, NOWHERE)


def test_a_first_start_in_development_makes_a_master_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    key = master_key(settings)
    assert len(key) == 32
    assert master_key(settings) == key
    assert (settings.data / "master.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.data.iterdir()] == ["master.key"]


def test_t082_a_missing_master_key_with_existing_data_refuses_and_creates_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (settings.postgres / "data").mkdir(parents=True)
    with pytest.raises(SettingsError, match="its master key is missing"):
        master_key(settings)
    assert [path.name for path in settings.data.iterdir()] == ["postgres"]


def test_t082_a_truncated_master_key_refuses_and_stays_as_it_is(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    master_key(settings)
    (settings.data / "master.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match=r"master\.key is not the 32 bytes"):
        master_key(settings)
    assert (settings.data / "master.key").read_bytes() == b"short"


def test_without_the_embedded_server_no_key_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^ENCRYPTION_KEY is missing"):
        master_key(settings_in(tmp_path, DATABASE_URL="postgresql://u:p@localhost/x"))
    assert list(tmp_path.iterdir()) == []


def test_the_given_key_goes_before_the_file_and_a_sample_is_refused_in_development_too(tmp_path: Path) -> None:
    assert master_key(settings_in(tmp_path, ENCRYPTION_KEY=OTHER)) == OTHER.encode()
    with pytest.raises(SettingsError, match="is a sample value"):
        master_key(settings_in(tmp_path, ENCRYPTION_KEY="your-32-character-encryption-key"))
    assert list(tmp_path.iterdir()) == []


# -- .env.example


def test_every_setting_stands_in_env_example_with_its_line() -> None:
    kept = (Path(__file__).parents[2] / ".env.example").read_text()
    assert kept == example(), "run: make env-example"
    for field in msgspec.structs.fields(Settings):
        assert f"\n# {description_of(field.encode_name)}\n{field.encode_name}=" in kept


def test_env_example_is_itself_a_valid_dotenv_file_of_the_defaults(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(example())
    assert read_settings({}, dotenv) == Settings()


def test_no_other_module_reads_the_environment() -> None:
    """The command line writes into it what its workers then read."""
    reading = re.compile(r"os\.getenv|os\.environ(?!\[\w+\] = )")
    source = Path(__file__).parents[2] / "src/salerno"
    readers = [path for path in source.rglob("*.py") if reading.search(path.read_text())]
    assert [path.relative_to(source).as_posix() for path in readers] == ["kernel/settings.py"]
