"""What the identity room refuses."""

from salerno.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, TooMany, Unavailable


class WrongCredentials(NotSignedIn):
    """The same for a wrong password and for an account that does not exist."""

    code = "wrong-credentials"
    sentence = "The e-mail address or the password is wrong."


class AccountNotReady(NotSignedIn):
    """Said only to somebody who knows the password."""

    code = "account-not-ready"
    sentence = "This account has not been approved yet, or has been deactivated."


class WrongCode(NotSignedIn):
    code = "wrong-code"
    sentence = "The code is wrong, used or too old."


class ChallengeOver(NotSignedIn):
    code = "challenge-over"
    sentence = "This sign-in took too long or failed too often. Start again."


class RefreshRefused(NotSignedIn):
    code = "invalid-refresh-token"
    sentence = "This refresh token is not valid. Sign in again."


class TooManyAttempts(TooMany):
    code = "too-many-attempts"
    sentence = "Too many failed attempts. Wait a few minutes, or use a device that you have signed in with before."


class Busy(Unavailable):
    code = "sign-in-busy"
    sentence = "Too many people are signing in at once. Try again in a moment."


class NoSuchAccount(NotFound):
    code = "no-such-account"
    sentence = "There is no such account."


class EmailTaken(Conflict):
    code = "email-taken"
    sentence = "An account with this e-mail address exists already."


class NoSuchRole(NotFound):
    code = "no-such-role"
    sentence = "There is no such role."


class RoleExists(Conflict):
    code = "role-exists"
    sentence = "This role exists already."


class RoleNameTaken(Conflict):
    code = "role-name-taken"
    sentence = "A role of this name exists, or existed. Choose another name."

    def __init__(self) -> None:
        super().__init__(errors=[{"path": "name", "code": self.code, "message": self.sentence}])


class TooManyRoles(Conflict):
    code = "too-many-roles"
    sentence = "This organisation has as many roles as can be looked after. Retire one first."


class MayNotGrant(NotAllowed):
    code = "may-not-grant"
    sentence = "Your role may not give or take this role."


class NotYourself(NotAllowed):
    code = "not-yourself"
    sentence = "Nobody changes the rights of their own account."


class NotActive(Conflict):
    code = "account-not-active"
    sentence = "This account is not active."


class AlreadyExists(Conflict):
    code = "account-already-exists"
    sentence = "This account exists already."


class PasswordRefused(Invalid):
    """`errors` name what is wrong with it."""

    code = "password-refused"
    sentence = "Choose another password."


class WrongPassword(Invalid):
    code = "wrong-password"
    sentence = "That is not your present password."


class PasskeyNeeded(Conflict):
    code = "passkey-needed"
    sentence = "Add a passkey first: without one nothing else would let you in."


class PasswordDemanded(Conflict):
    code = "password-demanded"
    sentence = "Your organisation asks everybody to keep a password."


class NoPassword(Conflict):
    code = "no-password"
    sentence = "This account has no password."


class PasswordNeeded(Conflict):
    code = "password-needed"
    sentence = "This passkey is your only way in. Choose a password first, or add another passkey."


class FactorMissing(Conflict):
    code = "no-second-factor"
    sentence = "No second factor is being set up, or there is none."


class FactorDemanded(Conflict):
    code = "second-factor-demanded"
    sentence = "Your role needs a second factor."


class ChartCodeRefused(Invalid):
    """One answer for a wrong, used, expired or foreign code."""

    code = "chart-code-refused"
    sentence = "This code is not valid. Ask your clinic for a new one."


class LinkOver(Invalid):
    """One answer for a wrong, used, expired or foreign link."""

    code = "link-over"
    sentence = "This link does not work any more. Ask for a new one."


class NoSuchLetter(NotFound):
    code = "no-such-letter"
    sentence = "There is no such letter, or it has been sent."


class LetterOver(Conflict):
    code = "letter-over"
    sentence = "Nobody waits for this letter any more: its time is over. Whoever needs one asks for another."


class NoMail(Conflict):
    code = "no-mail"
    sentence = "This installation has no mail server. Make an account with a first password instead."


class PasskeyRefused(NotSignedIn):
    """One answer for whatever is wrong with a passkey's answer."""

    code = "passkey-refused"
    sentence = "This passkey was not accepted. Try again."


class PasskeyInvalid(Invalid):
    code = "passkey-invalid"
    sentence = "This passkey could not be added. Try again."


class NoSuchPasskey(NotFound):
    code = "no-such-passkey"
    sentence = "There is no such passkey."


class SignUpClosed(NotAllowed):
    code = "sign-up-closed"
    sentence = "Sign up here with a code from your clinic."


class NoSuchClient(NotFound):
    code = "no-such-client"
    sentence = "There is no such application."


class ClientRefused(Conflict):
    code = "client-refused"
    sentence = "This cannot be done with this application."


class NoSuchDevice(NotFound):
    """One answer for a wrong, used, expired or foreign code."""

    code = "no-such-device"
    sentence = "This code is not valid, or not any more. Look at the device again."


class ScopeMissing(NotAllowed):
    code = "insufficient-scope"
    sentence = "This token was not given for that."


class NoSuchProvider(NotFound):
    code = "no-such-provider"
    sentence = "There is no such provider."


class ProviderUnwell(Unavailable):
    """What a provider does not answer, or not as it should."""

    code = "provider-unwell"
    sentence = "The other provider does not answer as it should. Try again, or sign in another way."


class ExternalRefused(NotSignedIn):
    """One answer for whatever is wrong with what came back from a provider."""

    code = "external-refused"
    sentence = "This sign-in was begun elsewhere, took too long or was answered wrongly. Start again."


class ExternalDenied(NotSignedIn):
    code = "external-denied"
    sentence = "The other provider did not sign you in."


class ExternalNotAdmitted(NotSignedIn):
    code = "external-not-admitted"
    sentence = "This installation does not let you in with your account there. Ask your administrator."


class ExternalUnknown(NotSignedIn):
    """Nobody is known by an address alone: an identity is linked first."""

    code = "external-unknown"
    sentence = "Your account there is not linked to one here. Sign in another way, then link it under My account."


class ExternalTaken(Conflict):
    code = "external-taken"
    sentence = "This account there is linked to an account here already."


class ExternalNeeded(Conflict):
    code = "external-needed"
    sentence = "This is the only way into your account. Add a passkey or choose a password first."


class NoSuchExternalIdentity(NotFound):
    code = "no-such-external-identity"
    sentence = "No such account is linked."
