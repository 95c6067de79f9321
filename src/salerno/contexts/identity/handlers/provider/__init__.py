"""The OpenID provider: Authlib's protocol on this room's transactions, tables and clock."""

from salerno.contexts.identity.commands.provider import (
    AnswerDevice,
    AskProvider,
    BeginAuthorization,
    EndSession,
    FindDevice,
    GoOnWithAuthorization,
    LaunchableApplications,
    LaunchApplication,
    MyApplications,
    ProviderMetadata,
    UserInfo,
    WithdrawApplication,
)
from salerno.contexts.identity.commands.registration import AskToRegister
from salerno.contexts.identity.handlers.provider.authorize import begin_authorization, go_on_with_authorization
from salerno.contexts.identity.handlers.provider.devices import answer_device, find_device
from salerno.contexts.identity.handlers.provider.discovery import provider_metadata
from salerno.contexts.identity.handlers.provider.endpoints import ask_provider
from salerno.contexts.identity.handlers.provider.farewell import end_session
from salerno.contexts.identity.handlers.provider.own import (
    launch_application,
    launchable_applications,
    my_applications,
    user_info,
    withdraw_application,
)
from salerno.contexts.identity.handlers.provider.registration import ask_to_register
from salerno.kernel.messages import Query
from salerno.kernel.room import Answer

PROVIDER: dict[type[Query], Answer] = {
    AskProvider: ask_provider,
    AskToRegister: ask_to_register,
    ProviderMetadata: provider_metadata,
    BeginAuthorization: begin_authorization,
    GoOnWithAuthorization: go_on_with_authorization,
    FindDevice: find_device,
    AnswerDevice: answer_device,
    EndSession: end_session,
    UserInfo: user_info,
    MyApplications: my_applications,
    WithdrawApplication: withdraw_application,
    LaunchApplication: launch_application,
    LaunchableApplications: launchable_applications,
}
