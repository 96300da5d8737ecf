"use strict";
// Times in the reader's own zone and language.
function showTimes(within) {
  for (const t of within.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (isNaN(at)) continue;
    t.title = t.textContent;
    t.textContent = new Intl.DateTimeFormat(document.documentElement.lang, t.className === "clock" ? { timeStyle: "medium" } : { dateStyle: "long", timeStyle: "short" }).format(at);
  }
}
showTimes(document);
// Escape closes an open menu, and what is pressed outside does, too.
addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  for (const d of document.querySelectorAll("details.menu-of[open]")) {
    d.open = false;
    d.querySelector("summary").focus();
  }
});
addEventListener("click", (e) => {
  for (const d of document.querySelectorAll("details.menu-of[open]")) if (!d.contains(e.target)) d.open = false;
});
