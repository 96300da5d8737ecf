// An app on a device, made with openid-client, that holds a key for DPoP. It does what it is told line by line, and says what came of it.
import { settings } from './common.mjs'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const config = await client.discovery(new URL(settings.issuer), settings.clientID, undefined, client.None(), { execute: [client.allowInsecureRequests] })
// A proxy that drops the answer to the next request with a proof, and sends the same request again.
let repeat = false
config[client.customFetch] = async (url, options) => {
  if (repeat && new Headers(options.headers).has('dpop')) {
    repeat = false
    await (await fetch(url, options)).arrayBuffer()
  }
  return fetch(url, options)
}
const redirectURI = settings.base + '/callback'
const keys = {}
for (const name of ['own', 'other']) keys[name] = client.getDPoPHandle(config, await client.randomDPoPKeyPair(settings.alg))

let attempt, tokens
const acts = {
  async repeat() { repeat = true },
  // Where the person signs in. The code will be bound to the key, by dpop_jkt or by the proof that a pushed request comes with.
  async begin({ push }) {
    attempt = { verifier: client.randomPKCECodeVerifier(), state: client.randomState() }
    const parameters = { redirect_uri: redirectURI, scope: 'openid profile', resource: settings.api, state: attempt.state,
      code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier), code_challenge_method: 'S256' }
    if (push) return (await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: keys.own })).href
    return client.buildAuthorizationUrl(config, { ...parameters, dpop_jkt: await keys.own.calculateThumbprint() }).href
  },
  async finish({ url, key }) {
    tokens = await client.authorizationCodeGrant(config, new URL(url), { expectedState: attempt.state, pkceCodeVerifier: attempt.verifier, idTokenExpected: true },
      undefined, { DPoP: keys[key] })
    return tokens.token_type
  },
  async refresh({ key }) {
    const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: keys[key] })
    tokens = { ...tokens, ...next }
    return next.token_type
  },
  async who({ key }) {
    return (await client.fetchUserInfo(config, tokens.access_token, client.skipSubjectCheck, { DPoP: keys[key] })).preferred_username
  },
  async call({ key, url }) {
    const answer = await client.fetchProtectedResource(config, tokens.access_token, new URL(url), 'POST', 'x', undefined, key && { DPoP: keys[key] })
    return await answer.text()
  },
}

console.log(JSON.stringify({ ok: 'ready' }))
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  try {
    console.log(JSON.stringify({ ok: (await acts[order.act](order)) ?? '' }))
  } catch (err) {
    const challenge = Array.isArray(err.cause) ? err.cause[0] : undefined
    console.log(JSON.stringify({ error: err.error ?? challenge?.parameters?.error ?? err.message, scheme: challenge?.scheme ?? '' }))
  }
}
