"use strict";

// Copies a secret, and keeps a reload from making another one.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  source.addEventListener("focus", () => source.select());
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.value);
    button.textContent = "Tersalin";
    setTimeout(() => { button.textContent = "Salin"; }, 3000);
  });
}
if (document.querySelector("[data-once]")) history.replaceState(null, "", location.pathname.replace(/\/(pengguna|kunci)\/?.*$/, ""));

// Narrows a list or table to the rows that hold every word typed.
const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
for (const search of document.querySelectorAll("[data-filter]")) {
  search.hidden = false;
  const rows = [...document.querySelectorAll(`${search.dataset.filter} [data-row]`)];
  const count = document.querySelector(search.dataset.count || "[data-none]");
  const narrow = () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = plain(row.dataset.row || row.textContent);
      const kept = row.querySelector("input:checked") !== null;
      row.hidden = !kept && !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    for (const group of document.querySelectorAll(`${search.dataset.filter} tbody`)) {
      const own = [...group.querySelectorAll("[data-row]")];
      group.hidden = own.length > 0 && own.every((row) => row.hidden);
    }
    if (count) count.textContent = `${shown.toLocaleString("id-ID")} tampil`;
  };
  search.addEventListener("input", narrow);
  search.closest("form")?.addEventListener("reset", () => setTimeout(narrow));
  if (search.value) narrow();
}

// Fields that only one of the choices needs.
for (const box of document.querySelectorAll("[data-when]")) {
  const [name, value] = box.dataset.when.split("=");
  const form = box.closest("form");
  const show = () => {
    const field = form.elements[name];
    const needed = field.value === value;
    box.hidden = !needed;
    for (const input of box.querySelectorAll("input, select")) input.disabled = !needed;
  };
  form.addEventListener("change", show);
  show();
}

// A link to something that is folded away opens it.
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.querySelector("input:not([type=hidden])")?.focus();
  }
};
addEventListener("hashchange", unfold);
unfold();

// Where a row of tabs is wider than the screen, the open one is in sight.
for (const tab of document.querySelectorAll(".tabs [aria-current], .desk-menu [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}
