// An OpenID Provider that is none of ours: panva's oidc-provider, certified by the OpenID Foundation, as strict as it
// can be made. The first line of its standard input is JSON: `clients` as oidc-provider takes them, and
// `access_token_ttl` in seconds. It prints its issuer, serves on loopback, and ends when its input does.
//
// Besides the protocol it serves `/resource`, an API that takes an access token and says whose and for whom it is, and
// `/test/events`, what has happened at the provider, for the tests to look at.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const given = await new Promise((resolve) => {
  const lines = createInterface({ input: process.stdin });
  lines.once('line', (line) => resolve(JSON.parse(line)));
  lines.once('close', () => process.exit(0));
});

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

/** A key that signs ID tokens, and logout tokens too. */
const key = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg,
});

const claimsOf = (name) => ({
  sub: `id-${name.toLowerCase()}`,
  name,
  preferred_username: name.toLowerCase(),
  email: `${name.toLowerCase()}@example.org`,
  email_verified: true,
  groups: ['staff'],
});

/** What anybody has typed once is an account. */
const accounts = new Map();

const provider = new Provider(issuer, {
  clients: given.clients,
  jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: {
    openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'],
  },
  scopes: ['openid', 'offline_access', 'api'],
  pkce: { required: () => true },
  rotateRefreshToken: () => true,
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: {
    AccessToken: given.access_token_ttl ?? 3600, AuthorizationCode: 60, Grant: 86_400, IdToken: 600, Interaction: 600,
    RefreshToken: 86_400, Session: 86_400,
  },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    // RFC 8707: any address below this API's is an API.
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({ scope: 'api', audience: resource, accessTokenFormat: 'opaque' }),
    },
  },
  interactions: { url: (ctx, interaction) => `${issuer}/interaction/${interaction.uid}` },
  findAccount: (ctx, sub) => accounts.get(sub) && { accountId: sub, claims: () => accounts.get(sub) },
  // Nobody is asked for consent.
  async loadExistingGrant(ctx) {
    const { client, session, params } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    for (const resource of [params.resource ?? []].flat()) {
      grant.addResourceScope(resource, 'api');
    }
    await grant.save();
    return grant;
  },
  renderError(ctx, out) {
    ctx.type = 'text';
    ctx.body = `${out.error}: ${out.error_description}`;
  },
});

/** The name and, where there is one, the kind of token of all that has happened. */
const events = [];
for (const name of [
  'pushed_authorization_request.success', 'pushed_authorization_request.error', 'grant.success', 'grant.error', 'grant.revoked', 'refresh_token.consumed',
  'backchannel.success', 'backchannel.error', 'end_session.success', 'server_error',
]) {
  provider.on(name, (...details) => {
    const error = details.find((detail) => detail instanceof Error);
    events.push(error ? `${name}: ${error.message} ${error.error_detail ?? ''}` : name);
  });
}

function logoutSource(ctx, form) {
  ctx.body = page('Sign out?', `${form}<button form="op.logoutForm" name="logout" value="yes">Yes</button>`);
}

function postLogoutSuccessSource(ctx) {
  ctx.body = page('Signed out', '');
}

function page(title, body) {
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}`;
}

function send(response, status, type, body) {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function signIn(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    const form = `<form method="post" action="${issuer}/interaction/${uid}"><input name="login"><button>Sign in</button></form>`;
    send(response, 200, 'text/html; charset=utf-8', page('Sign in', form));
    return;
  }
  const sent = [];
  for await (const chunk of request) {
    sent.push(chunk);
  }
  const claims = claimsOf(new URLSearchParams(Buffer.concat(sent).toString()).get('login'));
  accounts.set(claims.sub, claims);
  await provider.interactionFinished(request, response, { login: { accountId: claims.sub } });
}

/** An API of its own: it takes an access token of this provider's, and echoes whose and for whom it is. */
async function resource(request, response) {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer && await provider.AccessToken.find(bearer);
  if (!token?.isValid) {
    response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
    send(response, 401, 'application/json', '{}');
    return;
  }
  const { accountId: sub, aud = null, scope } = token;
  send(response, 200, 'application/json', JSON.stringify({ sub, aud, scope }));
}

const callback = provider.callback();
server.on('request', (request, response) => {
  const { pathname } = new URL(request.url, issuer);
  const failed = (error) => send(response, 500, 'text/plain', String(error));
  if (pathname.startsWith('/interaction/')) {
    signIn(request, response).catch(failed);
  } else if (pathname === '/resource' || pathname.startsWith('/resource/')) {
    resource(request, response).catch(failed);
  } else if (pathname === '/test/events') {
    send(response, 200, 'application/json', JSON.stringify(events));
  } else {
    callback(request, response);
  }
});

console.log(issuer);
