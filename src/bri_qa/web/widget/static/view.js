// Elements for what is said. Every word is put in as text, never as markup.
const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M5 12h13M12 5l7 7-7 7",
  stop: "M7 7h10v10H7z",
  again: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  out: "M9 6h9v9M18 6L7 17",
};

function make(tag, given = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...content.flat().filter((item) => item !== null && item !== undefined));
  return element;
}

function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

const line = (text) => text.split(/\s+/).filter(Boolean).join(" ");
const shortened = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`);
const origin = (item) => [item.publisher, item.published].filter(Boolean).join(" · ");

class View {
  constructor(t, client) {
    this.t = t;
    this.client = client;
  }

  question(text) {
    return make("div", { class: "said asked", role: "group", "aria-label": this.t("question") }, make("p", {}, text));
  }

  waiting() {
    const stage = make("p", { class: "stage" }, make("span", { class: "spinner", "aria-hidden": "true" }), make("span", {}, this.t("stage.waiting")));
    return make("div", { class: "said answer working", role: "group", "aria-label": this.t("answer") }, make("div", { class: "statements" }), stage);
  }

  progress(element, { stage, total }) {
    const words = this.t.has(`stage.${stage}`) ? this.t(`stage.${stage}`, { total: total || "" }) : this.t("stage.other");
    element.querySelector(".stage span:last-child").textContent = words;
  }

  statement(element, { text, citations }) {
    const marks = citations.map(({ number }) => make("span", { class: "mark" }, String(number)));
    element.querySelector(".statements").append(make("p", {}, text, " ", marks));
  }

  answer(element, found) {
    element.className = "said answer";
    const quotes = new Map(found.citations.map((item) => [item.number, this.quote(item)]));
    const statements = found.statements.map((item) =>
      make("p", {}, item.text, " ", item.citations.map((number) => this.mark(number, quotes.get(number)))));
    element.replaceChildren(
      ...(found.short_answer ? [make("p", { class: "short" }, found.short_answer)] : []),
      make("div", { class: "statements" }, statements),
      ...(found.trace?.unanswered ?? []).map((part) => make("p", { class: "partly" }, this.t("partly", { part }))),
      make("p", { class: "label" }, this.t("quotes")),
      make("ol", { class: "quotes" }, [...quotes.values()].map((quote) => make("li", {}, quote))),
    );
  }

  mark(number, quote) {
    const open = () => {
      quote.open = true;
      quote.querySelector("summary").focus();
    };
    return make("button", { class: "mark", type: "button", "aria-label": this.t("mark", { number }), onclick: open }, String(number));
  }

  quote(item) {
    const number = make("span", { class: "number", "aria-hidden": "true" }, String(item.number));
    const title = make("span", { class: "title" }, item.title);
    const place = origin(item);
    return make("details", { class: "quote" },
      make("summary", {}, number, make("span", { class: "source" }, title, place ? make("span", { class: "place" }, place) : null)),
      make("blockquote", {}, item.quote),
      this.link(item, this.t("open"), `${this.t("open")}: ${item.title}`));
  }

  link(item, words, label) {
    return make("a", { class: "open", href: this.client.address(item), target: "_blank", rel: "noopener noreferrer", "aria-label": `${label} (${this.t("tab")})` }, words, icon("out"));
  }

  abstained(element, found, nearest) {
    const talk = found.reason === "small_talk";
    element.className = talk ? "said answer" : "said answer box abstained";
    if (talk) {
      element.replaceChildren(make("p", {}, found.answer));
      return;
    }
    const reason = `reason.${found.reason}`;
    const items = nearest.slice(0, 3).map((item) =>
      make("li", {}, make("span", { class: "title" }, item.title ?? item.document_id), make("span", { class: "snippet" }, shortened(line(item.text), 180)),
        this.link(item, this.t("open"), `${this.t("open")}: ${item.title ?? item.document_id}`)));
    element.replaceChildren(
      make("p", { class: "kind" }, this.t(this.t.has(`${reason}.title`) ? `${reason}.title` : "reason.title")),
      make("p", {}, this.t.has(reason) ? this.t(reason) : found.answer),
      ...(items.length ? [make("p", { class: "label" }, this.t("nearest")), make("ul", { class: "near" }, items)] : []),
    );
  }

  failed(element, trouble, again) {
    element.className = "said answer box error";
    const seconds = trouble.wait ? ` ${this.t("error.wait", { seconds: trouble.wait })}` : "";
    const words = trouble.kind === "question" && trouble.detail ? trouble.detail : this.t(`error.${trouble.kind}`) + seconds;
    element.replaceChildren(make("p", { class: "kind" }, this.t("error.title")), make("p", {}, words), this.again(again));
    return words;
  }

  stopped(element, again) {
    element.className = "said answer box stopped";
    element.replaceChildren(make("p", {}, this.t("stopped")), this.again(again));
  }

  again(ask) {
    return make("button", { class: "again", type: "button", onclick: ask }, icon("again"), this.t("again"));
  }
}
