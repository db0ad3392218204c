// One dialog for all questions to the reader: the browser keeps the focus inside it and gives it back.
import { button, byId, node, rooted } from "./dom.js";
import { t } from "./texts.js";

const dialog = byId("bri-dialog");
let settle = null;

dialog.addEventListener("close", () => {
  settle?.(dialog.returnValue || null);
  settle = null;
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(""); // beside it
});

function show(title, parts) {
  settle?.(null);
  const form = node("form");
  form.method = "dialog";
  const heading = node("h2", "", title);
  heading.id = "bri-dialog-title";
  form.append(heading, ...parts);
  dialog.replaceChildren(form);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => (settle = resolve));
}

function choices(yes, no, className = "") {
  const row = node("div", "bri-dialog-row");
  const cancel = button("", no, () => dialog.close(""));
  const submit = node("button", `bri-primary ${className}`, yes);
  submit.value = "yes";
  row.append(cancel, submit);
  return row;
}

export async function confirmed(title, text, yes) {
  const row = choices(yes, t("history.cancel"), "bri-danger");
  row.firstChild.autofocus = true;
  return (await show(title, [node("p", "", text), row])) === "yes";
}

export async function asked(title, label, value) {
  const field = node("label", "bri-field");
  const input = node("input");
  Object.assign(input, { value, required: true, maxLength: 200, autofocus: true });
  input.pattern = ".*\\S.*";
  field.append(node("span", "", label), input);
  const answer = show(title, [field, choices(t("history.save"), t("history.cancel"))]);
  input.select();
  return (await answer) === "yes" ? input.value.trim() : null;
}

// Why something is rated down: {reason, comment}, or null. `given` says that it has been rated before.
export async function complaint(title, reasons) {
  const group = node("fieldset");
  group.append(node("legend", "", t("feedback.why")));
  for (const reason of reasons) {
    const line = node("label");
    const radio = node("input");
    Object.assign(radio, { type: "radio", name: "reason", value: reason });
    line.append(radio, node("span", "", t(`reason.${reason}`)));
    group.append(line);
  }
  const field = node("label", "bri-field");
  const comment = node("textarea");
  Object.assign(comment, { rows: 3, maxLength: 2000 });
  field.append(node("span", "", t("feedback.comment")), comment);
  const hint = node("p", "bri-dialog-hint", t("feedback.hint"));
  const done = await show(title, [group, field, hint, choices(t("feedback.send"), t("feedback.cancel"))]);
  if (done !== "yes") return null;
  return { reason: group.querySelector(":checked")?.value ?? null, comment: comment.value };
}

// Links to files, in groups of [heading, [[label, address], …]].
export function files(groups) {
  const parts = groups.flatMap(([heading, links]) => {
    const list = node("ul", "bri-files");
    for (const [label, address] of links) {
      const item = node("li");
      const link = node("a", "", label);
      link.href = rooted(address);
      link.setAttribute("download", "");
      item.append(link);
      list.append(item);
    }
    return [node("h3", "", heading), list];
  });
  const row = node("div", "bri-dialog-row");
  row.append(button("", t("save.close"), () => dialog.close("")));
  return show(t("save.title"), [...parts, row]);
}
