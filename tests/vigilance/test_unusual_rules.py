"""What is unusual, by example and by property."""

import ipaddress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salerno.contexts.vigilance.commands import ReviewAlert
from salerno.contexts.vigilance.errors import AboutYourself, NoSuchAlert, NoteNeeded
from salerno.contexts.vigilance.events import AlertRaised, AlertReviewed
from salerno.contexts.vigilance.rules.alert import ALERT, Raise
from salerno.contexts.vigilance.rules.bulk import WINDOW, Crossing, crossings
from salerno.contexts.vigilance.rules.hours import Exceptional, Hours, Plan, Stretch, WeekDay, is_night, is_outside
from salerno.contexts.vigilance.rules.kin import is_unusual, shared_of
from salerno.contexts.vigilance.rules.networks import BadNetworks, networks_in
from salerno.contexts.vigilance.rules.sign_ins import facts, unusual
from salerno.kernel.testing import SOMEBODY, Scenario

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SEEN = AlertRaised(alert=UUID(int=1), account=UUID(int=2), kind="bulk-reads", at=START, count=61)


# ------------------------------------------------------------------ an alert
def test_an_alert_is_raised_once_however_often_it_is_seen() -> None:
    Scenario(ALERT).when(Raise(SEEN)).then(SEEN)
    Scenario(ALERT).given(SEEN).when(Raise(SEEN)).then_nothing()


def test_a_review_says_what_it_was_and_may_be_said_again_otherwise() -> None:
    wish = ReviewAlert(alert_id=SEEN.alert, outcome="justified", note=" Ward round. ")
    said = AlertReviewed(alert=SEEN.alert, account=SEEN.account, outcome="justified", note="Ward round.")
    Scenario(ALERT).given(SEEN).when(wish).then(said)
    Scenario(ALERT).given(SEEN, said).when(wish).then_nothing()
    other = ReviewAlert(alert_id=SEEN.alert, outcome="unfounded")
    Scenario(ALERT).given(SEEN, said).when(other).then(
        AlertReviewed(alert=SEEN.alert, account=SEEN.account, outcome="unfounded")
    )


def test_nobody_reviews_an_alert_about_themselves() -> None:
    own = AlertRaised(alert=UUID(int=1), account=SOMEBODY, kind="after-hours", at=START)
    wish = ReviewAlert(alert_id=own.alert, outcome="justified")
    Scenario(ALERT).given(own).when(wish).then_refused(AboutYourself)
    Scenario(ALERT).when(wish).then_refused(NoSuchAlert)


def test_what_was_followed_up_needs_a_note_of_what_was_done() -> None:
    wish = ReviewAlert(alert_id=SEEN.alert, outcome="followed-up", note="  ")
    refused = Scenario(ALERT).given(SEEN).when(wish).then_refused(NoteNeeded)
    assert isinstance(refused, NoteNeeded) and refused.errors[0]["path"] == "note"


# ------------------------------------------------------------------ how much
def opened(count: int, seconds: float, start: datetime = START) -> list[tuple[datetime, UUID]]:
    return [(start + timedelta(seconds=seconds * nth), uuid4()) for nth in range(count)]


def test_the_sixty_first_chart_in_ten_minutes_is_one_too_many_and_said_once() -> None:
    looks = opened(500, 1.2)
    found, window = crossings({}, looks, 60)
    assert found == [Crossing(at=looks[60][0], count=61, since=START)]
    assert window == {}


def test_sixty_charts_in_ten_minutes_and_the_same_chart_again_and_again_are_none() -> None:
    chart = uuid4()
    assert crossings({}, opened(60, 9.9), 60)[0] == []
    assert crossings({}, [(START + timedelta(seconds=nth), chart) for nth in range(500)], 60)[0] == []
    assert crossings({}, opened(600, 10.1), 60)[0] == []


