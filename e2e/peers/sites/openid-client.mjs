// A website made with openid-client, which leaves sessions to the site, and the logout token to jose.
import { settings, FileStore, page, serve } from './common.mjs'
import { randomBytes } from 'node:crypto'
import express from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'

const store = new FileStore(settings.state)
const redirectURI = settings.base + '/callback'
const bye = settings.base + '/bye'

let known // the provider's metadata, once it has answered
async function provider() {
  known ??= await client
    .discovery(new URL(settings.issuer), settings.clientID, { client_secret: settings.clientSecret, id_token_signed_response_alg: settings.alg },
      client.ClientSecretBasic(settings.clientSecret), { execute: [client.allowInsecureRequests] })
    .then((config) => ({ config, keys: createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri)) }))
  return known
}

const cookie = (req, name) => (req.headers.cookie ?? '').split('; ').find((c) => c.startsWith(name + '='))?.slice(name.length + 1) ?? ''
const give = (res, name, value) => res.cookie(name, value, { httpOnly: true, sameSite: 'lax' })
const row = (id) => new Promise((done) => store.get(id, (_, r) => done(r)))

const app = express()
const form = express.urlencoded({ extended: false })

app.get('/', async (req, res) => page(req, res, await row(cookie(req, 'session'))))
app.get('/bye', (req, res) => page(req, res, null, 'You have left.'))

app.get('/login', async (req, res) => {
  const { config } = await provider()
  const attempt = { state: client.randomState(), nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier() }
  const id = randomBytes(32).toString('base64url')
  store.set(id, attempt)
  give(res, 'login', id)
  res.redirect(client.buildAuthorizationUrl(config, {
    redirect_uri: redirectURI, scope: 'openid profile', state: attempt.state, nonce: attempt.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier), code_challenge_method: 'S256',
  }).href)
})

app.get('/callback', async (req, res) => {
  const { config } = await provider()
  const attempt = await row(cookie(req, 'login'))
  if (!attempt?.verifier) return res.status(400).send('not begun here')
  store.destroy(cookie(req, 'login'))
  const tokens = await client.authorizationCodeGrant(config, new URL(req.originalUrl, settings.base),
    { expectedState: attempt.state, expectedNonce: attempt.nonce, pkceCodeVerifier: attempt.verifier, idTokenExpected: true })
  const { sub, sid } = tokens.claims()
  const person = await client.fetchUserInfo(config, tokens.access_token, sub)
  store.destroy(cookie(req, 'session'))
  const id = randomBytes(32).toString('base64url')
  store.set(id, { who: person.preferred_username, sub, sid, idToken: tokens.id_token })
  give(res, 'session', id)
  res.clearCookie('login').redirect('/')
})

app.post('/logout', form, async (req, res) => {
  const { config } = await provider()
  const session = await row(cookie(req, 'session'))
  store.destroy(cookie(req, 'session'))
  res.clearCookie('session')
  if (!session) return res.redirect('/')
  const end = new URL(config.serverMetadata().end_session_endpoint)
  end.search = new URLSearchParams({ client_id: settings.clientID, logout_uri: bye })
  res.redirect(req.body.which === 'app' ? end.href : client.buildEndSessionUrl(config, { id_token_hint: session.idToken, post_logout_redirect_uri: bye }).href)
})

// Back-Channel Logout 1.0 sections 2.5 to 2.8. A token that names a session ends that one only.
const event = 'http://schemas.openid.net/event/backchannel-logout'
app.post('/backchannel', form, async (req, res) => {
  res.set('Cache-Control', 'no-store')
  const { config, keys } = await provider() // an error of which is a 500, not the token's fault
  try {
    const { payload } = await jwtVerify(req.body.logout_token, keys, {
      issuer: config.serverMetadata().issuer, audience: settings.clientID, algorithms: [settings.alg], typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti', 'events'],
    })
    if (typeof payload.events[event] !== 'object' || 'nonce' in payload || !(payload.sid || payload.sub)) throw new Error('no logout token')
    store.destroyIf((s) => (payload.sid ? s.sid === payload.sid : s.sub === payload.sub))
  } catch (err) {
    return res.status(400).json({ error: 'invalid_request', error_description: err.message })
  }
  res.status(200).end()
})

serve(app)
