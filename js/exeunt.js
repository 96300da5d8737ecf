// Sign-in, tokens and sign-out for pages that are an app of their own (single-page apps), without dependencies.
//
//   import { Exeunt } from "https://id.example.com/exeunt.js";
//   const id = new Exeunt({ issuer: "https://id.example.com", clientId: "shop", apis: ["https://api.example.com"], scope: "openid orders:read" });
//   id.addEventListener("change", () => show(id.signedIn));
//   await id.start();                                   // comes back from a sign-in, or goes on where another tab is
//   const orders = await id.fetch("https://api.example.com/orders");
//
// Tokens are in memory only, in every tab the same ones; nothing of them is ever written to a storage. They are renewed 20 s before they
// end, by one tab for all. A sign-out, here or elsewhere, empties every tab. What is not certain changes nothing: an answer 503, or none,
// keeps the tokens; only invalid_grant means that the session is over.

const AHEAD = 20_000; // ms before the end of an access token in which it is renewed
const ASK = 200; // ms to wait for another tab's tokens
const text = new TextEncoder();

/** What went wrong at sign-in, with the error code of OAuth 2.0 (RFC 6749 section 4.1.2.1). */
export class SignInError extends Error {
  constructor(code, description) {
    super(description || code);
    this.name = "SignInError";
    this.code = code;
  }
}

export class Exeunt extends EventTarget {
  #o;
  #tokens = null; // { access, refresh, id, claims, scope, until: ms on this tab's clock, at: ms, grows with each renewal }
  #tabs = null;
  #timer = 0;
  #tries = 0;
  #meta = null;
  #checked = -Infinity; // when the server was asked, and
  #checking = null; // the asking
  #renewing = null;
  #was; // sid of the sign-in that this page showed when it was left
  #over = new Set(); // sids that have ended: tokens that were overtaken by a sign-out are not taken

