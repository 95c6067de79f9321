// openid-client as its authors publish it, with default settings, through every flow. It says what the browser is to
// visit and is told where that led; at the end it says what it has seen. Any complaint of the library ends it.
import * as client from 'openid-client';
import { createInterface } from 'node:readline';
import { webcrypto } from 'node:crypto';

const given = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const seen = {};

const visit = async (url, how = 'allow') => {
  process.stdout.write(`${JSON.stringify({ visit: String(url), how })}\n`);
  return new URL(JSON.parse((await lines.next()).value).back);
};
const check = (right, what) => {
  if (!right) throw new Error(`not as it should be: ${what}`);
};
const issuer = new URL(given.issuer);

const codeFlow = async (config, { scope, pushed = false, redirect_uri }) => {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri, scope, state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  const url = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters)
    : client.buildAuthorizationUrl(config, parameters);
  if (pushed) check(url.searchParams.get('request_uri')?.startsWith('urn:ietf:params:oauth:request_uri:'), 'PAR');
  const back = await visit(url);
  return client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
};

// a web application with a secret, and pushed requests
const web = await client.discovery(issuer, given.web.id, given.web.secret);
check(web.serverMetadata().authorization_response_iss_parameter_supported, 'RFC 9207 is announced');
const first = await codeFlow(web, { scope: given.web.scope, pushed: true, redirect_uri: given.web.redirect_uri });
seen.claims = first.claims();
for (const name of ['auth_time', 'amr', 'at_hash', 'nonce', 'sid']) check(seen.claims[name], name);
const about = await client.fetchUserInfo(web, first.access_token, seen.claims.sub);
check(about.name, 'userinfo');
const second = await client.refreshTokenGrant(web, first.refresh_token);
check(second.refresh_token && second.refresh_token !== first.refresh_token && second.id_token, 'rotation');
check((await client.tokenIntrospection(web, second.access_token)).active, 'introspection');
await client.tokenRevocation(web, second.refresh_token);
check(!(await client.tokenIntrospection(web, second.access_token)).active, 'revocation');
await client.tokenRevocation(web, 'unknown');

// the same with the secret in the header
const basic = await client.discovery(issuer, given.web.id, undefined, client.ClientSecretBasic(given.web.secret));
const third = await codeFlow(basic, { scope: 'openid profile', redirect_uri: given.web.redirect_uri });
check(!third.refresh_token, 'no offline_access, no refresh token');

// a public client
const open = await client.discovery(issuer, given.open.id, undefined, client.None());
const fourth = await codeFlow(open, { scope: given.open.scope, redirect_uri: given.open.redirect_uri });
check((await client.refreshTokenGrant(open, fourth.refresh_token)).access_token, 'a public client refreshes');

// a service by private_key_jwt; as RFC 8414 finds it
const key = await webcrypto.subtle.importKey(
  'jwk', given.keyed.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
);
const keyed = await client.discovery(
  issuer, given.keyed.id, undefined, client.PrivateKeyJwt({ key, kid: given.keyed.jwk.kid }), { algorithm: 'oauth2' },
);
const served = await client.clientCredentialsGrant(keyed, { scope: given.keyed.scope });
seen.service = served.access_token;

// a device
const begun = await client.initiateDeviceAuthorization(open, { scope: 'openid profile' });
await visit(begun.verification_uri_complete, 'device');
const device = await client.pollDeviceAuthorizationGrant(open, begun);
check(device.access_token, 'a device');

// errors are the provider's own
const denied = client.buildAuthorizationUrl(open, {
  redirect_uri: given.open.redirect_uri, scope: 'openid', state: 's',
  code_challenge: await client.calculatePKCECodeChallenge('x'.repeat(43)), code_challenge_method: 'S256', prompt: 'consent',
});
const refusal = await client
  .authorizationCodeGrant(open, await visit(denied, 'deny'), { pkceCodeVerifier: 'x'.repeat(43), expectedState: 's' })
  .then(() => null, (error) => error);
check(refusal?.error === 'access_denied', `access_denied, not ${refusal?.error ?? refusal}`);

// and out
const out = client.buildEndSessionUrl(web, {
  id_token_hint: third.id_token, post_logout_redirect_uri: given.web.logout_uri, state: 'bye',
});
seen.left = String(await visit(out, 'leave'));
check((await client.fetchUserInfo(web, third.access_token, client.skipSubjectCheck).then(() => 0, () => 1)) === 1, 'out is out');
process.stdout.write(`${JSON.stringify({ seen })}\n`);
process.exit(0);
