// Package native is an app on somebody's own computer, as RFC 8252 wants it: the sign-in happens in the person's own browser and comes
// back to a port of this computer (section 7.3), with PKCE; no password and no client secret ever passes through the app.
//
// Access tokens are in memory. The refresh token and the key that it is bound to (DPoP, RFC 9449) are in the best place that there is
// without more libraries: the system's keyring by its command (secret-tool, security), else a file that only this user may read. The
// app says which. A refresh token without its key is worth nothing.
//
// A sign-out is told to the server (RFC 7009); if that cannot be reached, the app forgets its tokens for all uses but this and tells it
// at the next run.
//
// Register it as a client of kind native, with the redirect URI http://127.0.0.1/callback (any port is good then), DPoP required, and
// the API as its audience. It has no post-logout URI: after a sign-out the browser stays at the server's page.
package native
