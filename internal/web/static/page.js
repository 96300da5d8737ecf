"use strict";
// Times in the reader's own zone and language.
// In the page's language, as it is written where the reader is, if the browser says so.
const spoken = navigator.languages.find((l) => l.split("-")[0] === document.documentElement.lang) || document.documentElement.lang;
function showTimes(within) {
  for (const t of within.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (isNaN(at)) continue;
    t.title = t.textContent;
    t.textContent = new Intl.DateTimeFormat(spoken, t.className === "clock" ? { timeStyle: "medium" } : { dateStyle: t.closest("td") ? "medium" : "long", timeStyle: "short" }).format(at);
  }
}
showTimes(document);
// A form that was sent and whose answer is late shows that it is under way; see .sent in the stylesheet.
addEventListener("submit", (e) => {
  if (!e.defaultPrevented) document.documentElement.classList.add("sent");
});
addEventListener("pageshow", () => document.documentElement.classList.remove("sent"));
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