  constructor(options) {
    super();
    const { issuer, clientId } = options;
    if (!issuer || !clientId) throw new TypeError("Exeunt: issuer and clientId are needed");
    if (!isSecureContext) throw new TypeError("Exeunt: this page is no secure context (https, or this machine)");
    const page = location.origin + location.pathname;
    this.#o = {
      scope: "openid",
      apis: [],
      redirectUri: page,
      signedOutUri: page,
      resume: true,
      wipe: "origin",
      keep: [],
      ...options,
      issuer: issuer.replace(/\/$/, ""),
      origins: new Set((options.apis || []).map((a) => new URL(a).origin)),
    };
  }

  /** Whether this page holds tokens. */
  get signedIn() {
    return this.#tokens !== null;
  }

  /** Claims of the ID token; null: nobody is signed in. */
  get claims() {
    return this.#tokens && structuredClone(this.#tokens.claims);
  }

  /** Comes back from a sign-in, takes another tab's tokens, or asks the server quietly if somebody was signed in here. */
  async start() {
    this.#listen();
    const q = new URLSearchParams(location.search);
    if (q.has("state") && (q.has("code") || q.has("error")) && this.#o.redirectUri.split("?")[0] === location.origin + location.pathname) {
      await this.#back(q);
    } else if (!(await this.#askTabs()) && this.#o.resume && localStorage.getItem(this.#key("here"))) {
      await this.signIn({ quiet: true });
    }
    return this.signedIn;
  }

  /** Leaves for the sign-in. quiet: the server answers at once, and says no rather than ask the person anything. */
  async signIn({ quiet = false, to = location.href, hint } = {}) {
    const meta = await this.#discover();
    const secret = random(), state = random(), nonce = random();
    // Needed after the way there and back, and worth nothing without the code: no token.
    sessionStorage.setItem(this.#key(state), JSON.stringify({ secret, nonce, to, quiet }));
    const q = new URLSearchParams({
      response_type: "code", client_id: this.#o.clientId, redirect_uri: this.#o.redirectUri, scope: this.#o.scope, state, nonce,
      code_challenge: base64url(await crypto.subtle.digest("SHA-256", text.encode(secret))), code_challenge_method: "S256",
    });
    for (const api of this.#o.apis) q.append("resource", api);
    if (quiet) q.set("prompt", "none");
    if (hint) q.set("login_hint", hint);
    location.assign(`${meta.authorization_endpoint}?${q}`);
    return new Promise(() => {}); // the page goes
  }

  /** Signs out: every tab is emptied at once, then the browser goes to the server, which ends the session and everything in it. */
  async signOut({ everywhere = false } = {}) {
    const t = this.#tokens;
    this.#tabs?.postMessage({ kind: "out", sid: t?.claims.sid, all: true });
    await this.#forget();
    const fields = { client_id: this.#o.clientId, post_logout_redirect_uri: this.#o.signedOutUri };
    if (t?.id) fields.id_token_hint = t.id;
    // Needs the scope account.signout, which first-party apps have unasked. If it fails, the sign-out here goes on, and says so.
    if (everywhere && t && !(await this.#everywhere(t))) fields.state = "only-here";
    const meta = await this.#discover().catch(() => ({ end_session_endpoint: `${this.#o.issuer}/logout` }));
    // A form, so that the hint stands in no address, and an onbeforeunload of the page may still keep it.
    const form = Object.assign(document.createElement("form"), { method: "post", action: meta.end_session_endpoint, hidden: true });
    for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
  }

  /** fetch with the access token, for the APIs named in apis only. 401: renewed once and tried again. 503 and others are the caller's. */
  async fetch(input, init) {
    const request = new Request(input, init);
    if (!this.#o.origins.has(new URL(request.url).origin)) {
      throw new TypeError(`Exeunt: ${new URL(request.url).origin} is not in apis: it gets no token`);
    }
    const again = request.clone();
    await this.#fresh();
    if (!this.#tokens) throw new SignInError("login_required", "Nobody is signed in.");
    const used = this.#tokens.access;
    const answer = await fetch(this.#with(request, used));
    if (answer.status !== 401) return answer;
    await this.renew(used);
    if (!this.#tokens || this.#tokens.access === used) return answer;
    return fetch(this.#with(again, this.#tokens.access));
  }

  /** Renews the tokens, once for all tabs. used: the access token that did not do; if there is another one by now, that is it. */
  async renew(used = this.#tokens?.access) {
    this.#renewing ??= this.#oneForAll(used).finally(() => { this.#renewing = null; });
    await this.#renewing;
    return this.signedIn;
  }

  /** Asks the server whether the session still lives. Not knowing changes nothing. */
  async check() {
    if (!this.#tokens) return false;
    if (performance.now() - this.#checked >= 2000) {
      this.#checked = performance.now();
      this.#checking = this.#ask(this.#tokens.access);
    }
    await this.#checking;
    return this.signedIn;
  }

  /** Keeps a link or button true: its text is data-in while somebody is signed in, else data-out, and pressing it does what it says. */
  link(element) {
    const show = () => { element.textContent = this.signedIn ? element.dataset.in || "Sign out" : element.dataset.out || "Sign in"; };
    this.addEventListener("change", show);
    element.addEventListener("click", (e) => {
      e.preventDefault();
      if (this.signedIn) this.signOut();
      else this.signIn();
    });
    show();
  }

  async #ask(used) {
    try {
      const answer = await fetch((await this.#discover()).userinfo_endpoint, { headers: { Authorization: `Bearer ${used}` }, cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (answer.status === 401) await this.renew(used);
    } catch {
      // the server cannot be reached
    }
  }

  async #everywhere(t) {
    try {
      let access = t.access;
      if (t.until - performance.now() < 5000) ({ access_token: access } = (await this.#token({ grant_type: "refresh_token", refresh_token: t.refresh })).answer);
      return (await fetch(`${this.#o.issuer}/v1/customers/me/logout`, { method: "POST", headers: { Authorization: `Bearer ${access}` }, signal: AbortSignal.timeout(10_000) })).ok;
    } catch {
      return false;
    }
  }

  #key(name) { return `exeunt ${this.#o.clientId} ${name}`; }

  #with(request, token) {
    const headers = new Headers(request.headers);
    headers.set("Authorization", `Bearer ${token}`);
    return new Request(request, { headers, redirect: "error" }); // a redirect could lead the token to another origin
  }

  async #discover() {
    if (this.#meta) return this.#meta;
    const answer = await fetch(`${this.#o.issuer}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`Exeunt: ${this.#o.issuer} answered ${answer.status}`);
    const meta = await answer.json();
    if (meta.issuer !== this.#o.issuer) throw new Error("Exeunt: the server says that it is another issuer"); // OpenID Connect Discovery 4.3
    return (this.#meta = meta);
  }

  // back ends a sign-in. The code is good once, and only with the secret that this tab kept.
  async #back(q) {
    const kept = sessionStorage.getItem(this.#key(q.get("state")));
    sessionStorage.removeItem(this.#key(q.get("state")));
    const trip = kept && JSON.parse(kept);
    const to = trip ? new URL(trip.to, location.href) : new URL(this.#o.redirectUri);
    history.replaceState(null, "", to.origin === location.origin ? to.href : this.#o.redirectUri); // the code does not stay in the address
    if (!trip) throw new SignInError("invalid_request", "This sign-in did not begin in this tab, or is over.");
    if (q.get("iss") !== this.#o.issuer) throw new SignInError("invalid_request", "The answer comes from another issuer."); // RFC 9207
    if (q.has("error")) {
      if (trip.quiet && /_required$/.test(q.get("error"))) localStorage.removeItem(this.#key("here")); // nobody is signed in there
      if (trip.quiet) return;
      throw new SignInError(q.get("error"), q.get("error_description"));
    }
    const { status, answer } = await this.#token({ grant_type: "authorization_code", code: q.get("code"), redirect_uri: this.#o.redirectUri, code_verifier: trip.secret });
    if (status !== 200) throw new SignInError(answer.error || "server_error", answer.error_description);
    // Straight from the token endpoint by TLS, so its signature need not be checked here (OpenID Connect Core 3.1.3.7, 6).
    const claims = payload(answer.id_token);
    if (claims.iss !== this.#o.issuer || ![claims.aud].flat().includes(this.#o.clientId) || claims.nonce !== trip.nonce) {
      throw new SignInError("invalid_request", "The ID token is not for this sign-in.");
    }
    this.#take({ id: answer.id_token, claims, ...read(answer), at: Date.now() });
    localStorage.setItem(this.#key("here"), "1"); // so that the next visit may ask quietly; no secret
  }

  async #token(form) {
    const meta = await this.#discover();
    const sent = performance.now();
    const res = await fetch(meta.token_endpoint, { method: "POST", body: new URLSearchParams({ client_id: this.#o.clientId, ...form }), cache: "no-store", signal: AbortSignal.timeout(10_000) });
    const answer = await res.json().catch(() => ({}));
    answer.until = sent + (answer.expires_in || 60) * 1000;
    return { status: res.status, answer, wait: Number(res.headers.get("Retry-After")) || 0 };
  }

  #take(tokens, tell = true) {
    if (this.#over.has(tokens.claims.sid)) return;
    const was = this.#tokens?.claims;
    this.#tokens = tokens;
    this.#tries = 0;
    const left = tokens.until - performance.now();
    this.#plan(left - Math.min(AHEAD, left / 2)); // a token of less than 40 s at half of its life
    if (tell) this.#tabs?.postMessage({ kind: "have", tokens: portable(tokens) });
    if (was?.sub !== tokens.claims.sub) this.dispatchEvent(new Event("change"));
  }

  #plan(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.renew(), Math.max(ms, 0));
  }

  // fresh renews what would end on the way.
  async #fresh() {
    if (this.#tokens && this.#tokens.until - performance.now() < 5000) await this.renew();
  }

  async #oneForAll(used) {
    if (!this.#tokens) return;
    const alone = async () => {
      await this.#caughtUp();
      if (!this.#tokens || this.#tokens.access !== used) return; // another tab was first
      await this.#renewHere();
      await this.#caughtUp(); // what was said about it is on its way before another tab may begin
    };
    return navigator.locks ? navigator.locks.request(this.#key("renew"), alone) : alone(); // without locks the server's grace bears the race
  }

  // caughtUp waits until this tab has read what other tabs said before now, by a word to itself that comes after theirs. Without it, a tab
  // that gets the lock before the message would renew once more; one that was frozen would show a refresh token long used, which is theft.
  #caughtUp() {
    return new Promise((done) => {
      const word = random();
      const voice = new BroadcastChannel(this.#key("tabs"));
      const heard = ({ data }) => {
        if (data.word !== word) return;
        this.#tabs.removeEventListener("message", heard);
        voice.close();
        done();
      };
      this.#tabs.addEventListener("message", heard);
      voice.postMessage({ kind: "word", word });
    });
  }

  async #renewHere() {
    const t = this.#tokens;
    let got;
    try {
      got = await this.#token({ grant_type: "refresh_token", refresh_token: t.refresh });
    } catch {
      got = { status: 0, wait: 0, answer: {} };
    }
    if (this.#tokens !== t) return; // signed out meanwhile
    if (got.status === 200 && got.answer.access_token) {
      const id = got.answer.id_token;
      this.#take({ ...t, ...(id && { id, claims: payload(id) }), ...read(got.answer, t), at: Math.max(Date.now(), t.at + 1) });
    } else if (got.status === 400 && got.answer.error === "invalid_grant") {
      this.#tabs?.postMessage({ kind: "out", sid: t.claims.sid });
      await this.#forget();
    } else {
      this.#plan(Math.max(got.wait * 1000, Math.min(1000 * 2 ** this.#tries++, 30_000))); // the tokens stay
    }
  }

  // Tabs of one origin and client share what they hold. Nobody else can listen in.
  #listen() {
    if (this.#tabs) return;
    this.#tabs = new BroadcastChannel(this.#key("tabs"));
    this.#tabs.onmessage = async ({ data }) => {
      if (data.kind === "out") {
        if (data.sid) this.#over.add(data.sid);
        if (data.all || this.#tokens?.claims.sid === data.sid) await this.#forget(); // a late word of an old session leaves a new one alone
      }
      else if (data.kind === "ask" && this.#tokens) this.#tabs.postMessage({ kind: "have", tokens: portable(this.#tokens) });
      else if (data.kind === "have") {
        // Newer ones: renewed later, not those that live longer. To a tab that was frozen all that it missed lives equally long.
        if (!(this.#tokens?.at >= data.tokens.at)) this.#take({ ...data.tokens, until: performance.now() + data.tokens.left }, false);
      }
    };
    addEventListener("pagehide", () => {
      this.#was = this.#tokens?.claims.sid;
      cover("hidden", "0");
    });
    addEventListener("pageshow", (e) => { if (e.persisted) this.#shownAgain(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.check(); });
    addEventListener("online", () => this.check());
  }

  async #askTabs() {
    this.#tabs.postMessage({ kind: "ask" });
    const end = performance.now() + ASK;
    while (!this.#tokens && performance.now() < end) await new Promise((r) => setTimeout(r, 10));
    return this.signedIn;
  }

  // A page that the back button brings out of the browser's cache would show what it showed: it was covered when it was left. It is uncovered
  // for the sign-in that it showed, if that lives as far as can be known; else it begins anew.
  async #shownAgain() {
    this.#checked = -Infinity;
    if (this.signedIn) {
      this.#tabs.postMessage({ kind: "ask" }); // other tabs may have renewed meanwhile
      await new Promise((r) => setTimeout(r, ASK));
    }
    // A sign-out in another tab, which a page in the cache does not hear, takes the mark away: that is known without the server.
    if (this.#was && localStorage.getItem(this.#key("here")) && (await this.check()) && this.#tokens.claims.sid === this.#was) cover("", "");
    else location.reload();
  }

  // forget empties this tab. wipe "origin": and all of this origin that may hold a token: storages, databases, caches, and cookies that scripts
  // can see. "own": what this module wrote, which is no token. A place that the browser forbids is none that keeps the rest from being emptied.
  async #forget() {
    const was = this.#tokens, own = this.#o.wipe === "own";
    const goes = (name) => own ? name.startsWith(this.#key("")) : !this.#o.keep.includes(name);
    clearTimeout(this.#timer);
    if (was?.claims.sid) this.#over.add(was.claims.sid);
    this.#tokens = null;
    for (const e of document.querySelectorAll("[data-exeunt]")) {
      e.replaceChildren();
      if ("value" in e) e.value = "";
    }
    for (const storage of ["localStorage", "sessionStorage"]) {
      try { for (const name of Object.keys(self[storage])) if (goes(name)) self[storage].removeItem(name); } catch { /* forbidden here */ }
    }
    if (!own) for (const c of document.cookie.split("; ")) {
      const name = c.split("=")[0];
      if (name && goes(name)) expire(name);
    }
    if (was) this.dispatchEvent(new Event("change")); // at once: what follows takes a moment
    if (own) return;
    await quiet(async () => { for (const name of await caches.keys()) if (goes(name)) await caches.delete(name); });
    await quiet(async () => Promise.all((await indexedDB.databases()).filter(({ name }) => goes(name)).map(({ name }) => new Promise((done) => {
      const r = indexedDB.deleteDatabase(name);
      r.onsuccess = r.onerror = r.onblocked = done; // blocked: it goes as soon as whoever has it open closes it
    }))));
  }
}

// cover hides the page. What is in it can undo either, not both.
const cover = (...values) => ["visibility", "opacity"].forEach((name, i) => document.documentElement.style.setProperty(name, values[i], "important"));

// quiet does what may be forbidden here, or may not be there.
const quiet = async (act) => { try { await act(); } catch { /* then there is nothing in it */ } };

// expire removes a cookie at every path and domain from which this page could see it. A name that begins with __Host- or __Secure- is heard
// with Secure only.
function expire(name) {
  const steps = location.pathname.split("/"), host = location.hostname.split(".");
  const places = ["", ...host.slice(0, -1).map((_, j) => `; Domain=${host.slice(j).join(".")}`)].flatMap((at) => [at, `${at}; Secure`]);
  for (let i = 1; i <= steps.length; i++) {
    const folder = steps.slice(0, i).join("/");
    for (const path of [folder || "/", `${folder}/`]) for (const at of places) document.cookie = `${name}=; Max-Age=0; Path=${path}${at}`;
  }
}

const read = (a, was = {}) => ({ access: a.access_token, refresh: a.refresh_token || was.refresh, scope: a.scope || was.scope, until: a.until });

const portable = ({ until, ...tokens }) => ({ ...tokens, left: until - performance.now() }); // each tab has a clock of its own

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const payload = (jwt) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))));
