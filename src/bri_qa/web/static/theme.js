// Light or dark, and the language: as the system says, unless the reader has chosen. Runs before the first paint.
(() => {
  "use strict";
  const KEY = "bri-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is off: the system decides
    }
  };
  const apply = () => {
    const dark = (chosen() ?? (system.matches ? "dark" : "light")) === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.body?.classList.toggle("dark", dark); // Gradio's own switch
    const button = document.getElementById("bri-theme");
    button?.setAttribute("aria-pressed", String(dark));
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("bri-theme")?.addEventListener("click", () => {
      const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem(KEY, next);
      } catch {
        document.documentElement.dataset.theme = next;
      }
      apply();
    });
    document.getElementById("bri-language")?.addEventListener("click", (event) => {
      const year = 365 * 24 * 3600;
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `bri_language=${event.currentTarget.dataset.language}; Path=${document.documentElement.dataset.root ?? ""}/; Max-Age=${year}; SameSite=Lax${secure}`;
      location.reload();
    });
    // Gradio sets its class by the system's wish when it has loaded; the reader's choice stands.
    new MutationObserver(() => {
      const dark = document.documentElement.dataset.theme === "dark";
      if (document.body.classList.contains("dark") !== dark) apply();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });
})();
