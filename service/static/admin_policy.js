"use strict";

/* The policy page: sliders that show at once what a wish would do. Every figure was worked out on the server; here it
   is only looked up. */

(() => {
  const waits = document.querySelector('[data-job="queued"], [data-job="running"]');
  if (waits) setTimeout(() => location.reload(), 2000);

  const root = document.querySelector("[data-policy]");
  const source = document.getElementById("policy-data");
  if (!root || !source) return;
  const { steps, rows, effects, lacking } = JSON.parse(source.textContent);
  const names = ["auto", "prefill"];
  const routes = { auto: "otomatis", prefill: "dipilihkan" };
  const below =
    "Ketepatan otomatis tidak boleh di bawah ketepatan yang dipilihkan: yang diteruskan tanpa orang harus lebih pasti.";
  const written = (value, digits = 0) =>
    value.toLocaleString("id-ID", { minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven" });
  const hundred = (count) => {
    const part = (100 * count) / rows;
    return written(part, part > 0 && part < 10 ? 1 : 0);
  };

  const fields = {};
  for (const name of names) {
    const box = root.querySelector(`[data-field="${name}"]`);
    fields[name] = {
      number: box.querySelector('input[type="number"]'),
      slider: box.querySelector("[data-slider]"),
      problem: box.querySelector("[data-problem]"),
      sent: root.querySelector(`[data-apply] input[name="${name}"]`),
    };
  }
  const button = root.querySelector("[data-apply] button");
  const busy = Boolean(waits);
  const touched = new Set();

  const place = (value) => {
    const step = Math.round((value - steps[0]) / (steps[1] - steps[0]));
    return Math.min(Math.max(step, 0), steps.length - 1);
  };
  const places = {};

  const put = (route, out, text) => {
    root.querySelector(`[data-route="${route}"] [data-out="${out}"]`).textContent = text;
  };
  const showRoute = (route, count, right) => {
    put(route, "hundred", hundred(count));
    const precision = `(${written((100 * right) / count, 1)} % tepat)`;
    const told = `${written(count - right)} dari ${written(count)} laporan uji salah ${precision}.`;
    put(route, "told", count ? told : "Tidak ada laporan uji yang cukup pasti.");
  };
  const showBar = (lengths) => {
    let at = 0;
    const parts = root.querySelectorAll('[data-bar="then"] rect:not(.policy-review)');
    lengths.forEach((length, number) => {
      parts[number].setAttribute("x", `${((100 * at) / rows).toFixed(2)}%`);
      parts[number].setAttribute("width", `${((100 * length) / rows).toFixed(2)}%`);
      at += length;
    });
  };
  const curve = root.querySelector("[data-curve]");
  const left = Number(curve.dataset.left);
  const right = Number(curve.dataset.right);
  const heights = curve
    .querySelector("polyline")
    .getAttribute("points")
    .split(" ")
    .map((point) => point.split(",")[1]);
  const showDot = (name) => {
    const dot = curve.querySelector(`[data-dot="${name}"]`);
    dot.setAttribute("cx", (left + (places[name] / (steps.length - 1)) * (right - left)).toFixed(1));
    dot.setAttribute("cy", heights[places[name]]);
  };
  const showLacking = () => {
    const box = root.querySelector("[data-lacking]");
    const items = names
      .filter((name) => lacking[places[name]])
      .map((name) => {
        const item = document.createElement("li");
        const share = written(steps[places[name]], 1);
        item.textContent = `Tidak ada yang ${routes[name]} pada ${share} %: ${lacking[places[name]]}.`;
        return item;
      });
    box.querySelector("ul").replaceChildren(...items);
    box.hidden = items.length === 0;
  };

  let speaking = 0;
  const say = (words) => {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      root.querySelector("[data-said]").textContent = words;
    }, 600);
  };

  const show = () => {
    const wrong = places.auto < places.prefill;
    fields.auto.problem.textContent = wrong ? below : "";
    fields.auto.number.toggleAttribute("aria-invalid", wrong);
    if (wrong) fields.auto.number.setAttribute("aria-invalid", "true");
    fields.prefill.problem.textContent = "";
    fields.prefill.number.removeAttribute("aria-invalid");
    if (button) button.disabled = wrong || busy;
    for (const name of names) {
      fields[name].slider.setAttribute("aria-valuetext", `${written(steps[places[name]], 1)} persen`);
      if (fields[name].sent && touched.has(name)) fields[name].sent.value = steps[places[name]];
    }
    if (wrong) {
      say(below);
      return;
    }
    const [auto, autoRight, prefill, prefillRight] = effects[places.auto][places.prefill];
    showRoute("auto", auto, autoRight);
    showRoute("prefill", prefill, prefillRight);
    put("review", "hundred", hundred(rows - auto - prefill));
    showBar([autoRight, auto - autoRight, prefillRight, prefill - prefillRight]);
    names.forEach(showDot);
    showLacking();
    say(
      `${hundred(auto)} dari 100 otomatis, ${written(auto - autoRight)} salah dari ${written(auto)}; ` +
        `${hundred(prefill)} dari 100 dipilihkan, ${written(prefill - prefillRight)} salah dari ${written(prefill)}.`,
    );
  };

  const choose = (name, value, typing) => {
    if (Number.isNaN(value)) return;
    touched.add(name);
    places[name] = place(value);
    fields[name].slider.value = steps[places[name]];
    if (!typing) fields[name].number.value = steps[places[name]];
    show();
  };

  for (const name of names) {
    const { number, slider } = fields[name];
    places[name] = place(Number(number.value) || steps[0]);
    slider.value = steps[places[name]];
    slider.setAttribute("aria-valuetext", `${written(steps[places[name]], 1)} persen`);
    slider.hidden = false;
    slider.addEventListener("input", () => choose(name, slider.valueAsNumber, false));
    number.addEventListener("input", () => choose(name, number.valueAsNumber, true));
    number.addEventListener("change", () => choose(name, number.valueAsNumber, false));
  }
  root.querySelector("[data-without-script]").hidden = true;
  root.querySelector("[data-wishes]").addEventListener("submit", (event) => event.preventDefault());
})();
