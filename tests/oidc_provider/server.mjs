// A real OpenID provider for the tests: npm oidc-provider with accounts, keys and faults that a test sets by POST /control.
// Arguments: the port on loopback, then the first state as JSON. Prints "ready" when it listens.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const state = {
  clients: [],
  accounts: {}, // login -> {claims, userinfo, amr, acr, age}: userinfo = claims only there, age = seconds since sign-in
  algorithm: 'RS256',
  userinfo: 'json', // or 'signed'
  delays: {}, // path -> milliseconds
  answers: {}, // path -> {status, type, body, location}: instead of the provider's own answer
  ...JSON.parse(process.argv[3] ?? '{}'),
};
const KINDS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
};
const cookieKeys = [randomBytes(16).toString('hex')];
let keys = [];
let provider;
let answer;

function newKey() {
  const [kind, options] = KINDS[state.algorithm];
  const { privateKey } = generateKeyPairSync(kind, options);
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: state.algorithm, use: 'sig' };
}

function claimNames() {
  const names = new Set(['sub', 'sid', 'amr', 'acr', 'auth_time', 'email', 'email_verified', 'groups', 'name']);
  for (const account of Object.values(state.accounts)) {
    for (const name of Object.keys({ ...account.claims, ...account.userinfo })) names.add(name);
  }
  return [...names];
}

const configuration = () => ({
  adapter: undefined,
  clients: state.clients.map((client) => ({
    id_token_signed_response_alg: state.algorithm,
    ...(state.userinfo === 'signed' ? { userinfo_signed_response_alg: state.algorithm } : {}),
    ...client,
  })),
  jwks: { keys },
  cookies: { keys: cookieKeys },
  claims: { openid: claimNames() },
  scopes: ['openid', 'profile', 'email', 'groups'],
  acrValues: ['urn:example:one', 'urn:example:two', 'phr'],
  conformIdTokenClaims: false,
  enabledJWA: { idTokenSigningAlgValues: Object.keys(KINDS), userinfoSigningAlgValues: Object.keys(KINDS) },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    jwtUserinfo: { enabled: state.userinfo === 'signed' },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page(`${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
      },
    },
  },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options), // without the guard that refuses loopback
  findAccount: (ctx, login) => {
    const account = state.accounts[login];
    if (!account) return undefined;
    return {
      accountId: login,
      claims: (use) => ({ sub: login, ...account.claims, ...(use === 'userinfo' ? account.userinfo : {}) }),
    };
  },
  loadExistingGrant: async (ctx) => {
    const { client, session, params } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    const grant = (known && await provider.Grant.find(known))
      || new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  renderError: (ctx, out) => {
    ctx.type = 'html';
    ctx.body = page(`<p id="error">${out.error}: ${out.error_description}</p>`);
  },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
});

const page = (body) => `<!doctype html><html lang="en"><title>Test provider</title><body><h1>Test provider</h1>${body}</body></html>`;

const loginPage = (complaint = '') => page(`<form method="post"><p>${complaint}</p>
  <label>Login <input name="login" autofocus></label>
  <button name="action" value="sign-in">Sign in</button> <button name="action" value="cancel">Cancel</button></form>`);

function renew() {
  provider = new Provider(issuer, configuration());
  answer = provider.callback();
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function interaction(request, response) {
  const details = await provider.interactionDetails(request, response);
  const send = (text) => response.writeHead(200, { 'content-type': 'text/html' }).end(text);
  if (request.method === 'GET') return send(loginPage());
  const form = new URLSearchParams(await body(request));
  if (form.get('action') === 'cancel') {
    const refused = { error: 'access_denied', error_description: 'the person cancelled' };
    return provider.interactionFinished(request, response, refused, { mergeWithLastSubmission: false });
  }
  const login = form.get('login');
  const account = state.accounts[login];
  if (!account || details.prompt.name !== 'login') return send(loginPage('There is no such account.'));
  const ts = Math.floor(Date.now() / 1000) - (account.age ?? 0);
  const result = { login: { accountId: login, amr: account.amr ?? undefined, acr: account.acr ?? undefined, ts } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function control(request, response) {
  const { rotate, signOut, ...changes } = JSON.parse(await body(request));
  let status = 200;
  Object.assign(state, changes);
  if (rotate || changes.algorithm) keys = [newKey()];
  renew();
  if (signOut) {
    const client = await provider.Client.find(signOut.client);
    try {
      await client.backchannelLogout(signOut.subject, signOut.session);
    } catch {
      status = 502;
    }
  }
  response.writeHead(status).end();
}

async function serve(request, response) {
  const path = new URL(request.url, issuer).pathname;
  if (path === '/control') return control(request, response);
  if (state.delays[path]) await new Promise((done) => { setTimeout(done, state.delays[path]); });
  const instead = state.answers[path];
  if (instead) {
    const headers = { 'content-type': instead.type ?? 'application/json' };
    if (instead.location) headers.location = instead.location;
    return response.writeHead(instead.status ?? 200, headers).end(instead.body ?? '');
  }
  if (path.startsWith('/interaction/')) return interaction(request, response);
  return answer(request, response);
}

keys = [newKey()];
renew();
createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
}).listen(port, '127.0.0.1', () => console.log('ready'));
