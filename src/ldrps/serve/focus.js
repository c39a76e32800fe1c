// Where the focus goes when what had it is taken away or switched off: browsers leave it nowhere, and whoever goes by
// keyboard or hears the page read would have to begin at its top.
() => {
  const REST = 150; // milliseconds for which the page must rest, as its parts change one after the other
  // By the place of what had the focus: where the work goes on. The first that is there and can be used is taken.
  const NEXT = {
    "#files": ["#files button"],
    "#restore": ["#stop", ".compare .pair input", "#restore"],
    "#stop": [".compare .pair input", "#restore"],
    "#clear": ["#files button"],
    "#forget": ["#files button"],
    "#examples": ["#restore"],
    ".compare [data-do=draw]": [".brush[open] + .paper canvas", ".compare [data-do=draw]", ".brush summary"],
    ".compare": [".compare .pair input", "#restore"],
    ".findings": [".compare .pair input"],
    ".gallery": [".gallery [aria-pressed=true]", "#files button"],
  };
  let held = null; // what had the focus last, and was not left on purpose
  let next = [];
  let waiting = 0;

  const usable = (element) => element?.isConnected && !element.disabled && element.checkVisibility();
  const itself = (element) => {
    for (const name of ["part", "switch", "do"]) if (element.dataset[name]) return [`[data-${name}=${element.dataset[name]}]`];
    return [];
  };

  document.addEventListener("focusin", ({ target }) => {
    held = target;
    const place = Object.keys(NEXT).find((one) => target.closest(one));
    next = [...itself(target), ...(NEXT[place] ?? [])];
  });
  // Left for a place that cannot have the focus, while it could have kept it, then and a moment later: the visitor's own
  // wish. Some browsers say so of what is just being taken away, too, and a busy one has it back by then.
  document.addEventListener("focusout", ({ target }) => {
    if (usable(target)) setTimeout(() => {
      if (held === target && document.hasFocus() && document.activeElement === document.body && usable(target)) held = null;
    });
  });

  const mend = () => {
    if (held === null || usable(held) || (document.activeElement && document.activeElement !== document.body)) return;
    const found = next.map((one) => document.querySelector(one)).find(usable);
    if (found) found.focus({ focusVisible: keyboard, preventScroll: !keyboard });
  };

  let keyboard = false; // how the page was used last
  document.addEventListener("keydown", (event) => {
    keyboard = true;
    // A key that is held down on Restore would press Stop, which takes its place.
    if (event.repeat && event.key === "Enter" && event.target.closest("#stop")) event.preventDefault();
  }, true);
  document.addEventListener("pointerdown", () => { keyboard = false; }, true);

  new MutationObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(mend, REST);
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "class", "style"] });
}
