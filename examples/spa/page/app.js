const { issuer, client, api } = document.body.dataset;
const $ = (id) => document.getElementById(id);
const page = location.origin + "/";
let timer = 0, again = 0;

function log(text) {
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
  $("log").prepend(line);
  $("nothing").hidden = true;
  while ($("log").children.length > 12) $("log").lastChild.remove();
}

function say(id, text) { $(id).textContent = text; }

const shown = await import(`${issuer}/exeunt.js`).catch(() => null);
if (!shown) {
  say("state", "The sign-in server cannot be reached. Please load this page again in a moment.");
  throw new Error("no exeunt.js");
}
const id = new shown.Exeunt({ issuer, clientId: client, apis: [api], scope: "openid profile", redirectUri: page, signedOutUri: page });

function show() {
  say("state", id.signedIn ? "You are signed in, in all tabs of this page." : "You are not signed in.");
  $("inside").hidden = !id.signedIn;
  if (id.signedIn) return;
  clearInterval(timer);
  $("often").checked = false;
  say("answer", "");
}

id.addEventListener("change", () => {
  log(id.signedIn ? "signed in" : "signed out");
  show();
});
id.link($("sign")); // its text and what it does stay true

// What an API's answers mean is said in docs/guard.md. exeunt.js has renewed the token and tried again before a 401 arrives here.
async function call() {
  let answer;
  try {
    answer = await id.fetch(`${api}/`);
  } catch {
    if (id.signedIn) say("answer", "The API cannot be reached. You stay signed in.");
    return log("API: no answer");
  }
  log(`API: ${answer.status}`);
  if (answer.status === 503) {
    const wait = Number(answer.headers.get("Retry-After")) || 1;
    say("answer", `The API cannot tell just now whether you are still signed in. You stay signed in; it will be asked again in ${wait} s.`);
    clearTimeout(again);
    again = setTimeout(() => id.signedIn && call(), wait * 1000);
  } else if (answer.status === 401) {
    if (id.signedIn) say("answer", "The API did not take the token, and the server could not be asked for another one. You stay signed in.");
  } else if (!answer.ok) {
    say("answer", `The API answers ${answer.status}.`);
  } else {
    const { orders = [] } = await answer.json();
    if (!id.signedIn) return; // a sign-out was quicker
    $("orders").replaceChildren(...orders.map((o) => Object.assign(document.createElement("li"), { textContent: o })));
    say("answer", "");
  }
}

$("call").addEventListener("click", call);
$("often").addEventListener("change", (e) => {
  clearInterval(timer);
  if (e.target.checked) timer = setInterval(call, 1000);
});
$("here").addEventListener("click", () => id.signOut());
$("everywhere").addEventListener("click", () => id.signOut({ everywhere: true }));

const halfway = new URLSearchParams(location.search).get("state") === "only-here";
try {
  await id.start();
  if (halfway) history.replaceState(null, "", page);
  if (halfway) log("Only this browser was signed out. The account page at the server signs you out elsewhere.");
} catch (e) {
  log(`The sign-in did not work: ${e.message}`);
}
show();
$("sign").hidden = false;
document.body.dataset.ready = "yes";
