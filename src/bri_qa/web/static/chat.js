// Binds the chat to the source panel, the history and the filters. Citations are data: JSON in each answer's .bri-data.
import * as address from "./address.js";
import * as box from "./box.js";
import { files } from "./dialog.js";
import { announce, byId, rooted } from "./dom.js";
import { given, rate, showThumbs } from "./feedback.js";
import * as following from "./following.js";
import { History, exports } from "./history.js";
import { Panel, numberOf } from "./panel.js";
import { Peek } from "./peek.js";
import * as scope from "./scope.js";
import { counted, language, t } from "./texts.js";
import { watch } from "./watch.js";

const chat = () => document.getElementById("bri-chat");
const log = () => chat()?.querySelector('[role="log"]');
const panel = new Panel((search) => {
  scope.set(search).then(() => box.field()?.focus());
});
scope.changed(() => {
  if (chat()?.querySelector(".bri-answer")) return;
  byId("bri-opened")?.click(); // the examples are those of the articles that are asked
  following.begin(address.filters());
});
const answers = new WeakMap(); // .bri-answer element -> its data
const peek = new Peek();

function dataOf(answer) {
  if (!answers.has(answer)) {
    const holder = answer.querySelector(".bri-data");
    answers.set(answer, holder ? JSON.parse(holder.textContent) : null);
  }
  return answers.get(answer);
}

const questions = () => [...(chat()?.querySelectorAll(".bri-user") ?? [])].map((one) => one.innerText);

// --- What Gradio shows, made fit for everyone -------------------------------------------------------------------

function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// Gradio names each message by its raw source and lets the whole log speak; we name and announce by ourselves.
function mendNames() {
  const place = log();
  if (!place) return;
  set(place, "aria-live", "off");
  set(place, "aria-label", t("log"));
  for (const message of place.querySelectorAll('[data-testid="user"],[data-testid="bot"]')) {
    set(message, "aria-label", t(message.dataset.testid === "user" ? "message.question" : "message.answer"));
    set(message, "role", "group");
  }
  const field = box.field();
  if (field) {
    set(field, "aria-label", t("box.label"));
    set(field, "aria-describedby", "bri-note bri-length");
  }
  const examples = place.querySelector(".examples");
  if (examples) {
    set(examples, "role", "group");
    set(examples, "aria-label", t("examples"));
  }
  for (const mark of place.querySelectorAll(".bri-mark")) set(mark, "aria-controls", "bri-panel");
}

// What a finished answer cannot carry through Gradio's sanitiser: languages, titles, what was rated.
function dress(answer) {
  const data = dataOf(answer);
  if (!data) return;
  const languageOf = (numbers) => data.citations.find((item) => numbers.includes(item.number))?.language;
  answer.querySelectorAll(".bri-statement").forEach((line, at) => {
    const spoken = languageOf(data.statements[at]?.citations ?? []);
    if (spoken) set(line, "lang", spoken);
  });
  for (const near of answer.querySelectorAll(".bri-near-open")) {
    const spoken = languageOf([numberOf(near)]);
    if (spoken) set(near, "lang", spoken);
  }
  for (const rating of ["up", "down"]) {
    const thumb = answer.querySelector(`.bri-foot .bri-${rating}`);
    if (thumb) set(thumb, "title", t(`foot.${rating}`));
  }
  showThumbs(answer.querySelector(".bri-foot .bri-up"), answer.querySelector(".bri-foot .bri-down"), given(data));
}

// Our parts stand around Gradio's question box, wherever it has (again) been drawn.
const above = ["bri-trouble", "bri-following", "bri-scope"].map(byId);
const below = [byId("bri-length"), document.querySelector(".bri-reads")].filter(Boolean);
function surround() {
  const row = byId("bri-ask-row");
  if (!row || row.previousElementSibling === above[above.length - 1]) return;
  row.before(...above);
  row.after(...below);
}

function spoken(answer, data) {
  if (answer.classList.contains("bri-box") || !data) return answer.innerText.split(`\n${t("nearest")}`)[0];
  const words = [data.short, ...data.statements.map((item) => item.text)].filter(Boolean).join(". ");
  const quotes = counted("foot.quotes", data.citations.length);
  return data.statements.length ? t("spoken.answer", { words, quotes }) : answer.innerText;
}

// Whatever has been pressed may be gone now (Ask, Stop, an example): the focus returns to the question box.
function keepFocus() {
  if (document.activeElement !== document.body || matchMedia("(pointer: coarse)").matches) return;
  box.field()?.focus({ preventScroll: true });
}

// A new question is brought into view with as much of its answer as fits below it; a reader who scrolls is let be.
let shown = 0;
let isFollowing = false;
function follow() {
  const asked = chat()?.querySelectorAll(".bri-user") ?? [];
  if (asked.length > shown) isFollowing = true;
  shown = asked.length;
  if (!isFollowing || !shown) return;
  const place = log();
  const distance = asked[shown - 1].getBoundingClientRect().top - place.getBoundingClientRect().top;
  place.scrollTop += distance - 20; // the browser stops at the end
}
for (const sign of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  document.addEventListener(sign, (event) => {
    if (chat()?.contains(event.target)) isFollowing = false;
  }, { passive: true });
}

// --- What happens in the conversation ---------------------------------------------------------------------------

const history_ = new History((id) => open(id));

function open(id) {
  if (id) address.toConversation(id, []);
  else {
    address.begin();
    byId("bri-new")?.click();
  }
  if (id) byId("bri-opened")?.click();
  panel.close();
  panel.showArticles();
  following.clear();
  scope.show();
}

