"use strict";
const form = document.querySelector("form"), rows = [...document.querySelectorAll("article")];
const shown = document.querySelector("output"), codes = form.elements.code;
for (const code of [...new Set(rows.flatMap(r => r.dataset.codes.split(" ")).filter(Boolean))].sort()) {
  codes.add(new Option(code, code));
}
function filter() {
  const [decision, kind, code] = ["decision", "kind", "code"].map(n => form.elements[n].value);
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const row of rows) {
    const d = row.dataset;
    let keep = (!decision || d.decision === decision) && (!kind || d.kind === kind)
      && (!code || d.codes.split(" ").includes(code));
    if (keep && words.length) {
      const text = row.textContent.toLowerCase();
      keep = words.every(w => text.includes(w));
    }
    row.hidden = !keep;
    n += keep;
  }
  shown.textContent = n + " / " + rows.length;
}
let pending;
form.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(filter, 120); });
form.addEventListener("submit", e => e.preventDefault());
form.hidden = false;
filter();
