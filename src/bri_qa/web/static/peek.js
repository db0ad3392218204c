// The quote behind a mark, shown while the mark is hovered or has the focus.
import { byId, node } from "./dom.js";

export class Peek {
  constructor() {
    this.box = byId("bri-peek");
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hide();
    });
    document.addEventListener("scroll", () => this.scrolled(), { capture: true, passive: true });
  }

  // The focus itself scrolls its mark into view: the quote goes along with it.
  scrolled() {
    if (!this.box.hidden && document.activeElement === this.mark) this.place();
    else this.hide();
  }

  show(mark, data, touched) {
    const number = Number(/\bbri-n-(\d+)\b/.exec(mark.className)[1]);
    const item = data?.citations.find((one) => one.number === number);
    if (!item || touched) return;
    const words = node("p", "bri-peek-quote", item.quote);
    if (item.language) words.lang = item.language;
    const origin = [item.title, item.publisher, item.published].filter(Boolean).join(" · ");
    this.box.replaceChildren(words, node("p", "bri-peek-source", origin));
    this.box.hidden = false;
    this.mark = mark;
    mark.setAttribute("aria-describedby", "bri-peek");
    this.place();
  }

  place() {
    const at = this.mark.getBoundingClientRect();
    const { width, height } = this.box.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, innerWidth - width - 8));
    const over = at.top - height - 10;
    this.box.style.left = `${left}px`;
    this.box.style.top = `${over > 8 ? over : at.bottom + 10}px`;
  }

  hide() {
    this.box.hidden = true;
  }
}
