"use strict";
// Goes on when every app's page has loaded, sooner than the second that the Refresh header leaves them. A frame loads twice: first what
// leads to the app, then the app's page. One that loads again and again counts for itself only.
const loads = new Map();
const look = () => {
  if (document.readyState === "loading") return;
  for (const frame of document.querySelectorAll("iframe")) {
    if (!(loads.get(frame) >= 2)) return;
  }
  location.replace(document.getElementById("go").href);
};
document.addEventListener("load", (e) => {
  if (!(e.target instanceof HTMLIFrameElement)) return;
  loads.set(e.target, (loads.get(e.target) ?? 0) + 1);
  look();
}, true);
