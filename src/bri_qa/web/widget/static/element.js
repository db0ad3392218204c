// <bri-qa-chat>: a button with a panel, or the panel alone. It lives in a shadow root that the page's styles do not reach.
const NARROW = "(max-width: 480px)";
const MOST_TURNS = 20;
const sheet = new CSSStyleSheet(); // a style element would need the page's policy to allow it
sheet.replaceSync(STYLE);

function wordsOf(language) {
  const words = TEXTS[language];
  const t = (key, values = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  t.has = (key) => key in words;
  return t;
}

function languageOf(wish) {
  const tag = (wish || document.documentElement.lang || navigator.language || "en").toLowerCase();
  return tag.startsWith("zh") ? "zh-Hans" : "en";
}

class Chat extends HTMLElement {
  #log;
  #box;
  #send;
  #spoken;
  #panel;
  #button;
  #view;
  #client;
  #turns = [];
  #running = null;

  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const language = languageOf(this.getAttribute("lang"));
    this.t = wordsOf(language);
    this.isInline = this.getAttribute("mode") === "inline";
    this.#client = new Client(this.getAttribute("base") ?? BASE, tokens(this.#source()));
    this.#view = new View(this.t, this.#client);
    const theme = this.getAttribute("theme");
    const frame = make("div", { class: `frame ${this.isInline ? "inline" : "floating"}`, lang: language, "data-theme": theme === "dark" || theme === "light" ? theme : "auto" });
    frame.append(...(this.isInline ? [this.#inside("section")] : [this.#opener(), this.#inside("dialog")]));
    root.append(frame);
  }

  disconnectedCallback() {
    this.#running?.abort();
  }

  // The page may set `getToken`; otherwise the attributes say where tokens come from.
  #source() {
    const name = this.getAttribute("token-function");
    const address = this.getAttribute("token-url");
    if (this.getToken) return () => this.getToken();
    if (name) return () => window[name]();
    return address ? fetched(address) : null;
  }

  #opener() {
    this.#button = make("button", { class: "opener", type: "button", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => this.toggle() },
      icon("chat"), make("span", {}, this.getAttribute("label") || this.t("button")));
    return this.#button;
  }

  #inside(tag) {
    const title = make("h2", { id: "title" }, this.getAttribute("heading") || this.t("title"));
    const close = this.isInline ? null
      : make("button", { class: "icon close", type: "button", "aria-label": this.t("close"), onclick: () => this.close() }, icon("close"));
    this.#log = make("div", { class: "log", role: "log", "aria-live": "off", "aria-label": this.t("log"), tabindex: "0" }, make("p", { class: "welcome" }, this.getAttribute("welcome") || this.t("welcome")));
    this.#spoken = make("p", { class: "hidden", role: "status", "aria-live": "polite" });
    this.#box = make("textarea", { rows: "1", maxlength: "4000", "aria-label": this.t("box"), placeholder: this.t("box"), oninput: () => this.#grow(), onkeydown: (event) => this.#key(event) });
    this.#send = make("button", { class: "send", type: "submit", "aria-label": this.t("ask"), title: this.t("ask") }, icon("send"));
    const form = make("form", { onsubmit: (event) => this.#submitted(event) }, this.#box, this.#send);
    const advice = make("p", { class: "advice" }, this.t("advice"));
    this.#panel = make(tag, { class: "panel", "aria-labelledby": "title" }, make("header", {}, title, close), this.#log, this.#spoken, form, advice);
    if (tag === "dialog") {
      this.#panel.addEventListener("keydown", (event) => this.#escape(event));
      this.#panel.addEventListener("close", () => this.#closed());
    }
    return this.#panel;
  }

  toggle() {
    if (this.#panel.open) this.close();
    else this.open();
  }

  // On a narrow screen it covers the page: then, and only then, it is modal.
  open() {
    if (this.isInline || this.#panel.open) return;
    if (matchMedia(NARROW).matches) this.#panel.showModal();
    else this.#panel.show();
    this.#button.setAttribute("aria-expanded", "true");
    this.#box.focus();
  }

  close() {
    if (!this.isInline && this.#panel.open) this.#panel.close();
  }

  #closed() {
    this.#button.setAttribute("aria-expanded", "false");
    this.#button.focus();
  }

  #escape(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  #grow() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${Math.min(this.#box.scrollHeight, 120)}px`;
  }

  #key(event) {
    event.stopPropagation(); // the shortcuts of the page are not meant
    if (event.key === "Escape" && !this.isInline) this.#escape(event);
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submitted(event);
  }

  #submitted(event) {
    event.preventDefault();
    if (this.#running) {
      if (event.type === "submit") this.#running.abort();
      return;
    }
    const question = this.#box.value.trim();
    if (!question) return;
    this.#box.value = "";
    this.#grow();
    this.ask(question);
  }

  #busy(controller) {
    this.#running = controller;
    const words = this.t(controller ? "stop" : "ask");
    this.#send.classList.toggle("stop", Boolean(controller));
    this.#send.setAttribute("aria-label", words);
    this.#send.title = words;
    this.#send.replaceChildren(icon(controller ? "stop" : "send"));
  }

  // Ask, and show whatever comes of it.
  async ask(question) {
    if (this.#running) return;
    const controller = new AbortController();
    this.#busy(controller);
    const asked = this.#view.question(question);
    const element = this.#view.waiting();
    this.#log.querySelector(".welcome")?.remove();
    this.#log.append(asked, element);
    this.#show(asked);
    const again = () => {
      asked.remove();
      element.remove();
      this.#box.focus();
      this.ask(question);
    };
    try {
      await this.#answer(question, element, controller.signal);
    } catch (error) {
      this.#failed(error, element, question, again, controller.signal);
    } finally {
      this.#busy(null);
      this.#show(asked);
    }
  }

  async #answer(question, element, signal) {
    const body = { question, history: this.#turns.slice(-MOST_TURNS) };
    const found = await this.#client.ask(body, signal, (name, data) => {
      if (name === "progress") this.#view.progress(element, data);
      if (name === "statement") this.#view.statement(element, data);
    });
    if (!found.abstained) {
      this.#view.answer(element, found);
      this.#say(this.t("spoken", { words: found.statements.map((item) => item.text).join(" "), count: found.citations.length }));
    } else {
      const nearest = found.reason === "small_talk" ? [] : await this.#client.nearest(body, signal);
      this.#view.abstained(element, found, nearest.length ? nearest : found.passages);
      this.#say([...element.querySelectorAll("p")].slice(0, 2).map((part) => part.textContent).join(". "));
    }
    this.#turns.push({ role: "user", text: question }, { role: "assistant", text: found.answer });
  }

  #failed(error, element, question, again, signal) {
    if (signal.aborted) {
      this.#view.stopped(element, again);
      this.#say(this.t("stopped"));
      if (!this.#box.value) this.#box.value = question;
      this.#grow();
      return;
    }
    const trouble = error instanceof Trouble ? error : new Trouble("broken");
    this.#say(this.#view.failed(element, trouble, again));
  }

  #say(words) {
    this.#spoken.textContent = words;
  }

  // The question at the top of the log, with as much of its answer as fits below it.
  #show(asked) {
    this.#log.scrollTop += asked.getBoundingClientRect().top - this.#log.getBoundingClientRect().top - 12;
  }
}
