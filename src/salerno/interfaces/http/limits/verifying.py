"""What verifies a secret: asking it counts against the stricter limit, before anything is looked at."""

from typing import Any

from salerno.contexts.identity.commands import (
    ChangePassword,
    ClaimChart,
    ConfirmTotp,
    EnrolTotp,
    Introspect,
    Refresh,
    RegenerateRecoveryCodes,
    Register,
    RegisterFounder,
    RemoveTotp,
    SignIn,
    VerifySecondFactor,
)
from salerno.contexts.identity.commands.email_change import (
    AskEmailChange,
    AskEmailChangeOf,
    ConfirmEmailChange,
    RevokeEmailChange,
)
from salerno.contexts.identity.commands.letters import AcceptInvitation, AskPasswordReset, ConfirmEmail, ResetPassword
from salerno.contexts.identity.commands.passkeys import AddPasskey, EnterByPasskey, ProveAgain
from salerno.contexts.identity.commands.provider import AnswerDevice, AskProvider, FindDevice
from salerno.contexts.identity.commands.registration import AskToRegister

VERIFYING: frozenset[type[Any]] = frozenset(
    {
        # a password, a code, a passkey
        SignIn, VerifySecondFactor, EnterByPasskey, ProveAgain, ChangePassword, EnrolTotp, ConfirmTotp, RemoveTotp,
        RegenerateRecoveryCodes, AddPasskey,
        # a link of a letter, a code that somebody was given; and what makes a hash or sends a letter
        ConfirmEmail, ResetPassword, AcceptInvitation, AskPasswordReset, ClaimChart, Register, RegisterFounder,
        AskEmailChange, AskEmailChangeOf, ConfirmEmailChange, RevokeEmailChange,
        # a program's secret or token, a device's code; and what makes a program's secret
        AskToRegister, AskProvider, Introspect, Refresh, FindDevice, AnswerDevice,
    }
)  # fmt: skip
