"""The table of other OpenID providers: what a line may say, and what stops the start."""

from pathlib import Path

import pytest

from salerno.app import external_providers
from salerno.contexts.identity.rules.external import BadProviders, ExternalProvider, providers_in
from salerno.kernel.settings import SettingsError, read_settings

HEADER = "id,name,issuer,client_id,secret,organisation,domains,claim,factors\n"
LINE = "ospedale,Ospedale,https://id.ospedale.example/realm,salerno,,,,,\n"


def nothing(place: str) -> str:
    raise ValueError(place)


def test_a_line_says_who_may_come_in_by_a_provider_and_what_counts_there() -> None:
    home = "0192f0c1-2d3e-7f4a-8b5c-6d7e8f901234"
    text = (
        f"{HEADER}ospedale,Ospedale,https://id.example/r,salerno,env:KEY,{home},A.example b.it,groups=wards,mfa hwk\n"
    )
    one = providers_in(text, {"env:KEY": "quite secret"}.__getitem__, development=False).by_id["ospedale"]
    assert (one.name, one.issuer, one.client_id, one.secret) == (
        "Ospedale", "https://id.example/r", "salerno", "quite secret"
    )  # fmt: skip
    assert (str(one.organisation), one.domains, one.claim, one.factors) == (
        home, {"a.example", "b.it"}, ("groups", "wards"), {"mfa", "hwk"}
    )  # fmt: skip
    assert "quite secret" not in repr(one)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("id", "Ospedale Nord", "id is not a short word"),
        ("name", "<b>Ospedale</b>", "name is empty or holds odd characters"),
        ("issuer", "http://id.example", "issuer is not an https address"),
        ("issuer", "http://127.0.0.1:3000", "issuer is not an https address"),
        ("issuer", "https://id.example?x=1", "issuer is not an https address"),
        ("issuer", "https://you@id.example", "issuer is not an https address"),
        ("client_id", "", "client_id is missing"),
        ("secret", "swordfish", "secret points nowhere"),
        ("secret", "env:EMPTY", "secret points to something empty"),
        ("organisation", "north", "not well described"),
        ("domains", "*.example", "domains are not host names"),
        ("claim", "groups", "claim is not name=value"),
    ],
)
def test_a_line_that_cannot_be_followed_is_named_and_its_secret_is_not(column: str, value: str, said: str) -> None:
    names = HEADER.strip().split(",")
    line = ["one", "One", "https://id.example", "salerno", "", "", "", "", ""]
    line[names.index(column)] = value

    def secret_at(place: str) -> str:
        return "" if place == "env:EMPTY" else nothing(place)

    with pytest.raises(BadProviders, match=f"line 2: .*{said}") as refused:
        providers_in(HEADER + ",".join(line) + "\n", secret_at, development=False)
    assert "swordfish" not in str(refused.value)


def test_one_id_and_one_issuer_stand_there_once() -> None:
    for second in (LINE, LINE.replace("ospedale,", "other,", 1)):
        with pytest.raises(BadProviders, match="line 3: this id or this issuer stands there twice"):
            providers_in(HEADER + LINE + second, nothing, development=False)


def test_http_is_for_this_machine_in_development_only() -> None:
    line = LINE.replace("https://id.ospedale.example/realm", "http://localhost:4000")
    assert providers_in(HEADER + line, nothing, development=True).by_id["ospedale"].issuer == "http://localhost:4000"
    with pytest.raises(BadProviders, match="issuer"):
        providers_in(HEADER + line.replace("localhost", "id.example"), nothing, development=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.evil.test/token", "https://id.example:8443/token", "http://id.example/token",
        "https://you@id.example/token", "https://id.example\\@evil.test/token", "//id.example/token", "", None, 7,
        "https://[/token", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_on_another_host_is_not_the_providers(url: object) -> None:
    one = ExternalProvider(id="one", name="One", issuer="https://id.example/realm", client_id="salerno")
    assert not one.owns(url)
    assert one.owns("https://id.example/elsewhere") and one.owns("https://ID.example:443/token")


def test_the_setting_names_a_file_whose_secrets_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, secret = tmp_path / "providers.csv", tmp_path / "secret"
    secret.write_text("from a file\n")
    monkeypatch.setenv("OTHER_SECRET", "from the environment")
    table.write_text(
        f"{HEADER}one,One,https://one.example,a,file:{secret},,,,\ntwo,Two,https://two.example,b,env:OTHER_SECRET,,,,\n"
    )
    found = external_providers(read_settings({"SALERNO_PROVIDERS": str(table)}, Path("/nowhere"))).by_id
    assert [one.secret for one in found.values()] == ["from a file", "from the environment"]
    table.write_text(f"{HEADER}one,One,https://one.example,a,file:/nowhere/at/all,,,,\n")
    for path, said in ((table, "line 2: secret points nowhere"), (tmp_path / "none.csv", "names no file")):
        with pytest.raises(SettingsError, match=f"SALERNO_PROVIDERS.*{said}"):
            external_providers(read_settings({"SALERNO_PROVIDERS": str(path)}, Path("/nowhere")))
