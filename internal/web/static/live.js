// Keeps a list up to date while its page is open and in sight. It asks every few seconds and is answered 304 while nothing has changed.
// Without it, the page is as true as when it was loaded.
(() => {
  "use strict";
  const list = document.getElementById("live");
  if (!list) return;
  const said = document.getElementById("live-said");
  let tag = '"' + list.dataset.tag + '"';
  let timer = 0;
  const look = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(list.dataset.from, { headers: { "If-None-Match": tag }, cache: "no-store", credentials: "same-origin", redirect: "error" });
      if (answer.status === 401) { // this session has been ended, from wherever
        location.reload();
        return;
      }
      if (answer.status === 200) {
        const text = await answer.text();
        const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
        list.innerHTML = text;
        showTimes(list);
        tag = answer.headers.get("ETag");
        if (focused) (document.getElementById(focused) || list).focus();
        if (said) said.textContent = said.dataset.text;
      }
    } catch { /* the server cannot be reached: the next look may reach it */ }
    timer = setTimeout(look, 3000);
  };
  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, 3000);
})();