def test_it_is_said_again_when_it_goes_on_for_longer_than_the_window() -> None:
    found, _ = crossings({}, opened(1500, 1.0), 60)
    assert [crossing.at for crossing in found] == [START + timedelta(seconds=60 + 660 * nth) for nth in range(3)]


def test_of_a_program_that_opens_thousands_it_is_said_about_every_ten_minutes_and_little_is_kept() -> None:
    found, window = crossings({}, opened(150_000, 0.01), 60)
    assert [crossing.count for crossing in found] == [61, 61, 61]
    assert len(window) <= 60


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 30)), max_size=80),
    st.integers(1, 8),
    st.integers(0, 80),
)
def test_where_a_batch_ends_changes_nothing(looks: list[tuple[int, int]], limit: int, cut: int) -> None:
    told = [(START + timedelta(seconds=at), UUID(int=who)) for at, who in sorted(looks)]
    whole, _ = crossings({}, told, limit)
    first, window = crossings({}, told[:cut], limit)
    quiet = first[-1].at + WINDOW if first else None
    second, _ = crossings(window, told[cut:], limit, quiet)
    assert first + second == whole


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 30)), max_size=80), st.integers(1, 8))
def test_it_is_said_only_of_more_charts_than_allowed_and_once_in_a_window(
    looks: list[tuple[int, int]], limit: int
) -> None:
    told = [(START + timedelta(seconds=at), UUID(int=who)) for at, who in sorted(looks)]
    found, _ = crossings({}, told, limit)
    for crossing in found:
        within = {who for at, who in told if crossing.at - WINDOW < at <= crossing.at}
        assert limit < crossing.count <= len(within)
    assert all(later.at - earlier.at >= WINDOW for earlier, later in pairwise(found))
    most = max((len({who for at, who in told if end - WINDOW < at <= end}) for end, _ in told), default=0)
    assert bool(found) == (most > limit)


# ------------------------------------------------------------------ whose
@pytest.mark.parametrize(
    ("mine", "theirs", "shared"),
    [
        ("Rossi", "ROSSI", True),
        ("De Luca", "Deluca", True),
        ("D'Amico", "D’Amico", True),
        ("Nicolò", "Nicolo", True),
        ("Rossi-Bianchi", "Bianchi", True),
        ("Rossi", "Rossini", False),
        ("", "", False),
    ],
)
def test_one_family_name_is_told_from_another(mine: str, theirs: str, shared: bool) -> None:
    assert bool(set(shared_of(mine, (), ())) & set(shared_of(theirs, (), ()))) is shared


def test_a_telephone_is_the_same_with_and_without_its_country() -> None:
    assert shared_of("", ("+39 089 555 0123", "12"), (" Ada@Example.ORG ",)) == [
        ("email", "ada@example.org"), ("phone", "895550123"),
    ]  # fmt: skip
    assert set(shared_of("", ("0895550123",), ())) < set(shared_of("", ("+390895550123",), ("x@example.org",)))


def test_a_name_alone_counts_only_where_nothing_explains_the_look() -> None:
    assert is_unusual(("family-name",), in_care=False)
    assert not is_unusual(("family-name",), in_care=True)
    assert is_unusual(("phone",), in_care=True)
    assert not is_unusual((), in_care=False)


# ------------------------------------------------------------------ when
MORNING = Stretch(8 * 60, 13 * 60)
WEEK = Plan(UUID(int=9), tuple(WeekDay(day, MORNING) for day in range(5)), "Europe/Rome", date(2026, 1, 1))


