"use strict";
// Answers "unchanged", "changed" or "error" to the page that frames this one. "error" when nobody can know: then an app must not
// ask for a new sign-in, or it would ask for ever where browsers keep the cookie away from frames.

// The origin of the page that frames this one; undefined if the browser does not tell.
const above = () => {
  if (location.ancestorOrigins) return location.ancestorOrigins[0];
  try {
    return new URL(document.referrer).origin;
  } catch {
    return undefined;
  }
};

const state = () => {
  const name = document.documentElement.dataset.cookie + "=";
  return document.cookie.split("; ").find((c) => c.startsWith(name))?.slice(name.length);
};

const judge = async (data, origin) => {
  const said = typeof data === "string" && data.length <= 256 && /^([\w.-]{1,64}) ([\w-]{43})\.([\w-]{1,64})$/.exec(data);
  const now = said && state();
  if (!now) return "error";
  const [, client, given, salt] = said;
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${client} ${origin} ${now} ${salt}`));
  const text = btoa(String.fromCharCode(...new Uint8Array(sum))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return text === given ? "unchanged" : "changed";
};

addEventListener("message", async (e) => {
  // Only a page of the origin that frames this one is answered (section 3.2): another frame in it, or whoever opened it, hears nothing.
  if (parent === window || !e.source || e.origin === "null") return;
  const framing = above();
  if (framing === undefined ? e.source !== parent : e.origin !== framing) return;
  let answer = "error";
  try {
    answer = await judge(e.data, e.origin);
  } catch {
    // cookies are forbidden here, or there is no cryptography: this is no secure context
  }
  e.source.postMessage(answer, e.origin);
});
