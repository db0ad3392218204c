// The source panel: the cards of one answer and the article that the current one was cut from.
import { announce, button, byId, node, reduced, rooted } from "./dom.js";
import { given, rate, showThumbs } from "./feedback.js";
import { t } from "./texts.js";

export const numberOf = (element) => Number(/\bbri-n-(\d+)\b/.exec(element.className)?.[1]);

export class Panel {
  // `scoped(search)` is called when the reader wants to ask some articles alone.
  constructor(scoped) {
    this.box = byId("bri-panel");
    this.title = byId("bri-panel-title");
    this.list = byId("bri-list");
    this.cards = byId("bri-cards");
    this.place = byId("bri-place");
    this.reader = byId("bri-reader");
    this.scoped = scoped;
    this.forget();
    this.returnTo = null;
    byId("bri-previous").addEventListener("click", () => this.step(-1));
    byId("bri-next").addEventListener("click", () => this.step(1));
    byId("bri-close").addEventListener("click", () => this.close());
    byId("bri-shade").addEventListener("click", () => this.close());
    byId("bri-articles").addEventListener("click", (event) => {
      this.showArticles();
      this.show(event.currentTarget);
      if (!this.isSheet()) this.title.focus({ preventScroll: true });
    });
    this.box.addEventListener("click", (event) => this.followed(event));
    this.list.addEventListener("submit", (event) => {
      event.preventDefault();
      this.find(`/articles?${new URLSearchParams(new FormData(event.target))}`);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && (this.isOpenSheet() || this.box.contains(document.activeElement))) this.close();
    });
    this.reader.addEventListener("click", (event) => {
      const mark = event.target.closest("mark");
      if (mark) this.open(Number(mark.dataset.n.split(" ")[0]), {});
    });
  }

  isSheet() {
    return matchMedia("(max-width: 1023px)").matches;
  }

  isOpenSheet() {
    return this.isSheet() && document.body.classList.contains("bri-sheet-open");
  }

  show(from) {
    this.returnTo = from;
    if (!this.isSheet()) return;
    document.body.classList.add("bri-sheet-open");
    this.box.setAttribute("role", "dialog");
    this.box.setAttribute("aria-modal", "true");
    for (const other of this.outside()) other.inert = true;
    this.title.focus({ preventScroll: true });
    this.lift(from);
  }

  // What was pressed stays in view above the sheet: a statement and its quote are read together.
  lift(from) {
    const log = from.closest('[role="log"]');
    if (!log) return;
    const free = innerHeight - this.box.offsetHeight;
    const line = (from.closest(".bri-statement, .bri-near li") ?? from).getBoundingClientRect();
    const top = log.getBoundingClientRect().top;
    const below = line.bottom - free + 12;
    if (below > 0) log.scrollTop += Math.min(below, line.top - top - 8);
  }

  outside() {
    const ours = ["bri-shade", "bri-live", "bri-dialog"];
    return [...document.body.children].filter((item) => item !== this.box && !ours.includes(item.id));
  }

  close() {
    document.body.classList.remove("bri-sheet-open");
    this.box.removeAttribute("role");
    this.box.removeAttribute("aria-modal");
    for (const other of this.outside()) other.inert = false;
    if (this.returnTo?.isConnected) this.returnTo.focus();
    this.returnTo = null;
  }

  showArticles() {
    this.forget();
    this.title.textContent = t("articles.title");
    this.list.hidden = false;
    this.cards.replaceChildren();
    this.reader.replaceChildren();
    this.cards.hidden = this.reader.hidden = this.place.hidden = byId("bri-steps").hidden = true;
  }

  forget() {
    this.answer?.classList.remove("is-bound");
    this.answer = this.data = null;
    this.loaded = "";
    this.current = 0;
  }

  // The cards of `answer`; with `open`, its first quote is opened in the article.
  bind(answer, data, open) {
    if (this.answer !== answer) {
      this.forget();
      this.answer = answer;
      this.data = data;
      answer.classList.add("is-bound");
      this.title.textContent = t(data.abstained ? "nearest" : "sources");
      this.list.hidden = true;
      this.cards.hidden = data.abstained && !this.isSheet(); // the message itself lists them
      this.cards.setAttribute("aria-label", t(data.abstained ? "nearest" : "quotes"));
      this.cards.replaceChildren(...data.citations.map((item) => this.card(item)));
      this.cards.scrollTop = 0;
      byId("bri-steps").hidden = this.place.hidden = true;
      this.reader.hidden = false;
      this.reader.replaceChildren(node("p", "bri-hint", t(data.abstained ? "hint.passage" : "hint.quote")));
      this.box.classList.toggle("is-nearest", data.abstained);
    }
    if (open) this.open(data.citations[0].number, {});
  }

  card(item) {
    const line = node("li");
    const made = button(`bri-card bri-n-${item.number}`, "", (event) =>
      this.open(item.number, { from: made, byKey: event.detail === 0 }),
    );
    made.append(node("span", "bri-card-number", String(item.number)));
    const words = node("span", "bri-card-words");
    words.append(node("span", "bri-card-quote", item.quote));
    const licence = item.licence && t("source.licence", { licence: item.licence });
    const origin = [item.publisher, item.published, licence].filter(Boolean).join(" · ");
    const source = node("span", "bri-card-source");
    source.append(node("cite", "", item.title));
    if (origin) source.append(node("span", "", origin));
    words.append(source);
    if (item.language) words.lang = item.language;
    made.append(words);
    line.append(made);
    return line;
  }

  step(by) {
    const numbers = this.data.citations.map((item) => item.number);
    const next = (numbers.indexOf(this.current) + by + numbers.length) % numbers.length;
    this.open(numbers[next], {});
    announce(`${byId("bri-position").textContent}: ${this.data.citations[numbers.indexOf(numbers[next])].quote}`);
  }

  // Opens quote `number` in its article. `from` is what was pressed; by key, the focus goes to the quote.
  async open(number, { from, byKey }) {
    const item = this.data?.citations.find((one) => one.number === number);
    if (!item) return;
    this.current = number;
    if (from && !this.box.contains(from)) this.show(from);
    byId("bri-steps").hidden = this.data.citations.length < 2;
    const at = { at: this.data.citations.indexOf(item) + 1, count: this.data.citations.length };
    byId("bri-position").textContent = t("steps.position", at);
    for (const card of this.cards.querySelectorAll(".bri-card")) {
      card.setAttribute("aria-current", String(card.classList.contains(`bri-n-${number}`)));
    }
    this.cards.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
    for (const mark of this.answer.querySelectorAll(".bri-mark, .bri-near-open")) {
      mark.classList.toggle("is-current", mark.classList.contains(`bri-n-${number}`));
    }
    this.tools(item);
    if (await this.load(item)) this.reveal(number, byKey && from && !this.box.contains(from));
  }

  // What can be done with the current quote.
  tools(item) {
    const page = node("a", "", t("source.page"));
    page.href = rooted(item.address);
    const copy = button("", t("source.link.short"), () => this.copyLink(copy, item));
    copy.setAttribute("aria-label", t("source.link"));
    const parts = [page, copy];
    if (item.original) {
      const original = node("a", "", t("source.original"));
      Object.assign(original, { href: item.original, target: "_blank", rel: "noopener noreferrer" });
      parts.push(original);
    }
    if (this.data.entry && !this.data.abstained) {
      const thumbs = node("span", "bri-thumbs");
      const [up, down] = ["up", "down"].map((rating) => {
        const thumb = button(`bri-${rating}`, "", () => this.rated(item, rating));
        thumb.append(node("span", "bri-vh", t(`quote.${rating}`)));
        thumb.title = t(`quote.${rating}`);
        return thumb;
      });
      thumbs.append(up, down);
      showThumbs(up, down, given(this.data, item.number));
      parts.push(thumbs);
    }
    this.place.replaceChildren(...parts);
    this.place.hidden = false;
  }

  async rated(item, rating) {
    const data = this.data;
    if ((await rate(data, rating, item.number)) && this.data === data) {
      showThumbs(this.place.querySelector(".bri-up"), this.place.querySelector(".bri-down"), given(data, this.current));
    }
  }

  copyLink(pressed, item) {
    const tell = (words) => {
      pressed.textContent = words;
      announce(words);
      setTimeout(() => (pressed.textContent = t("source.link.short")), 2000);
    };
    if (!navigator.clipboard) return tell(t("foot.copy.insecure"));
    const link = String(new URL(rooted(item.address), location.href));
    navigator.clipboard.writeText(link).then(() => tell(t("source.link.done")), () => tell(t("foot.copy.refused")));
  }

  // The article of `item` with all of this answer's quotes from it. False when another was asked for meanwhile.
  async load(item) {
    const same = this.data.citations.filter((one) => one.document === item.document);
    const query = new URLSearchParams({ pane: "1", v: item.version });
    for (const one of same) query.append("cite", `${one.number}:${one.start}-${one.end}`);
    const path = new URL(item.address, location.href).pathname;
    if (!(await this.fetch(`${path}?${query}`))) return false;
    if (!this.reader.querySelector(".bri-changed")) return true;
    const quotes = same.map((one) => ({ number: one.number, quote: one.quote }));
    return this.fetch("/quoted", { document: item.document, quotes }, JSON.stringify(quotes));
  }

  // An article into the reader. `name` tells one body from another.
  async fetch(address, body = undefined, name = "") {
    this.reader.hidden = false;
    const wanted = address + name;
    if (this.loaded === wanted) return true;
    this.loaded = wanted;
    this.reader.setAttribute("aria-busy", "true");
    const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let content;
    try {
      const response = await fetch(rooted(address), body === undefined ? {} : sent);
      if (response.status >= 500) throw new Error(String(response.status));
      content = await response.text(); // escaped by our server; the page's policy lets no script of it run
    } catch {
      if (this.loaded === wanted) {
        this.loaded = "";
        this.reader.removeAttribute("aria-busy");
        this.reader.replaceChildren(node("p", "bri-notice", t("load.failed")));
      }
      return false;
    }
    if (this.loaded !== wanted) return false;
    this.reader.innerHTML = content;
    this.reader.scrollTop = 0;
    this.reader.removeAttribute("aria-busy");
    return true;
  }

  reveal(number, focus) {
    const pieces = [...this.reader.querySelectorAll("mark")];
    const mine = pieces.filter((piece) => piece.dataset.n.split(" ").includes(String(number)));
    for (const piece of pieces) piece.classList.toggle("is-current", mine.includes(piece));
    if (!mine.length) return;
    this.bring(mine[0]);
    if (focus) mine[0].focus({ preventScroll: true });
  }

  // Scrolls only as far as it must: a quote that can be seen below the title leaves the title in view.
  bring(mark) {
    const frame = this.reader.getBoundingClientRect();
    const place = mark.getBoundingClientRect();
    if (place.top >= frame.top + 24 && place.bottom <= frame.top + frame.height * 0.8) return;
    const far = Math.abs(place.top - frame.top) > 4000;
    mark.scrollIntoView({ block: "center", behavior: far || reduced() ? "auto" : "smooth" });
  }

  followed(event) {
    const link = event.target.closest("a");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.matches(".bri-open")) this.read(event, link);
    else if (link.matches(".bri-alone, .bri-these")) {
      event.preventDefault();
      this.close();
      this.scoped(new URL(link.href).search);
    } else if (link.matches("#bri-list .bri-page, #bri-list .bri-reset")) {
      event.preventDefault();
      const { pathname, search } = new URL(link.href);
      this.find(pathname + search);
    }
  }

  async read(event, link) {
    event.preventDefault();
    this.list.hidden = true;
    this.title.textContent = t("article");
    await this.fetch(`${new URL(link.href).pathname}?pane=1`);
    this.reader.focus({ preventScroll: true });
  }

  // The list of the articles, searched and filtered.
  async find(address) {
    const joined = address.includes("?") ? "&" : "?";
    try {
      const response = await fetch(`${rooted(address)}${joined}pane=1`);
      if (!response.ok) throw new Error(String(response.status));
      this.list.innerHTML = await response.text(); // escaped by our server
      this.list.focus({ preventScroll: true });
    } catch {
      this.list.prepend(node("p", "bri-notice", t("index.unreadable")));
    }
    this.list.scrollTop = 0;
  }

  // A mark, its card and its highlight are one thing.
  link(element, on) {
    const inChat = element.closest(".bri-answer");
    const numbers = element.dataset.n?.split(" ") ?? [String(numberOf(element))];
    const places = inChat && inChat !== this.answer ? [inChat] : [this.answer, this.cards, this.reader];
    for (const place of places) {
      for (const number of numbers) {
        for (const one of place?.querySelectorAll(`.bri-n-${number}, mark[data-n~="${number}"]`) ?? []) {
          one.classList.toggle("is-linked", on);
        }
      }
    }
    if (on && inChat && inChat === this.answer) {
      this.cards.querySelector(`.bri-n-${numbers[0]}`)?.scrollIntoView({ block: "nearest" });
    }
  }
}
