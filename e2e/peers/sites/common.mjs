// What the two websites for Node share: their settings, a session store that outlives the process, and the page.
import fs from 'node:fs'
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto // Node 18 has it under this name only with a flag; openid-client 6 asks for the name

// { kind, name, clientID, clientSecret, issuer, base, alg, state, hooks }
export const settings = JSON.parse(process.env.PEER)

// FileStore has the three methods that express-session's stores have, which is what express-openid-connect asks for. It
// writes before it answers: a session that was ended is ended after a crash, too.
export class FileStore {
  #path
  #rows
  constructor(path) {
    this.#path = path
    this.#rows = new Map(fs.existsSync(path) ? JSON.parse(fs.readFileSync(path, 'utf8')) : [])
  }
  #write(done) {
    fs.writeFileSync(this.#path + '.new', JSON.stringify([...this.#rows]))
    fs.renameSync(this.#path + '.new', this.#path)
    done?.(null)
  }
  get(id, done) {
    done(null, structuredClone(this.#rows.get(id)))
  }
  set(id, row, done) {
    this.#rows.set(id, structuredClone(row))
    this.#write(done)
  }
  destroy(id, done) {
    if (this.#rows.delete(id)) this.#write(done)
    else done?.(null)
  }
  // destroyIf is for a site that manages its sessions itself.
  destroyIf(match) {
    for (const [id, row] of this.#rows) if (match(row)) this.#rows.delete(id)
    this.#write()
  }
}

const escape = (s) => String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

// page shows who is signed in by the site's own cookie. It shows the cookie, too, so that a test can be the thief of it.
export function page(req, res, session, text = '') {
  res.set('Cache-Control', 'no-store')
  res.send(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(settings.name)}</title><h1 id="app">${escape(settings.name)}</h1>
${text && `<p id="text">${escape(text)}</p>`}
${session
    ? `<p>Signed in as <strong id="who">${escape(session.who)}</strong>, <code id="sid">${escape(session.sid)}</code>, <code id="cookie">${escape(req.headers.cookie ?? '')}</code></p>
<form method="post" action="/logout"><button id="out" name="which" value="all">Sign out</button> <button id="leave" name="which" value="app">Leave only this site</button></form>`
    : '<p id="nobody">Nobody is signed in. <a id="in" href="/login">Sign in</a></p>'}</html>`)
}

// serve listens where the site is to be found, and says so on standard output.
export function serve(app) {
  const at = new URL(settings.base)
  app.listen(Number(at.port), at.hostname, (err) => {
    if (err) throw err
    console.log('listening')
  })
}
