// Binds the chat to the source panel. Citations are data: JSON in each answer's .bri-data, read as text.
import { Panel } from "./panel.js";

const chat = () => document.getElementById("bri-chat");
const live = document.getElementById("bri-live");
const panel = new Panel();
const answers = new WeakMap(); // .bri-answer element -> its data
let announced = "";

function announce(text) {
  if (text && text !== announced) live.textContent = announced = text;
}

function dataOf(answer) {
  if (!answers.has(answer)) {
    const holder = answer.querySelector(".bri-data");
    answers.set(answer, holder ? JSON.parse(holder.textContent) : null);
  }
  return answers.get(answer);
}

const numberOf = (element) => Number(/\bbri-n-(\d+)\b/.exec(element.className)?.[1]);

// Gradio names each message by its raw source and lets the whole log speak; we name and announce by ourselves.
function mendNames() {
  const log = chat()?.querySelector('[role="log"]');
  if (!log) return;
  if (log.getAttribute("aria-live") !== "off") log.setAttribute("aria-live", "off");
  if (log.getAttribute("aria-label") !== "Conversation") log.setAttribute("aria-label", "Conversation");
  for (const message of log.querySelectorAll('[data-testid="user"],[data-testid="bot"]')) {
    const name = message.dataset.testid === "user" ? "Your question" : "Answer";
    if (message.getAttribute("aria-label") !== name) {
      message.setAttribute("aria-label", name);
      message.setAttribute("role", "group");
    }
  }
  const box = document.querySelector("#bri-box textarea");
  if (box && !box.hasAttribute("aria-describedby")) {
    box.setAttribute("aria-label", "Your question");
    box.setAttribute("aria-describedby", "bri-note");
  }
  for (const mark of log.querySelectorAll(".bri-mark:not([aria-controls])")) {
    mark.setAttribute("aria-controls", "bri-panel");
  }
}

function spoken(answer, data) {
  if (answer.classList.contains("bri-box") || !data) return answer.innerText.split("\nNearest passages")[0];
  const count = data.citations.length;
  return `Answer: ${data.short ? data.short + ". " : ""}${data.statements.map((item) => item.text).join(" ")} ${count === 1 ? "1 quote" : count + " quotes"}.`;
}

// Whatever has been pressed may be gone now (Ask, Stop, an example): the focus returns to the question box.
function keepFocus() {
  if (document.activeElement !== document.body || matchMedia("(pointer: coarse)").matches) return;
  document.querySelector("#bri-box textarea")?.focus({ preventScroll: true });
}

// A new question is brought into view with as much of its answer as fits below it; a reader who scrolls is let be.
let questions = 0;
let following = false;
function follow() {
  const log = chat()?.querySelector('[role="log"]');
  const asked = log?.querySelectorAll(".bri-user") ?? [];
  if (asked.length > questions) following = true;
  questions = asked.length;
  if (!following || !questions) return;
  const above = asked[questions - 1].getBoundingClientRect().top - log.getBoundingClientRect().top;
  log.scrollTop += above - 20; // the browser stops at the end
}
for (const sign of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  document.addEventListener(sign, (event) => {
    if (chat()?.contains(event.target)) following = false;
  }, { passive: true });
}

let newest = null;
function look() {
  mendNames();
  follow();
  const all = chat()?.querySelectorAll(".bri-answer") ?? [];
  document.body.classList.toggle("bri-begun", all.length > 0);
  const last = all[all.length - 1] ?? null;
  if (!last) {
    if (newest) {
      panel.showArticles();
      keepFocus();
    }
    newest = null;
    return;
  }
  if (last.classList.contains("bri-working")) announce(last.innerText);
  if (!last.classList.contains("bri-done") || last === newest) return;
  newest = last;
  const data = dataOf(last);
  announce(spoken(last, data));
  keepFocus();
  if (data?.reason === "off_topic") panel.showArticles();
  else if (data?.citations.length) panel.bind(last, data, !panel.isSheet());
}

function openFrom(element, event) {
  const answer = element.closest(".bri-answer");
  const data = dataOf(answer);
  if (!data) return;
  panel.bind(answer, data, false);
  panel.open(numberOf(element) || data.citations[0].number, { from: element, byKey: event.detail === 0 });
}

function copy(button) {
  const data = dataOf(button.closest(".bri-answer"));
  const said = data.statements.map((item) => `${item.text} ${item.citations.map((n) => `[${n}]`).join(" ")}`);
  const quotes = data.citations.map((item) => {
    const origin = [item.title, item.publisher, item.published].filter(Boolean).join(", ");
    return `[${item.number}] “${item.quote}” (${origin}) ${new URL(item.address, location.href)}`;
  });
  const text = [data.question, "", ...(data.short ? [data.short, ""] : []), ...said, "", ...quotes].join("\n");
  const tell = (words) => {
    button.textContent = words;
    announce(words);
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };
  if (!navigator.clipboard) return tell("Copying needs a secure connection");
  navigator.clipboard.writeText(text).then(() => tell("Copied"), () => tell("The browser did not allow it"));
}

document.addEventListener("click", (event) => {
  const element = event.target.closest?.(".bri-mark, .bri-near-open, .bri-sources, .bri-copy");
  if (!element || !chat()?.contains(element)) return;
  if (element.matches(".bri-copy")) copy(element);
  else openFrom(element, event);
});

for (const [on, state] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]]) {
  document.addEventListener(on, (event) => {
    const mark = event.target.closest?.(".bri-mark, .bri-near-open, .bri-card, .bri-text mark");
    if (mark) panel.link(mark, state);
  });
}

new MutationObserver(look).observe(document.querySelector("gradio-app"), { childList: true, subtree: true });
look();
