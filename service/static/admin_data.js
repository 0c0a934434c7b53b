// The page works without this file. With it, a dropped or chosen file shows at once what its columns mean, stays chosen
// when something is wrong, and a running check is watched.
(function () {
  "use strict";

  const form = document.querySelector("[data-upload]");
  if (form) upload(form);
  document.querySelectorAll("[data-poll]").forEach(watch);
  if (location.hash) openAround(document.getElementById(location.hash.slice(1)));

  function upload(form) {
    const input = form.elements.namedItem("berkas");
    const drop = form.querySelector("[data-drop]");
    const columns = form.querySelector("[data-columns]");
    const working = form.querySelector("[data-working]");
    const submit = form.querySelector("button[type=submit]");
    const most = Number(form.dataset.most);
    let asked = 0;

    form.querySelector("[data-drop-hint]").hidden = false;

    // A file that misses the box must not be opened in place of the page.
    ["dragover", "drop"].forEach((name) => window.addEventListener(name, (event) => event.preventDefault()));
    ["dragenter", "dragover"].forEach((name) => drop.addEventListener(name, () => drop.classList.add("is-over")));
    ["dragleave", "drop"].forEach((name) => drop.addEventListener(name, () => drop.classList.remove("is-over")));
    drop.addEventListener("drop", (event) => {
      if (!event.dataTransfer || !event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      look();
    });
    input.addEventListener("change", look);

    columns.addEventListener("change", (event) => {
      const row = event.target.closest("tr");
      if (row) row.classList.toggle("is-unused", !event.target.value);
    });

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!columns.querySelector("[data-mapping]")) look();
      else send(form.action, "Menyamarkan dan menyimpan draf …");
    });

    function look() {
      columns.replaceChildren();
      if (!input.files.length) return;
      if (input.files[0].size > most) {
        fault("Berkas ini terlalu besar. Paling besar " + form.dataset.mostWords + "; bagi menjadi beberapa berkas.");
        return;
      }
      send(form.dataset.upload, "Membaca judul kolom …");
    }

    function send(address, words) {
      const number = ++asked;
      const body = new FormData(form);
      submit.disabled = true;
      working.textContent = words;
      form.setAttribute("aria-busy", "true");
      fetch(address, {
        method: "POST",
        body: body,
        headers: { "X-CSRF-Token": form.elements.namedItem("csrf").value, Accept: "text/html" },
      })
        .then((answer) => {
          if (answer.redirected && answer.ok) {
            location.assign(answer.url);
            return null;
          }
          if ((answer.headers.get("Content-Type") || "").startsWith("text/html")) return answer.text().then(show);
          return answer.json().then((problem) => fault(problem.detail || problem.title));
        })
        .catch(() => fault("Server tidak dapat dihubungi. Periksa sambungan, lalu coba lagi."))
        .finally(() => {
          if (number !== asked) return;
          submit.disabled = false;
          working.textContent = "";
          form.removeAttribute("aria-busy");
        });

      function show(piece) {
        if (number !== asked) return;
        columns.innerHTML = piece;
        const heading = columns.querySelector("[role=alert]") ? null : columns.querySelector("[tabindex='-1']");
        if (heading) heading.focus({ preventScroll: true });
        columns.scrollIntoView({ block: "nearest" });
      }
    }

    function fault(words) {
      const box = document.createElement("div");
      const text = document.createElement("p");
      box.className = "alert tone-danger";
      box.setAttribute("role", "alert");
      text.textContent = words;
      box.append(text);
      columns.replaceChildren(box);
    }
  }

  // Every two seconds what the server says; when the check is over, the page that shows what it found.
  function watch(place) {
    const link = document.querySelector("[data-poll-link]");
    if (link) link.hidden = true;
    let shown = place.querySelector("[data-progress]");
    if (!shown) return;
    const timer = window.setInterval(() => {
      fetch(shown.dataset.progress, { headers: { Accept: "text/html" } })
        .then((answer) => {
          if (!answer.ok || answer.redirected) throw new Error("stopped");
          return answer.text();
        })
        .then((piece) => {
          place.innerHTML = piece;
          shown = place.querySelector("[data-progress]");
          if (!shown) {
            window.clearInterval(timer);
            location.reload();
          }
        })
        .catch((error) => {
          if (error.message !== "stopped") return;
          window.clearInterval(timer);
          if (link) link.hidden = false;
        });
    }, 2000);
  }

  function openAround(found) {
    const box = found && found.closest("details");
    if (!box || box.open) return;
    box.open = true;
    found.scrollIntoView();
  }
})();
