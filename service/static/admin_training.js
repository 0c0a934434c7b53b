/* Keeps a page about running work up to date. Without it the page is as it was when it was opened. */
"use strict";

(() => {
  const OFTEN = 2000;
  const page = document.querySelector("[data-watch]");
  if (!page) return;
  const said = page.querySelector("[data-said]");
  const lost = page.querySelector("[data-lost]");
  let told = page.querySelector('[data-part="progress"]')?.dataset.say || "";

  const busy = () => "busy" in page.dataset;

  function renew(fresh) {
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = page.querySelector(`[data-part="${part.dataset.part}"]`);
      // What is the same stays, with the focus that may be in it.
      if (old && old.outerHTML !== part.outerHTML) old.replaceWith(part);
    }
  }

  function tell() {
    const now = page.querySelector('[data-part="progress"]')?.dataset.say || "";
    if (now !== told) said.textContent = told = now;
  }

  function ended() {
    if ("reload" in page.dataset) {
      location.reload();
      return;
    }
    const first = page.querySelector('[data-part="past"] .training-outcome');
    document.querySelector("[data-note]")?.remove();
    told = said.textContent = `Selesai. ${first ? first.textContent.trim() : ""}`;
    for (const part of page.querySelectorAll("[data-when]")) part.hidden = part.dataset.when === "busy";
  }

  async function look() {
    try {
      const answer = await fetch(page.dataset.watch, { headers: { "X-CSRF-Token": "-" }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-fresh]");
      lost.hidden = true;
      renew(fresh);
      if ("busy" in fresh.dataset) {
        tell();
      } else {
        delete page.dataset.busy;
        ended();
      }
    } catch {
      lost.hidden = false;
    }
    if (busy()) setTimeout(look, OFTEN);
  }

  for (const link of page.querySelectorAll("[data-refresh]")) link.hidden = true;
  if (busy()) setTimeout(look, OFTEN);
})();
