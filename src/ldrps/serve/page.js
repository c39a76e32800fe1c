// What the page does in the browser by itself: it draws the line between before and after, and tells what of the
// findings is switched on.
() => {
  const findings = (element) => {
    const box = element.querySelector("[data-number]");
    const wanted = { number: Number(box.dataset.number), strengths: {}, filled: false, suspects: false };
    for (const toggle of box.querySelectorAll("[data-switch]")) {
      const part = toggle.dataset.switch;
      const slider = box.querySelector(`[data-part=${part}]`);
      if (slider) wanted.strengths[part] = toggle.checked ? Number(slider.value) / 100 : 0;
      else wanted[part === "holes" ? "filled" : part] = toggle.checked;
    }
    return wanted;
  };

  let at = "50";
  const draw = () => {
    for (const pair of document.querySelectorAll(".compare .pair")) {
      pair.style.setProperty("--at", `${at}%`);
      const line = pair.querySelector("input");
      if (line.value !== at) line.value = at;
    }
  };

  document.addEventListener("input", ({ target }) => {
    if (target.matches(".compare .pair input")) {
      at = target.value;
      draw();
    } else if (target.matches(".finding [data-part]")) {
      const row = target.closest(".finding");
      row.querySelector("output").textContent = `${target.value}%`;
      row.querySelector("[data-switch]").checked = Number(target.value) > 0;
    } else if (target.matches(".finding [data-switch]")) {
      const row = target.closest(".finding");
      const slider = row.querySelector("[data-part]");
      if (!slider) return;
      if (target.checked && slider.value === "0") slider.value = "100";
      row.querySelector("output").textContent = `${target.checked ? slider.value : 0}%`;
    }
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest(".compare [data-do]");
    if (!button) return;
    const figure = button.closest(".compare");
    if (button.dataset.do === "marks") {
      const marks = figure.querySelector(".marks");
      marks.hidden = !marks.hidden;
      button.setAttribute("aria-pressed", String(!marks.hidden));
    } else if (button.dataset.do === "large") {
      if (document.fullscreenElement) document.exitFullscreen();
      else figure.requestFullscreen?.();
    }
  });

  // Gradio calls the place to drop pictures on something else than what stands on it.
  const name = () => document.querySelector("#files button[aria-label]")?.removeAttribute("aria-label");

  // Nor are its radio buttons one group, in which arrow keys go from one to the next, or said to be one; and whichever
  // changes has another name again.
  const group = () => {
    for (const radio of document.querySelectorAll("fieldset[id] input[type=radio]")) {
      const fieldset = radio.closest("fieldset");
      if (radio.name === fieldset.id) continue;
      radio.name = fieldset.id;
      fieldset.ariaLabel = fieldset.querySelector("[data-testid=block-info]")?.textContent ?? null;
    }
  };

  const mend = () => { draw(); name(); group(); };
  const watched = { childList: true, subtree: true, attributes: true, attributeFilter: ["name", "aria-label"] };
  new MutationObserver(mend).observe(document.body, watched);
  // By a link: going there would end the visit, as far as Gradio can see.
  const download = (place) => {
    if (place) Object.assign(document.createElement("a"), { href: place, download: "" }).click();
  };

  window.ldrps = { ...window.ldrps, findings, download };
}
