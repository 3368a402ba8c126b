// Puts a slider, and the frame that it chooses, in the place of the static picture. Each frame is an image of its own:
// nothing in it can run, and its names cannot collide with those of another picture.
(async () => {
  const figure = document.currentScript.parentNode.querySelector("figure[data-frames]");
  const { frames, label, start, play, says } = { ...figure.dataset };
  figure.removeAttribute("data-frames"); // the next script takes the next figure
  const zipped = Uint8Array.from(atob(frames), (c) => c.charCodeAt(0));
  const unzipped = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const parts = await new Response(unzipped).json();
  const told = JSON.parse(says), still = figure.querySelector("img"), live = still.cloneNode();
  const controls = figure.querySelector("figcaption");
  // JupyterLab would take the arrow keys for itself: data-lm-suppress-shortcuts forbids it.
  controls.innerHTML = `
    <style>@media screen { .moving-still { display: none } } @media print { .moving-live { display: none } }</style>
    <div style="display: flex; gap: .7em; align-items: center">
      <button type="button" data-lm-suppress-shortcuts>Play</button>
      <label style="display: flex; flex: 1; gap: .7em; align-items: center"><span></span>
        <input type="range" min="0" data-lm-suppress-shortcuts style="flex: 1"></label>
      <b aria-hidden="true" style="min-width: 3em"></b>
    </div>
    <div aria-live="polite" style="min-height: 3em"></div>`;
  const [button, name, slider, value, spoken] = ["button", "span", "input", "b", "[aria-live]"].map((tag) => controls.querySelector(tag));
  name.textContent = label;
  slider.max = told.length - 1;
  slider.value = start;
  button.hidden = !play || matchMedia("(prefers-reduced-motion: reduce)").matches;
  let clock = 0;
  const show = () => {
    const k = +slider.value, svg = parts.filter(([frame]) => frame < 0 || frame === k).map(([, text]) => text);
    live.src = "data:image/svg+xml," + encodeURIComponent(svg.join(""));
    [value.textContent, spoken.textContent] = told[k];
    slider.setAttribute("aria-valuetext", told[k][0]);
  };
  const stop = () => {
    clearInterval(clock);
    clock = 0;
    button.textContent = "Play";
    spoken.setAttribute("aria-live", "polite");
  };
  const step = () => {
    if (!figure.isConnected || slider.value === slider.max) return stop();
    slider.stepUp();
    show();
    if (slider.value === slider.max) stop();
  };
  slider.oninput = () => { stop(); show(); };
  button.onclick = () => {
    if (clock) return stop();
    if (slider.value === slider.max) slider.value = 0;
    button.textContent = "Pause";
    spoken.setAttribute("aria-live", "off"); // the end is told, not every frame
    clock = setInterval(step, Math.min(400, Math.max(80, 6000 / told.length)));
  };
  show();
  still.classList.add("moving-still");
  live.classList.add("moving-live");
  controls.classList.add("moving-live");
  still.after(live);
})();
