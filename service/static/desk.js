// The review desk by keyboard. Comfort only: without this file everything is done by mouse or Tab key.
(function () {
  "use strict";

  const desk = document.querySelector("[data-desk]");
  if (!desk) return;

  const form = desk.querySelector("[data-decision]");
  const heading = desk.querySelector("[data-start]");
  const status = desk.querySelector("[data-said]");
  const REST = 400;
  const HEARTBEAT = 60000;
  const URGENCIES = ["rendah", "sedang", "tinggi", "darurat"];

  function say(text) {
    status.textContent = "";
    window.setTimeout(function () { status.textContent = text; }, 30);
  }

  function rest() {
    if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
    if (heading) heading.focus({ preventScroll: true });
  }

  // ---- One Enter, one complaint ----
  // Nobody has read a page that appeared less than `REST` ago: what is pressed then was meant for the one before,
  // and a key that is held down only prolongs the rest.
  let armed = false;
  let arming = window.setTimeout(arm, REST);
  let sent = false;
  let released = true;

  function arm() {
    armed = true;
    desk.setAttribute("data-ready", "");
  }

  function prolong() {
    window.clearTimeout(arming);
    arming = window.setTimeout(arm, REST);
  }

  function open(selector) {
    const found = desk.querySelector(selector);
    if (found && !document.querySelector("dialog[open]")) found.showModal();
    return found;
  }

  desk.addEventListener("submit", function (event) {
    if (event.target.method !== "post") return;
    if (sent || !armed) {
      event.preventDefault();
      return;
    }
    sent = true;
    event.target.setAttribute("aria-busy", "true");
    // A page that does not come lets people try once more: sending twice is harmless.
    window.setTimeout(function () { sent = false; }, 8000);
  });
  window.addEventListener("pageshow", function () { sent = false; });

  // Who chose by mouse or finger goes on with keys at once, and not inside the list.
  let pointed = false;
  document.addEventListener("pointerdown", function () { pointed = true; }, true);
  document.addEventListener("keydown", function () { pointed = false; }, true);
  desk.addEventListener("change", function (event) {
    if (pointed && event.target.matches("[data-decision] select")) rest();
  });

  // ---- Sheets: what is a disclosure without script becomes a dialog ----
  desk.querySelectorAll("details[data-sheet]").forEach(function (details) {
    const dialog = document.createElement("dialog");
    const summary = details.querySelector("summary");
    const button = document.createElement("button");
    dialog.className = "sheet";
    dialog.id = details.dataset.sheet;
    dialog.setAttribute("aria-label", summary.dataset.title);
    button.type = "button";
    button.className = summary.className;
    button.setAttribute("aria-haspopup", "dialog");
    if (summary.hasAttribute("aria-keyshortcuts")) button.setAttribute("aria-keyshortcuts", summary.getAttribute("aria-keyshortcuts"));
    button.append(...summary.childNodes);
    summary.remove();
    dialog.append(...details.childNodes);
    details.replaceWith(button, dialog);
    button.addEventListener("click", function () { open("#" + dialog.id); });
  });
  desk.querySelectorAll("dialog").forEach(function (dialog) {
    dialog.querySelectorAll("[data-close]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () { dialog.close(); });
    });
    dialog.addEventListener("click", function (event) {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", rest);
  });

  // ---- The labels of the form ----
  const candidates = form ? Array.from(form.querySelectorAll("[data-candidate]")) : [];
  const other = form && form.querySelector("[data-other]");
  const otherList = form && form.querySelector("[data-other-list]");
  const category = form && form.elements.namedItem("kategori");
  const kind = form && form.elements.namedItem("klasifikasi");
  let categoryTouched = false;

  function nameOf(select) {
    return select.options[select.selectedIndex] ? select.options[select.selectedIndex].textContent.trim() : "";
  }

  function duties(of) {
    form.querySelectorAll("[data-duties]").forEach(function (item) {
      item.classList.toggle("is-shown", item.id === of);
    });
  }

  function dutiesOfChosen() {
    const chosen = form.querySelector("[data-candidate] input:checked");
    duties(chosen ? chosen.getAttribute("aria-describedby") : "");
  }

  // The category that goes with an agency, unless the person chose one.
  function fit(code) {
    if (categoryTouched || !category || !code || category.value === code) return;
    if (!category.querySelector('option[value="' + CSS.escape(code) + '"]')) return;
    category.value = code;
    category.classList.remove("is-changed");
    void category.offsetWidth;
    category.classList.add("is-changed");
  }

  function chooseCandidate(row) {
    const input = row.querySelector("input");
    if (!input) {
      search("agency", row.dataset.name);
      return;
    }
    input.checked = true;
    if (otherList) otherList.value = "";
    fit(input.dataset.category);
    dutiesOfChosen();
    say("Instansi: " + row.dataset.name + (category ? ". Kategori: " + nameOf(category) : ""));
  }

  function chooseAgency(entry) {
    const row = candidates.find(function (item) {
      const input = item.querySelector("input");
      return input && input.value === entry.code;
    });
    if (row) {
      chooseCandidate(row);
      return;
    }
    other.checked = true;
    otherList.value = entry.code;
    fit(entry.category);
    dutiesOfChosen();
    say("Instansi: " + entry.name + (category ? ". Kategori: " + nameOf(category) : ""));
  }

  function next(values, value) {
    return values[(values.indexOf(value) + 1) % values.length];
  }

  function cycleUrgency() {
    const group = form.elements.namedItem("urgensi");
    const known = URGENCIES.filter(function (level) { return form.querySelector('[name=urgensi][value="' + level + '"]'); });
    const level = next(known, group.value);
    const input = form.querySelector('[name=urgensi][value="' + level + '"]');
    input.checked = true;
    say("Urgensi: " + input.dataset.name);
  }

  function cycleKind() {
    const values = Array.from(kind.options).map(function (option) { return option.value; }).filter(Boolean);
    kind.value = next(values, kind.value);
    kind.classList.remove("is-changed");
    void kind.offsetWidth;
    kind.classList.add("is-changed");
    say("Klasifikasi: " + nameOf(kind));
  }

  if (form) {
    candidates.forEach(function (row) {
      const input = row.querySelector("input");
      const button = row.querySelector("button");
      const described = (input || button).getAttribute("aria-describedby");
      row.addEventListener("mouseenter", function () { duties(described); });
      row.addEventListener("mouseleave", dutiesOfChosen);
      row.addEventListener("focusin", function () { duties(described); });
      row.addEventListener("focusout", dutiesOfChosen);
      if (input) input.addEventListener("change", function () { chooseCandidate(row); });
      if (button) {
        button.hidden = false;
        button.addEventListener("click", function () { chooseCandidate(row); });
      }
    });
    otherList.addEventListener("change", function () {
      if (!otherList.value) return;
      other.checked = true;
      dutiesOfChosen();
    });
    category.addEventListener("change", function () { categoryTouched = true; });
    dutiesOfChosen();
  }

  // ---- Search in all agencies or categories ----
  const lists = JSON.parse((document.getElementById("daftar") || { textContent: "{}" }).textContent);
  const picker = desk.querySelector("[data-picker]");
  const TITLES = {
    agency: ["Cari instansi", "Nama, singkatan, atau urusannya", "instansi"],
    category: ["Pilih kategori", "Nama kategori atau isinya", "kategori"],
  };
  let searched = "";
  let found = [];
  let active = 0;

  function fold(text) {
    return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();
  }

  Object.values(lists).forEach(function (entries) {
    entries.forEach(function (entry) {
      entry.inName = " " + fold(entry.name);
      entry.inAlso = entry.also.map(function (name) { return " " + fold(name); });
      entry.inDoes = " " + fold(entry.does) + " " + fold(entry.kind);
    });
  });

  // Every word has to occur; a name counts for more than a short name, that for more than what the office does.
  function score(entry, query, words) {
    let sum = entry.inName === " " + query || entry.inAlso.includes(" " + query) ? 200 : 0;
    for (const word of words) {
      const begins = " " + word;
      if (entry.inName.includes(begins)) sum += 40;
      else if (entry.inAlso.some(function (name) { return name.includes(begins); })) sum += 35;
      else if (entry.inDoes.includes(begins)) sum += 10;
      else if (word.length > 3 && (entry.inName + entry.inDoes).includes(word)) sum += 3;
      else return 0;
    }
    return sum;
  }

  function ranked(query) {
    const folded = fold(query);
    const words = folded.split(" ").filter(Boolean);
    const entries = lists[searched];
    if (!words.length) return entries;
    return entries
      .map(function (entry, rank) { return { entry: entry, rank: rank, score: score(entry, folded, words) }; })
      .filter(function (item) { return item.score > 0; })
      .sort(function (a, b) { return b.score - a.score || a.rank - b.rank; })
      .map(function (item) { return item.entry; });
  }

  if (picker) {
    const input = picker.querySelector("input");
    const box = picker.querySelector("[role=listbox]");
    const count = picker.querySelector("[data-count]");

    const draw = function () {
      found = ranked(input.value);
      active = 0;
      box.replaceChildren(...found.map(function (entry, index) {
        const option = document.createElement("li");
        const name = document.createElement("span");
        const does = document.createElement("span");
        option.id = "pilihan-" + index;
        option.setAttribute("role", "option");
        name.className = "option-name";
        name.textContent = entry.name;
        does.className = "option-does";
        if (entry.refused) option.className = "is-refused";
        does.textContent = [entry.refused ? "Sudah menolak laporan ini (bukan wewenang)" : "", entry.outside ? "Instansi luar" : "", entry.also.slice(0, 3).join(", "), entry.does || entry.kind].filter(Boolean).join(" · ");
        option.append(name, does);
        option.addEventListener("click", function () { pick(entry); });
        return option;
      }));
      count.textContent = found.length ? found.length + " " + TITLES[searched][2] : "Tidak ada yang cocok. Coba kata lain.";
      mark();
    };

    const mark = function () {
      Array.from(box.children).forEach(function (option, index) {
        option.setAttribute("aria-selected", String(index === active));
      });
      const option = box.children[active];
      if (option) {
        input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        input.removeAttribute("aria-activedescendant");
      }
    };

    const pick = function (entry) {
      const what = searched;
      picker.close();
      if (what === "agency") {
        chooseAgency(entry);
      } else {
        category.value = entry.code;
        categoryTouched = true;
        say("Kategori: " + entry.name);
      }
    };

    input.addEventListener("input", draw);
    input.addEventListener("keydown", function (event) {
      if (event.isComposing) return;
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
      if (step && found.length) {
        event.preventDefault();
        const last = found.length - 1;
        const around = Math.abs(step) === 1;
        active = around ? (active + step + found.length) % found.length : Math.min(last, Math.max(0, active + step));
        mark();
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (event.repeat || !found[active]) return;
        released = false;
        pick(found[active]);
      }
    });
    picker.prepare = function (what, query) {
      searched = what;
      picker.setAttribute("aria-label", TITLES[what][0]);
      picker.querySelector("[data-title]").textContent = TITLES[what][0];
      picker.querySelector("label").textContent = TITLES[what][1];
      input.value = query || "";
      draw();
    };
  }

  function search(what, query) {
    if (!picker || document.querySelector("dialog[open]")) return;
    picker.prepare(what, query);
    picker.showModal();
    picker.querySelector("input").select();
  }

  desk.querySelectorAll("[data-search]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { search(button.dataset.search, ""); });
  });

  // ---- Skip: a digit takes a ready reason at once ----
  const skipping = desk.querySelector("[data-skip]");
  if (skipping) {
    skipping.addEventListener("keydown", function (event) {
      const typing = event.target.matches("input[type=text], textarea");
      const ready = skipping.querySelectorAll("input[type=radio]")[Number(event.key) - 1];
      if (typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey || !/^[1-9]$/.test(event.key) || !ready) return;
      event.preventDefault();
      ready.checked = true;
      skipping.requestSubmit();
    });
    const own = skipping.querySelector("input[type=text]");
    own.addEventListener("input", function () {
      if (!own.value) return;
      skipping.querySelectorAll("input[type=radio]").forEach(function (radio) { radio.checked = false; });
    });
  }

  // ---- Keys ----
  function typing(target) {
    return target.closest("textarea, select, dialog, [contenteditable]") ||
      (target.matches("input") && !["radio", "checkbox", "button", "submit"].includes(target.type));
  }

  const KEYS = {
    "/": form && function () { search("agency", ""); },
    c: form && function () { search("category", ""); },
    u: form && cycleUrgency,
    k: form && cycleKind,
    a: form && function () { form.elements.namedItem("alasan").focus(); },
    s: skipping && function () { open("#lewati"); },
    "?": function () { open("#bantuan"); },
    z: function () {
      const undo = desk.querySelector("[data-undo]");
      if (undo) undo.requestSubmit();
      else say("Tidak ada yang dapat dibatalkan.");
    },
  };

  document.addEventListener("keyup", function (event) {
    if (event.key === "Enter") released = true;
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !armed) prolong();
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Escape" && event.target.matches("input[type=text]") && !event.target.closest("dialog")) {
      rest();
      return;
    }
    if (typing(event.target)) return;
    if (event.repeat) {
      if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
      return;
    }
    if (event.key === "Enter") {
      if (!form || event.target.closest("a, button, summary")) return;
      event.preventDefault();
      if (released) form.requestSubmit(form.querySelector("[data-save]"));
      return;
    }
    if (/^[1-9]$/.test(event.key)) {
      const row = candidates[Number(event.key) - 1];
      if (!row) return;
      event.preventDefault();
      chooseCandidate(row);
      return;
    }
    const act = KEYS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // ---- How long it was on the screen ----
  let visible = 0;
  let since = document.hidden ? 0 : performance.now();
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) {
      visible += since ? performance.now() - since : 0;
      since = 0;
    } else {
      since = performance.now();
      beat();
    }
  });
  if (form) {
    form.addEventListener("submit", function () {
      const total = visible + (since ? performance.now() - since : 0);
      form.elements.namedItem("detik").value = (total / 1000).toFixed(1);
    });
  }

  // ---- The lease: kept while the page is looked at ----
  const lost = desk.querySelector("[data-lost]");
  async function beat() {
    if (!form || document.hidden || sent) return;
    try {
      let answer = await hold();
      if (answer.status === 403 && await renewToken()) answer = await hold();
      if (answer.status === 401) tellLost("keluar");
      else if (answer.ok) tellLost((await answer.json()).held ? "" : "hilang");
    } catch (error) {
      // No connection for a moment: the lease lasts longer than the time between two beats.
    }
  }

  function hold() {
    return fetch(desk.dataset.hold, {
      method: "POST",
      headers: { "X-CSRF-Token": desk.dataset.csrf, Accept: "application/json" },
    });
  }

  // Who signed in again in another tab has another token; what was typed here is not lost.
  async function renewToken() {
    const answer = await fetch("/akun");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("[name=csrf]");
    if (!answer.ok || answer.redirected || !token) return false;
    desk.dataset.csrf = token.value;
    desk.querySelectorAll("[name=csrf]").forEach(function (input) { input.value = token.value; });
    return true;
  }

  function tellLost(why) {
    lost.querySelectorAll("[data-why]").forEach(function (text) { text.hidden = text.dataset.why !== why; });
    lost.hidden = !why;
  }

  if (form) window.setInterval(beat, HEARTBEAT);

  const news = desk.querySelector(".saved.is-new p");
  if (news) say(news.textContent);
  if (heading && !window.location.hash && !desk.querySelector("[autofocus]")) heading.focus({ preventScroll: true });
})();
