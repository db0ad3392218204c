// Administration: files can be dropped and are counted before they are sent; a build that runs is watched.
(() => {
  "use strict";
  const root = document.documentElement.dataset.root ?? "";
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const size = (count) => (count >= 1e5 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e3).toFixed(1)} kB`);

  const form = document.getElementById("bri-add");
  if (form) {
    const { one, other, large, many, checking, most, files: limit } = form.dataset;
    const input = document.getElementById("bri-files");
    const drop = document.getElementById("bri-drop");
    const told = document.getElementById("bri-chosen");
    const button = form.querySelector("button");
    const told_again = () => {
      const chosen = [...input.files];
      const all = chosen.reduce((sum, file) => sum + file.size, 0);
      const trouble = chosen.length > Number(limit) ? many : all > Number(most) ? large : "";
      input.setCustomValidity(trouble ? filled(trouble, { size: size(all) }) : "");
      told.classList.toggle("bri-wrong", Boolean(trouble));
      const line = trouble || (chosen.length === 1 ? one : other);
      told.textContent = chosen.length ? filled(line, { count: chosen.length.toLocaleString(document.documentElement.lang), size: size(all) }) : "";
      const list = document.createElement("ul");
      list.append(...chosen.slice(0, 50).map((file) => Object.assign(document.createElement("li"), { textContent: file.name })));
      told.parentElement.querySelector("ul")?.remove();
      if (chosen.length) told.after(list);
    };
    input.addEventListener("change", told_again);
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add("is-over");
      });
    }
    drop.addEventListener("dragleave", (event) => drop.contains(event.relatedTarget) || drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("is-over");
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      told_again();
      button.focus();
    });
    // A file that misses the frame would else replace the page.
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
    form.addEventListener("submit", () => {
      button.textContent = checking;
      button.setAttribute("aria-disabled", "true");
    });
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    told_again(); // the browser may have kept the files
  }

  // What changes something is sent once, however often it is pressed.
  for (const item of document.querySelectorAll('form[method="post"]')) {
    item.addEventListener("submit", (event) => {
      if (item.dataset.sent) event.preventDefault();
      item.dataset.sent = "1";
    });
  }

  const build = document.getElementById("bri-rebuild");
  if (build) {
    const { reading, progress, writing, lost } = build.dataset;
    const bar = build.querySelector("progress");
    const far = document.getElementById("bri-far");
    const told = document.getElementById("bri-told");
    let tenth = -1;
    const show = ({ done, total }) => {
      far.textContent = !total ? reading : done < total ? filled(progress, { done: done.toLocaleString(), total: total.toLocaleString() }) : writing;
      if (!total) return;
      bar.max = total;
      bar.value = done;
      const now = Math.floor((10 * done) / total);
      if (now !== tenth) told.textContent = far.textContent; // not every passage is read out
      tenth = now;
    };
    const watch = async () => {
      try {
        const response = await fetch(`${root}/api/v1/admin/rebuild`, { headers: { Accept: "application/json" } });
        if (response.status === 401 || response.status === 403) return location.reload();
        if (!response.ok) throw new Error(String(response.status));
        const now = await response.json();
        if (now.state !== "running") return location.reload();
        show(now);
      } catch {
        far.textContent = lost;
      }
      return setTimeout(watch, 1000);
    };
    setTimeout(watch, 400);
  }
})();
