// The question box: nothing typed is lost, by a reload, a restart of the server, or a change of the language.
import { byId } from "./dom.js";
import { t } from "./texts.js";

const DRAFT = "bri-draft";
const ASKED = "bri-asked";
const NEAR = 0.8; // of the longest question: from here on its length is shown

export const field = () => document.querySelector("#bri-box textarea");

const store = {
  get(key) {
    try {
      return sessionStorage.getItem(key) ?? "";
    } catch {
      return ""; // storage is off
    }
  },
  set(key, value) {
    try {
      if (value) sessionStorage.setItem(key, value);
      else sessionStorage.removeItem(key);
    } catch {
      // storage is off: the draft lives as long as the page
    }
  },
};

export function write(text) {
  const box = field();
  if (!box) return;
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

export function submit(text) {
  touched = true;
  write(text);
  // Gradio takes the text up in its next turn.
  requestAnimationFrame(() => requestAnimationFrame(() => byId("bri-ask")?.click()));
}

export function measure() {
  const box = field();
  const line = byId("bri-length");
  if (!box) return;
  const most = Number(line.dataset.most);
  const count = [...box.value].length;
  const shown = count > most * NEAR;
  line.hidden = !shown;
  line.classList.toggle("is-over", count > most);
  const key = count > most ? "box.long" : "box.length";
  const text = shown ? t(key, { count: count.toLocaleString(), most: most.toLocaleString() }) : "";
  if (line.textContent !== text) line.textContent = text;
}

// Not before what was kept has been restored: a page that goes at once would overwrite it with nothing.
let restored = false;
export const keepDraft = () => {
  const box = field();
  if (box && restored) store.set(DRAFT, box.value);
};
export const keepAsked = (text) => store.set(ASKED, text);

// What was typed or was being asked when the page went. True when the answer to a question never came.
export function restore(lastShown) {
  if (restored || !field()) return false;
  restored = true;
  const asked = store.get(ASKED);
  store.set(ASKED, "");
  const lost = asked && asked !== lastShown;
  const text = store.get(DRAFT) || (lost ? asked : "");
  if (text) insist(text);
  return Boolean(lost);
}

// Gradio may still be setting up its box, and empty it once more.
let touched = false;
function insist(text) {
  for (const wait of [0, 200, 600, 1500]) {
    setTimeout(() => {
      if (!touched && field() && !field().value) write(text);
    }, wait);
  }
}

document.addEventListener("input", (event) => {
  if (event.target !== field()) return;
  keepDraft();
  measure();
});
for (const sign of ["keydown", "pointerdown"]) {
  document.addEventListener(sign, () => (touched = true), { capture: true, passive: true });
}
addEventListener("pagehide", keepDraft);