def rome(day: int, hour: int, minute: int = 0) -> datetime:
    """Of March 2026, where Rome is an hour ahead; the second is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "outside"),
    [
        (rome(2, 9), False),
        (rome(2, 6), False),  # two hours before
        (rome(2, 5, 59), True),
        (rome(2, 15), False),
        (rome(2, 15, 1), True),
        (rome(2, 23, 30), True),
        (rome(7, 10), True),  # Saturday
        (datetime(2025, 12, 1, 23, tzinfo=UTC), None),  # nothing is planned then
    ],
)
def test_far_outside_of_ones_hours(at: datetime, outside: bool | None) -> None:
    assert is_outside(Hours(plans=(WEEK,)), at) is outside


def test_a_night_shift_ends_on_the_next_day_and_a_later_plan_takes_the_place_of_an_earlier_one() -> None:
    night = Plan(UUID(int=9), (WeekDay(0, Stretch(21 * 60, 31 * 60)),), "Europe/Rome", date(2026, 3, 1))
    hours = Hours(plans=(WEEK, night))
    assert is_outside(hours, rome(3, 4)) is False
    assert is_outside(hours, rome(3, 11)) is True
    assert is_outside(Hours(plans=(WEEK,)), rome(3, 4)) is True


def test_one_day_may_be_otherwise() -> None:
    evening = Exceptional(UUID(int=1), WEEK.location, date(2026, 3, 2), (Stretch(18 * 60, 22 * 60),), "Europe/Rome")
    hours = Hours(plans=(WEEK,), exceptions=(evening,))
    assert is_outside(hours, rome(2, 21)) is False
    assert is_outside(hours, rome(2, 12)) is True
    assert is_outside(hours, rome(3, 21)) is True


def test_without_hours_the_night_counts_by_the_clocks_of_the_place() -> None:
    assert [is_night(rome(2, hour), "Europe/Rome") for hour in (21, 22, 5, 6)] == [False, True, True, False]
    assert is_night(rome(2, 22), "America/New_York") is False


# ------------------------------------------------------------------ where from
def test_the_narrowest_network_says_the_country() -> None:
    networks = networks_in("# ours\n192.0.2.0/24,it\n\n192.0.2.128/25, FR\n2001:db8::/32,DE\n")
    assert networks.country_of("192.0.2.1") == "IT"
    assert networks.country_of("192.0.2.200") == "FR"
    assert networks.country_of("::ffff:192.0.2.1") == "IT"
    assert networks.country_of("2001:db8::5") == "DE"
    assert networks.country_of("198.51.100.1") == ""
    assert networks.country_of("not an address") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.0.2.0/24", "line 1: a network and a country are expected, with a comma between"),
        ("192.0.2.0/24,IT\n192.0.2.1/24,IT", "line 2: this is not a network, such as 192.0.2.0/24"),
        ("192.0.2.0/24,Italy", "line 1: a country is two letters, such as IT"),
    ],
)
def test_a_list_that_cannot_be_followed_names_its_line(text: str, said: str) -> None:
    with pytest.raises(BadNetworks, match=said):
        networks_in(text)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_address_belongs_to_every_network_around_it(address: object, length: int) -> None:
    around = ipaddress.ip_network(f"{address}/{length}", strict=False)
    assert networks_in(f"{around},IT").country_of(str(address)) == "IT"


def test_the_first_sign_in_of_an_account_is_on_a_new_device_by_nature() -> None:
    assert unusual({"entered"}, "new", "", {"IT"}) == []
    assert unusual(set(), "new", "", {"IT"}) == ["new-device"]
    assert unusual(set(), "known", "", {"IT"}) == []


def test_a_program_is_new_once_by_how_it_names_itself() -> None:
    assert facts("", "curl/8", "") == [("entered", ""), ("program", "curl/8")]
    assert facts("known", "Firefox", "IT") == [("entered", ""), ("country", "IT")]
    assert unusual({"program"}, "", "", set()) == ["new-device"]
    assert unusual(set(), "", "", set()) == []


def test_a_country_is_unusual_once_and_the_organisations_own_never() -> None:
    assert unusual({"country"}, "known", "FR", {"IT"}) == ["new-country"]
    assert unusual({"entered", "country"}, "new", "FR", {"IT"}) == ["new-country"]
    assert unusual({"country"}, "known", "IT", {"IT"}) == []
    assert unusual(set(), "known", "FR", {"IT"}) == []
    assert unusual({"country"}, "new", "FR", {"IT"}) == ["new-device", "new-country"]
