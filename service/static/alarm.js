// Emergencies that wait: asks every ten seconds, on every page of those who review. Without this file the banner
// shows what was so when the page was opened.
(function () {
  "use strict";

  const banner = document.querySelector("[data-alarm]");
  if (!banner) return;

  const words = banner.querySelector("[data-alarm-words]");
  const link = banner.querySelector("[data-alarm-link]");
  const sound = document.querySelector("[data-alarm-sound]");
  const address = banner.dataset.alarm + "?di=" + encodeURIComponent(banner.dataset.here);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const title = document.title;
  const EVERY = 10000;
  const KEY = "aduan-bunyi-darurat";
  let loud = banner.dataset.loud === "1";
  let blinking = 0;
  let audio = null;

  function wantsSound() {
    try { return window.localStorage.getItem(KEY) === "ya"; } catch (error) { return false; }
  }

  function showSound() {
    if (!sound) return;
    const on = wantsSound();
    sound.hidden = false;
    sound.setAttribute("aria-pressed", String(on));
    sound.textContent = on ? "Bunyi darurat: nyala" : "Bunyi darurat: mati";
  }

  // Two short tones. Browsers allow sound only after the person did something on the page.
  function beep() {
    if (!wantsSound() || !window.AudioContext) return;
    audio = audio || new window.AudioContext();
    if (audio.state === "suspended") audio.resume().catch(function () {});
    if (audio.state !== "running") return;
    [0, 0.28].forEach(function (at) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = 880;
      volume.gain.setValueAtTime(0.0001, audio.currentTime + at);
      volume.gain.exponentialRampToValueAtTime(0.3, audio.currentTime + at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.2);
      tone.connect(volume).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.22);
    });
  }

  function tick() {
    document.title = calm.matches || document.title === title ? "● DARURAT – " + title : title;
  }

  function blink() {
    window.clearInterval(blinking);
    document.title = title;
    if (!loud) return;
    tick();
    blinking = calm.matches ? 0 : window.setInterval(tick, 1000);
  }

  function show(found) {
    const was = loud;
    loud = found.loud;
    if (found.shown) {
      if (words.textContent !== found.words) words.textContent = found.words;
      link.href = found.address;
      link.hidden = found.on_screen;
    }
    banner.hidden = !found.shown;
    banner.classList.toggle("is-loud", loud);
    if (was !== loud) blink();
    if (loud) beep();
  }

  async function ask() {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok) show(await answer.json());
    } catch (error) {
      // No connection for a moment: what was shown stays, and the next round asks again.
    }
  }

  function typing(target) {
    return target.closest("textarea, select, dialog, [contenteditable]") ||
      (target.matches("input") && !["radio", "checkbox", "button", "submit"].includes(target.type));
  }

  document.addEventListener("keydown", function (event) {
    if (event.key.toLowerCase() !== "e" || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (banner.hidden || link.hidden || typing(event.target)) return;
    event.preventDefault();
    link.click();
  });

  if (sound) sound.addEventListener("click", function () {
    try { window.localStorage.setItem(KEY, wantsSound() ? "tidak" : "ya"); } catch (error) { return; }
    showSound();
    beep();
  });

  showSound();
  if (loud && !banner.hidden) {
    blink();
    beep();
  } else {
    loud = false;
  }
  ask();
  window.setInterval(ask, EVERY);
})();
