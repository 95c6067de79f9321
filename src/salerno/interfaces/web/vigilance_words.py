"""Words of alerts and of sign-ins: codes of the rooms as people read them."""

from salerno.interfaces.web.words import WORDS, mark

WORDS.update(
    {
        "unusual.new-device": mark("New device"),
        "unusual.new-country": mark("New country"),
        "unusual.bulk-reads": mark("Many charts"),
        "unusual.own-family": mark("Own family"),
        "unusual.after-hours": mark("After hours"),
        "unusual.impossible-travel": mark("Impossible travel"),
        "unusual.probing": mark("Charts tried in vain"),
        "unusual.exports": mark("Export"),
        "kin.family-name": mark("family name"),
        "kin.phone": mark("telephone"),
        "kin.email": mark("e-mail address"),
        "kin.address": mark("home"),
        "review.open": mark("to review"),
        "review.own": mark("for you only"),
        "review.reviewed": mark("reviewed"),
        "review.justified": mark("justified"),
        "review.unfounded": mark("unfounded"),
        "review.followed-up": mark("followed up"),
        "entered.password": mark("password"),
        "entered.totp": mark("password and code"),
        "entered.recovery-code": mark("password and recovery code"),
        "entered.passkey": mark("passkey"),
        "refused.wrong password": mark("wrong password"),
        "refused.wrong code": mark("wrong code"),
        "refused.account not active": mark("account not active"),
        "refused.passkey refused": mark("passkey refused"),
        "refused.passkey doubted": mark("passkey that may have been copied"),
        "no-such-alert": mark("There is no such alert, or it is not for you to see."),
        "alert-about-yourself": mark("This alert is about you. Somebody else reviews it."),
        "note-needed": mark("Say in a few words what was done about it."),
    }
)
