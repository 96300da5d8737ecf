// A website made with express-openid-connect, version 2 or 3: sign-in, sessions and back-channel logout are the library's own.
import { settings, FileStore, page, serve } from './common.mjs'
import { createRequire } from 'node:module'
import express from 'express'

const { auth } = createRequire(import.meta.url)(settings.kind)
const store = new FileStore(settings.state)

// By itself the library takes a logout token that names both a session and its person for the end of all that person's
// sessions: it remembers `sub` as well as `sid`. The specification (section 2.4) means only the one session, and so does this.
const oneSession = {
  onLogoutToken: ({ iss, sid, sub }) => new Promise((done, fail) => {
    const maxAge = 7 * 24 * 60 * 60 * 1000
    store.set(`${iss}|${sid ?? sub}`, { cookie: { expires: Date.now() + maxAge, maxAge } }, (err) => (err ? fail(err) : done()))
  }),
}

const bye = settings.base + '/bye'
const app = express()
const form = express.urlencoded({ extended: false })

app.get('/bye', (req, res) => page(req, res, null, 'You have left.'))
app.use(auth({
  issuerBaseURL: settings.issuer, baseURL: settings.base, clientID: settings.clientID, clientSecret: settings.clientSecret,
  secret: settings.clientSecret, idTokenSigningAlg: settings.alg, authRequired: false, idpLogout: true, enableTelemetry: false,
  authorizationParams: { response_type: 'code', scope: 'openid profile' },
  routes: { logout: false, postLogoutRedirect: bye, backchannelLogout: '/backchannel' },
  session: { store },
  backchannelLogout: settings.hooks === 'default' ? true : oneSession,
  afterCallback: async (req, res, session) => {
    const { userinfo_endpoint: at } = await (await fetch(settings.issuer + '/.well-known/openid-configuration')).json()
    const person = await (await fetch(at, { headers: { Authorization: 'Bearer ' + session.access_token } })).json()
    return { ...session, who: person.preferred_username }
  },
}))

app.get('/', (req, res) => page(req, res, req.oidc.isAuthenticated() ? { who: req.appSession.who, sid: req.oidc.idTokenClaims.sid } : null))

app.post('/logout', form, (req, res) => {
  if (req.body.which !== 'app') return res.oidc.logout()
  req.appSession = undefined
  res.redirect(`${settings.issuer}/logout?${new URLSearchParams({ client_id: settings.clientID, logout_uri: bye })}`)
})

serve(app)
