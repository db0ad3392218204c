// What the script element says becomes an element of the page.
const NAMES = ["lang", "mode", "theme", "label", "heading", "welcome", "token-url", "token-function"];

function placed() {
  const wishes = SCRIPT.dataset;
  if (!("mode" in wishes) && "manual" in wishes) return; // the page writes <bri-qa-chat> itself
  const chat = document.createElement("bri-qa-chat");
  for (const name of NAMES) {
    const value = SCRIPT.getAttribute(`data-${name}`);
    if (value !== null) chat.setAttribute(name, value);
  }
  const target = wishes.target ? document.querySelector(wishes.target) : null;
  if (wishes.mode === "inline" && !target) {
    console.error(`bri_qa: no element fits data-target="${wishes.target ?? ""}"; the chat is not shown`);
    return;
  }
  (wishes.mode === "inline" ? target : document.body).append(chat);
}

if (!customElements.get("bri-qa-chat")) customElements.define("bri-qa-chat", Chat);
if (document.body && document.readyState !== "loading") placed();
else document.addEventListener("DOMContentLoaded", placed);
