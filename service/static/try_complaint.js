// Comfort only: the page works the same without this file.
(function () {
  "use strict";

  var form = document.querySelector("[data-complaint-form]");
  if (!form) return;

  var text = form.elements.namedItem("text");
  var counter = form.querySelector("[data-counter]");
  var announcer = form.querySelector("[data-announce]");
  var limit = text.maxLength;
  var numbers = new Intl.NumberFormat("id-ID");

  // Character counter; read out only when little room is left.
  function count() {
    var used = text.value.length;
    var left = limit - used;
    counter.textContent = numbers.format(used) + " dari " + numbers.format(limit) + " karakter.";
    counter.classList.toggle("is-near-limit", left <= 200);
    if (left <= 200 && (left % 50 === 0 || left < 10)) {
      announcer.textContent = "Sisa " + numbers.format(left) + " karakter.";
    }
  }
  text.addEventListener("input", count);

  // Examples: show the buttons, fill the form.
  var filled = null;
  document.querySelectorAll("[data-example]").forEach(function (button) {
    var example = button.parentElement.querySelector("[data-example-text]").textContent;
    button.hidden = false;
    button.addEventListener("click", function () {
      var written = text.value.trim();
      var own = written !== "" && text.value !== filled && text.value !== text.defaultValue;
      if (own && !window.confirm("Ganti tulisan Anda dengan contoh ini?")) return;
      ["title", "address", "village"].forEach(function (name) {
        form.elements.namedItem(name).value = "";
      });
      text.value = example;
      filled = example;
      count();
      announcer.textContent = "Contoh sudah diisikan. Tekan Cari instansi.";
      text.focus({ preventScroll: true });
      text.setSelectionRange(0, 0);
      text.scrollTop = 0;
      document.getElementById("laporan").scrollIntoView({ block: "start" });
    });
  });

  // One click, one request.
  var submit = form.querySelector("button[type=submit]");
  var restLabel = submit.textContent;
  function rest() {
    submit.disabled = false;
    submit.textContent = restLabel;
    form.removeAttribute("aria-busy");
  }
  form.addEventListener("submit", function () {
    submit.disabled = true;
    submit.textContent = submit.dataset.busyLabel;
    form.setAttribute("aria-busy", "true");
    announcer.textContent = submit.dataset.busyLabel;
    window.setTimeout(rest, 20000);
  });
  window.addEventListener("pageshow", function () {
    rest();
    count();
  });

  // After sending, start reading at the answer (or at the problem).
  var arrival = document.querySelector("[data-problem]") || document.querySelector("[data-result]");
  if (arrival && !window.location.hash) arrival.focus({ preventScroll: true });

  count();
})();
