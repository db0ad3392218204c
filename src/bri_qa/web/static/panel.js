// The source panel: the cards of one answer and the article that the current one was cut from.
const byId = (id) => document.getElementById(id);

function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Panel {
  constructor() {
    this.box = byId("bri-panel");
    this.title = byId("bri-panel-title");
    this.list = byId("bri-list");
    this.cards = byId("bri-cards");
    this.reader = byId("bri-reader");
    this.answer = null;
    this.data = null;
    this.current = 0;
    this.loaded = "";
    this.returnTo = null;
    byId("bri-previous").addEventListener("click", () => this.step(-1));
    byId("bri-next").addEventListener("click", () => this.step(1));
    byId("bri-close").addEventListener("click", () => this.close());
    byId("bri-shade").addEventListener("click", () => this.close());
    byId("bri-articles").addEventListener("click", (event) => {
      this.showArticles();
      this.show(event.currentTarget);
    });
    this.list.addEventListener("click", (event) => this.openListed(event));
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
  }

  outside() {
    return [...document.body.children].filter((item) => item !== this.box && !["bri-shade", "bri-live"].includes(item.id));
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
    this.title.textContent = "Articles";
    this.list.hidden = false;
    this.cards.replaceChildren();
    this.reader.replaceChildren();
    this.cards.hidden = this.reader.hidden = byId("bri-steps").hidden = true;
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
      this.title.textContent = data.abstained ? "Nearest passages" : "Sources";
      this.list.hidden = true;
      this.cards.hidden = data.abstained && !this.isSheet(); // the message itself lists them
      this.cards.setAttribute("aria-label", data.abstained ? "Nearest passages" : "Quotes");
      this.cards.replaceChildren(...data.citations.map((item) => this.card(item)));
      this.cards.scrollTop = 0;
      byId("bri-steps").hidden = true;
      this.reader.hidden = false;
      this.reader.replaceChildren(node("p", "bri-hint", data.abstained ? "Choose a passage to read it in its article." : "Choose a quote to read it in its article."));
      this.box.classList.toggle("is-nearest", data.abstained);
    }
    if (open) this.open(data.citations[0].number, {});
  }

  card(item) {
    const line = node("li");
    const button = node("button", `bri-card bri-n-${item.number}`);
    button.type = "button";
    button.append(node("span", "bri-card-number", String(item.number)));
    const words = node("span", "bri-card-words");
    words.append(node("span", "bri-card-quote", item.quote));
    const origin = [item.publisher, item.published].filter(Boolean).join(" · ");
    const source = node("span", "bri-card-source");
    source.append(node("cite", "", item.title));
    if (origin) source.append(node("span", "", origin));
    words.append(source);
    button.append(words);
    button.addEventListener("click", (event) => this.open(item.number, { from: button, byKey: event.detail === 0 }));
    line.append(button);
    return line;
  }

  step(by) {
    const numbers = this.data.citations.map((item) => item.number);
    const next = (numbers.indexOf(this.current) + by + numbers.length) % numbers.length;
    this.open(numbers[next], {});
  }

  // Opens quote `number` in its article. `from` is what was pressed; by key, the focus goes to the quote.
  async open(number, { from, byKey }) {
    const item = this.data.citations.find((one) => one.number === number);
    if (!item) return;
    this.current = number;
    if (from && !this.box.contains(from)) this.show(from);
    byId("bri-steps").hidden = this.data.citations.length < 2;
    byId("bri-position").textContent = `${this.data.citations.indexOf(item) + 1} of ${this.data.citations.length}`;
    for (const card of this.cards.querySelectorAll(".bri-card")) {
      card.setAttribute("aria-current", String(card.classList.contains(`bri-n-${number}`)));
    }
    this.cards.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
    for (const mark of this.answer.querySelectorAll(".bri-mark, .bri-near-open")) {
      mark.classList.toggle("is-current", mark.classList.contains(`bri-n-${number}`));
    }
    if (await this.load(item)) this.reveal(number, byKey && from && !this.box.contains(from));
  }

  // The article of `item` with all of this answer's quotes from it. False when another was asked for meanwhile.
  async load(item) {
    const same = this.data.citations.filter((one) => one.document === item.document);
    const query = new URLSearchParams({ pane: "1", v: item.version });
    for (const one of same) query.append("cite", `${one.number}:${one.start}-${one.end}`);
    const path = new URL(item.address, location.href).pathname;
    return this.fetch(`${path}?${query}`);
  }

  async fetch(address) {
    this.reader.hidden = false;
    if (this.loaded === address) return true;
    this.loaded = address;
    this.reader.setAttribute("aria-busy", "true");
    let content;
    try {
      const response = await fetch(address);
      if (response.status >= 500) throw new Error(String(response.status));
      content = await response.text(); // escaped by our server; the page's policy lets no script of it run
    } catch {
      if (this.loaded === address) {
        this.loaded = "";
        this.reader.replaceChildren(node("p", "bri-notice", "The article could not be loaded. Press its quote again to retry."));
      }
      return false;
    }
    if (this.loaded !== address) return false;
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

  async openListed(event) {
    const link = event.target.closest(".bri-open");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this.list.hidden = true;
    this.title.textContent = "Article";
    await this.fetch(`${new URL(link.href).pathname}?pane=1`);
    this.reader.focus({ preventScroll: true });
  }

  // A mark, its card and its highlight are one thing.
  link(element, on) {
    const inChat = element.closest(".bri-answer");
    const numbers = element.dataset.n?.split(" ") ?? [/\bbri-n-(\d+)\b/.exec(element.className)?.[1]];
    const places = inChat && inChat !== this.answer ? [inChat] : [this.answer, this.cards, this.reader];
    for (const place of places) {
      for (const number of numbers) {
        for (const one of place?.querySelectorAll(`.bri-n-${number}, mark[data-n~="${number}"]`) ?? []) {
          one.classList.toggle("is-linked", on);
        }
      }
    }
  }
}
