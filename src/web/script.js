// The pages work without this file. It adds keys (/ to search, j and k from mark to mark) and opens all marks at once.
"use strict";
(() => {
  const marks = [...document.querySelectorAll("details.mark")];
  const account = document.querySelector(".account");
  if (account && marks.length > 0) {
    const button = document.createElement("button");
    const name = () => { button.textContent = marks.every((mark) => mark.open) ? "Close all marks" : "Open all marks"; };
    button.type = "button";
    button.addEventListener("click", () => {
      const open = !marks.every((mark) => mark.open);
      for (const mark of marks) mark.open = open;
      name();
    });
    for (const mark of marks) mark.addEventListener("toggle", name);
    name();
    account.before(button);
  }
  const step = (by) => {
    const summaries = marks.map((mark) => mark.querySelector("summary"));
    if (summaries.length === 0) return;
    const at = summaries.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : summaries.length - 1) : (at + by + summaries.length) % summaries.length;
    summaries[next].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const search = document.getElementById("q");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
})();
