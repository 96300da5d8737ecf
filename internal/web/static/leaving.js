"use strict";
// Goes on when every app's page has loaded, or after a second.
const go = () => location.replace(document.getElementById("go").href);
const frames = document.querySelectorAll("iframe");
const asked = new Set(); // each counts once, however often it loads
for (const frame of frames) {
  frame.addEventListener("load", () => {
    if (frame.contentDocument) return; // what it holds at first: an app's page cannot be looked into
    asked.add(frame);
    if (asked.size === frames.length) go();
  });
  frame.removeAttribute("srcdoc"); // to the app at once
}
setTimeout(go, 1000);
