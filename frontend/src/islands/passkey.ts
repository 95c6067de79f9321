import { csrf } from '../request';

type Json = Record<string, unknown>;

/** A form that asks the device for a passkey and then sends itself with the answer. */
export function mount(element: HTMLElement): () => void {
  const form = element as HTMLFormElement;
  const stop = new AbortController();
  let waiting: AbortController | undefined;
  if (!window.PublicKeyCredential) {
    const said = form.querySelector<HTMLElement>('[data-unsupported]');
    if (said) said.hidden = false;
    for (const button of form.querySelectorAll('button')) button.disabled = true;
    return () => undefined;
  }
  form.addEventListener(
    'submit',
    (event) => {
      if (form.elements.namedItem('credential') instanceof HTMLInputElement && answerOf(form).value) return;
      event.preventDefault();
      waiting?.abort();
      void perform(form, undefined, stop.signal);
    },
    { signal: stop.signal },
  );
  if ('conditional' in form.dataset) {
    waiting = new AbortController();
    void offer(form, waiting.signal);
  }
  return () => (stop.abort(), waiting?.abort());
}

/** The browser names a passkey where the address is typed, without being asked. */
async function offer(form: HTMLFormElement, signal: AbortSignal): Promise<void> {
  if (await PublicKeyCredential.isConditionalMediationAvailable?.()) await perform(form, 'conditional', signal);
}

async function perform(form: HTMLFormElement, mediation: CredentialMediationRequirement | undefined, signal: AbortSignal): Promise<void> {
  const failed = form.querySelector<HTMLElement>('[data-failed]');
  if (failed) failed.hidden = true;
  try {
    const asked = await fetch(form.dataset.options!, { method: 'POST', headers: { Accept: 'application/json', 'X-CSRF-Token': csrf() }, signal });
    if (asked.status === 403) return location.assign(`/confirm-identity?next=${encodeURIComponent(location.pathname)}`);
    const options = (await asked.json()) as Json;
    const credential = form.dataset.act === 'create'
      ? await navigator.credentials.create({ publicKey: creation(options), signal })
      : await navigator.credentials.get({ publicKey: request(options), signal, ...(mediation ? { mediation } : {}) });
    if (!credential) return;
    answerOf(form).value = JSON.stringify(written(credential as PublicKeyCredential));
    form.submit();
  } catch (error) {
    if (failed && mediation === undefined && (error as Error).name !== 'AbortError') failed.hidden = false;
  }
}

function answerOf(form: HTMLFormElement): HTMLInputElement {
  return form.elements.namedItem('credential') as HTMLInputElement;
}

function creation(options: Json): PublicKeyCredentialCreationOptions {
  const user = options.user as Json;
  return {
    ...options, challenge: bytes(options.challenge as string), user: { ...user, id: bytes(user.id as string) },
    excludeCredentials: known(options.excludeCredentials),
  } as PublicKeyCredentialCreationOptions;
}

function request(options: Json): PublicKeyCredentialRequestOptions {
  return { ...options, challenge: bytes(options.challenge as string), allowCredentials: known(options.allowCredentials) } as PublicKeyCredentialRequestOptions;
}

function known(listed: unknown): PublicKeyCredentialDescriptor[] {
  return ((listed ?? []) as Json[]).map((one) => ({ ...one, id: bytes(one.id as string) }) as PublicKeyCredentialDescriptor);
}

/** As the standard writes it in JSON; older browsers have no toJSON of their own. */
function written(credential: PublicKeyCredential): Json {
  const { response } = credential;
  const parts: Json = { clientDataJSON: text(response.clientDataJSON) };
  if (response instanceof AuthenticatorAttestationResponse) {
    parts.attestationObject = text(response.attestationObject);
    parts.transports = response.getTransports?.() ?? [];
  } else if (response instanceof AuthenticatorAssertionResponse) {
    parts.authenticatorData = text(response.authenticatorData);
    parts.signature = text(response.signature);
    if (response.userHandle) parts.userHandle = text(response.userHandle);
  }
  const extensions = credential.getClientExtensionResults();
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: parts, clientExtensionResults: { ...extensions } };
}

function bytes(encoded: string): ArrayBuffer {
  const plain = atob(encoded.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0)).buffer;
}

function text(raw: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(raw))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
