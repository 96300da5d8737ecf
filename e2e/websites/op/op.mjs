// npm's oidc-provider as it comes, with its development sign-in pages, for one site: CALLBACK, LEFT and LOGOUT are its addresses. It says its address on the
// first line.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const { CALLBACK: callback, LEFT: left, LOGOUT: logout, CLIENT_SECRET: secret } = process.env
const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const op = new Provider(issuer, {
    clients: [{
      client_id: 'site',
      client_secret: secret,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [callback],
      post_logout_redirect_uris: [left],
      backchannel_logout_uri: logout,
      backchannel_logout_session_required: true,
    }],
    cookies: { keys: ['a key of this test'] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    features: { backchannelLogout: { enabled: true }, revocation: { enabled: true }, introspection: { enabled: true }, devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Alice' }) }),
    issueRefreshToken: () => true,
    // Its own way of calling refuses loopback addresses, where this test's website is.
    fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  })
  op.on('backchannel.error', (_, error) => console.error(error.message))
  op.on('server_error', (_, error) => console.error(error.message))
  server.on('request', op.callback())
  console.log(issuer)
})
