// The conversations of this browser: listed, searched, renamed, deleted, saved.
import * as address from "./address.js";
import { asked, confirmed, files } from "./dialog.js";
import { announce, button, byId, node, request, rooted } from "./dom.js";
import { counted, language, t } from "./texts.js";

const PATH = "/api/v1/history";
export const SAVED_AS = ["markdown", "docx", "json"];

export function exports(kind, id) {
  return SAVED_AS.map((form) => [t(`save.${form}`), `/api/v1/export/${kind}/${encodeURIComponent(id)}?format=${form}`]);
}

export class History {
  // `opened(id)` is called when a conversation is chosen, with null for a new one.
  constructor(opened) {
    this.box = byId("bri-history");
    if (!this.box) return; // nothing is kept here
    this.opened = opened;
    this.list = byId("bri-history-list");
    this.note = byId("bri-history-note");
    this.find = byId("bri-history-find");
    this.menu = byId("bri-menu");
    this.cursor = null;
    this.asked = 0;
    this.menu.addEventListener("click", () => this.toggle());
    byId("bri-history-close").addEventListener("click", () => this.toggle(false));
    byId("bri-history-more").addEventListener("click", () => this.load(this.cursor));
    byId("bri-history-all").addEventListener("click", () => this.deleteAll());
    this.find.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), 200);
    });
    this.box.addEventListener("click", (event) => this.pressed(event));
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.toggle(false);
    });
    this.show(this.isOpen());
    this.load();
  }

  isDrawer() {
    return matchMedia("(max-width: 1439px)").matches;
  }

  isOpen() {
    return this.isDrawer() ? document.body.classList.contains("bri-history-open") : !document.body.classList.contains("bri-history-shut");
  }

  show(open) {
    document.body.classList.toggle("bri-history-open", open && this.isDrawer());
    document.body.classList.toggle("bri-history-shut", !open && !this.isDrawer());
    this.menu.setAttribute("aria-expanded", String(open));
  }

  toggle(open = !this.isOpen()) {
    this.show(open);
    if (open) this.find.focus();
    else if (this.box.contains(document.activeElement) || document.activeElement === document.body) this.menu.focus();
  }

  async load(after = null) {
    if (!this.box) return;
    const mine = ++this.asked;
    const words = this.find.value.trim();
    const query = new URLSearchParams({ limit: "30" });
    if (words) query.set("q", words);
    if (after) query.set("cursor", after);
    let page;
    try {
      page = await request(`${PATH}?${query}`);
    } catch {
      if (mine !== this.asked) return;
      this.note.replaceChildren(t("history.failed"), " ", button("", t("history.retry"), () => this.load()));
      return;
    }
    if (mine !== this.asked) return;
    const items = page.conversations.map((item) => this.item(item));
    if (after) this.list.append(...items);
    else this.list.replaceChildren(...items);
    this.cursor = page.next;
    byId("bri-history-more").hidden = !page.next;
    const empty = !this.list.children.length;
    this.note.textContent = empty ? t(words ? "history.nothing" : "history.empty") : "";
    byId("bri-history-all").hidden = empty || Boolean(words);
    this.mark();
  }

  item(item) {
    const line = node("li");
    line.dataset.id = item.id;
    const link = node("a", "bri-talk");
    link.href = rooted(`/?c=${encodeURIComponent(item.id)}`);
    link.append(node("span", "bri-talk-title", item.title));
    const when = new Date(item.updated).toLocaleDateString(language, { day: "numeric", month: "short", year: "numeric" });
    link.append(node("span", "bri-talk-facts", `${when} · ${counted("history.questions", item.questions)}`));
    if (item.snippet) link.append(node("span", "bri-talk-snippet", item.snippet));
    const acts = node("span", "bri-talk-acts");
    for (const [name, act] of [["rename", () => this.rename(item)], ["delete", () => this.delete(item)]]) {
      const one = button(`bri-talk-${name}`, t(`history.${name}`), act);
      one.setAttribute("aria-label", t(`history.${name}.named`, { title: item.title }));
      acts.append(one);
    }
    const save = button("bri-talk-save", t("foot.save"), () => files([[t("save.conversation"), exports("conversations", item.id)]]));
    save.setAttribute("aria-label", `${t("foot.save")}: ${item.title}`);
    acts.append(save);
    line.append(link, acts);
    return line;
  }

  // Which of them is open.
  mark() {
    if (!this.box) return;
    const now = address.conversation();
    for (const line of this.list.children) {
      const link = line.querySelector(".bri-talk");
      if (line.dataset.id === now) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  pressed(event) {
    const link = event.target.closest("a");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (this.isDrawer()) this.show(false);
    this.opened(new URL(link.href).searchParams.get("c"));
    this.mark();
  }

  async rename(item) {
    const title = await asked(t("history.rename"), t("history.name"), item.title);
    if (!title || title === item.title) return;
    await this.change(() => request(`${PATH}/${encodeURIComponent(item.id)}`, "PATCH", { title }), "history.renamed");
  }

  async delete(item) {
    const sure = await confirmed(t("history.delete.title"), t("history.delete.text", { title: item.title }), t("history.delete"));
    if (!sure) return;
    await this.change(() => request(`${PATH}/${encodeURIComponent(item.id)}`, "DELETE"), "history.deleted");
    if (address.conversation() === item.id) this.opened(null);
  }

  async deleteAll() {
    if (!(await confirmed(t("history.all.title"), t("history.all.text"), t("history.all")))) return;
    await this.change(() => request(PATH, "DELETE"), "history.deleted");
    this.opened(null);
  }

  async change(act, said) {
    try {
      await act();
      announce(t(said));
    } catch (error) {
      this.note.textContent = error.message;
      return;
    }
    await this.load();
    if (!this.box.contains(document.activeElement)) this.find.focus();
  }
}
