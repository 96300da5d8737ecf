// Passkeys, on the pages that have a form for them. Without this script, or in a browser without passkeys, those forms stay hidden.
"use strict";
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const field = (name) => form.elements.namedItem(name);
  const says = form.querySelector("[role=alert]");
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) => b && btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const making = form.dataset.passkey === "create";

  // challenge asks the server for a question that is answered once.
  async function challenge() {
    const answer = await fetch(form.dataset.challenge, {method: "POST", body: new URLSearchParams({csrf: field("csrf").value}), headers: {Accept: "application/json"}});
    const asked = await answer.json();
    if (asked.login) location.assign(asked.login);
    if (!answer.ok) throw new Error(asked.error_description);
    const key = asked.options.publicKey;
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    for (const list of [key.allowCredentials, key.excludeCredentials]) for (const c of list || []) c.id = bytes(c.id);
    return {ceremony: asked.ceremony, publicKey: key};
  }

  // send puts the answer into the form, which goes the way of every form.
  function send(ceremony, made) {
    const r = made.response;
    field("ceremony").value = ceremony;
    field("credential").value = JSON.stringify({
      id: made.id, rawId: text(made.rawId), type: made.type, authenticatorAttachment: made.authenticatorAttachment || undefined, clientExtensionResults: {},
      response: {
        clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports ? r.getTransports() : undefined,
        authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: text(r.userHandle),
      },
    });
    const stay = document.querySelector("input[name=stay]:checked");
    if (stay && field("stay")) field("stay").value = stay.value;
    document.documentElement.classList.add("sent");
    form.submit();
  }

  let waiting = null; // for a choice in the browser's list of usernames
  async function ask(mediation) {
    if (waiting) waiting.abort();
    const own = new AbortController();
    if (mediation) waiting = own;
    const {ceremony, publicKey} = await challenge();
    const made = making ? await navigator.credentials.create({publicKey}) : await navigator.credentials.get({publicKey, mediation, signal: own.signal});
    if (made) send(ceremony, made);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    says.hidden = true;
    try {
      await ask();
    } catch (err) {
      says.hidden = false; // the page's own words: a browser's are for programmers
    }
  });
  form.hidden = false;
  if (form.dataset.autofill && PublicKeyCredential.isConditionalMediationAvailable)
    PublicKeyCredential.isConditionalMediationAvailable().then((can) => can && ask("conditional")).catch(() => {});
})();