addEventListener("popstate", () => {
  byId(address.conversation() ? "bri-opened" : "bri-new")?.click();
  panel.showArticles();
  scope.show();
  history_.mark();
});

let newest = null;
function finished(answer) {
  newest = answer;
  const data = dataOf(answer);
  const isAnswer = Boolean(data);
  if (isAnswer) box.keepAsked("");
  box.keepDraft();
  announce(spoken(answer, data));
  keepFocus();
  if (data?.conversation && data.conversation !== address.conversation()) {
    address.nameConversation(data.conversation);
  }
  if (data?.conversation) history_.load();
  if (data?.reason === "off_topic") panel.showArticles();
  else if (data?.citations.length) panel.bind(answer, data, !panel.isSheet());
  if (data?.citations.length) following.offer(data, [...questions(), ...data.statements.map((item) => item.text)]);
}

function look() {
  surround();
  mendNames();
  follow();
  const all = chat()?.querySelectorAll(".bri-answer") ?? [];
  document.body.classList.toggle("bri-begun", all.length > 0);
  for (const answer of chat()?.querySelectorAll(".bri-answer.bri-done") ?? []) dress(answer);
  const last = all[all.length - 1] ?? null;
  recover(last);
  watch(Boolean(last && !last.classList.contains("bri-done")));
  if (!last) {
    if (newest) {
      panel.showArticles();
      following.begin(address.filters());
      keepFocus();
    }
    newest = null;
    return;
  }
  if (last.classList.contains("bri-working")) {
    announce(last.innerText);
    following.clear();
    newest = null;
    box.keepAsked(questions().at(-1) ?? "");
  }
  if (last.classList.contains("bri-done") && last !== newest) finished(last);
  box.measure();
}

// After a reload: what was typed comes back, and so does a question whose answer never came.
let recovered = false;
function recover(last) {
  if (recovered || !box.field() || (!last && address.conversation() && !noted())) return;
  if (!last && !chat()?.querySelector(".example, .placeholder")) return;
  recovered = true;
  if (!last) following.begin(address.filters());
  if (box.restore(questions().at(-1) ?? "")) {
    byId("bri-trouble").textContent = t("pending");
    announce(t("pending"));
  }
}
const noted = () => Boolean(byId("bri-note")?.innerText.trim());

// --- What the reader presses ------------------------------------------------------------------------------------

function openFrom(element, event) {
  const answer = element.closest(".bri-answer");
  const data = dataOf(answer);
  if (!data?.citations.length) return;
  panel.bind(answer, data, false);
  panel.open(numberOf(element) || data.citations[0].number, { from: element, byKey: event.detail === 0 });
}

function copy(pressed) {
  const data = dataOf(pressed.closest(".bri-answer"));
  const said = data.statements.map((item) => `${item.text} ${item.citations.map((n) => `[${n}]`).join(" ")}`);
  const quotes = data.citations.map((item) => {
    const origin = [item.title, item.publisher, item.published].filter(Boolean).join(", ");
    return `[${item.number}] “${item.quote}” (${origin}) ${new URL(rooted(item.address), location.href)}`;
  });
  const text = [data.question, "", ...(data.short ? [data.short, ""] : []), ...said, "", ...quotes].join("\n");
  const tell = (words) => {
    pressed.textContent = words;
    announce(words);
    setTimeout(() => (pressed.textContent = t("foot.copy")), 2000);
  };
  if (!navigator.clipboard) return tell(t("foot.copy.insecure"));
  navigator.clipboard.writeText(text).then(() => tell(t("foot.copied")), () => tell(t("foot.copy.refused")));
}

function save(pressed) {
  const data = dataOf(pressed.closest(".bri-answer"));
  files([
    [t("save.answer"), exports("answers", data.entry)],
    [t("save.conversation"), exports("conversations", data.conversation)],
  ]);
}

async function thumb(pressed) {
  const answer = pressed.closest(".bri-answer");
  if (await rate(dataOf(answer), pressed.classList.contains("bri-up") ? "up" : "down")) dress(answer);
}

const PRESSED = [
  [".bri-mark, .bri-near-open, .bri-sources", openFrom],
  [".bri-copy", copy],
  [".bri-save", save],
  [".bri-foot .bri-up, .bri-foot .bri-down", thumb],
  [".bri-again", () => byId("bri-ask")?.click()],
];
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#bri-new")) address.begin(); // before Gradio hears of it
  if (!chat()?.contains(event.target)) return;
  for (const [selector, act] of PRESSED) {
    const element = event.target.closest(selector);
    if (element) return act(element, event);
  }
}, { capture: true });

for (const [on, state] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]]) {
  document.addEventListener(on, (event) => {
    const element = event.target.closest?.(".bri-mark, .bri-near-open, .bri-card, .bri-text mark");
    if (!element) return;
    panel.link(element, state);
    const answer = element.closest(".bri-answer");
    // Beside the open panel the card and the highlight light up already.
    const isUnseen = answer !== panel.answer || panel.isSheet();
    if (element.matches(".bri-mark") && state && isUnseen) peek.show(element, dataOf(answer), on === "pointerover" && event.pointerType !== "mouse");
    else peek.hide();
  });
}

addEventListener("offline", () => announce(t("offline")));
// Gradio names its own language once it has loaded; the page is in the reader's.
new MutationObserver(() => set(document.documentElement, "lang", language)).observe(document.documentElement, { attributeFilter: ["lang"] });
new MutationObserver(look).observe(document.querySelector("gradio-app"), { childList: true, subtree: true });
look();
