// Keeps the page true while it is in sight. What has not changed is not touched, so that selections and the keyboard's place stay.
(() => {
  "use strict";
  let timer = 0, last = "";
  const look = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch("/", { cache: "no-store" });
      const text = answer.ok ? await answer.text() : last;
      if (text !== last) {
        const old = document.getElementById("now"), now = new DOMParser().parseFromString(text, "text/html").getElementById("now");
        if (now && old.innerHTML !== now.innerHTML) renew(old, now);
        last = text;
      }
    } catch { /* the demo has ended, or is busy: the next look tells */ }
    timer = setTimeout(look, 700);
  };
  const renew = (old, now) => {
    for (let i = 0; i < Math.max(old.childNodes.length, now.childNodes.length); i++) {
      const a = old.childNodes[i], b = now.childNodes[i];
      if (!b) { a.remove(); i--; continue; }
      if (!a) { old.append(b.cloneNode(true)); continue; }
      if (a.isEqualNode(b)) continue;
      if (a.nodeName === b.nodeName && a.nodeType === 1 && ["DIV", "SECTION", "ARTICLE", "UL", "OL"].includes(a.nodeName)) renew(a, b);
      else a.replaceWith(b.cloneNode(true));
    }
  };
  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, 700);
})();
