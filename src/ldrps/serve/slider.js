// Gradio's slider listens to a pointer alone: this gives its handle a name, a place in the order of Tab, and arrow keys.
() => {
  const handle = () => document.querySelector("#slider [data-testid=slider]");

  const box = (element) => element.getBoundingClientRect();

  const drag = (element, from, to, y) => {
    const send = (target, type, x) => target.dispatchEvent(
      new MouseEvent(type, { bubbles: true, cancelable: true, view: window, clientX: x, clientY: y }));
    send(element, "mousedown", from);
    send(window, "mousemove", to);
    send(window, "mouseup", to);
  };

  // Gradio sometimes measures before the pictures are laid out, and leaves the line at their edge. Once somebody has
  // moved the line it is theirs; and a drag in their midst would swallow a click.
  let moved = false;
  const centre = () => {
    const found = handle();
    if (!found || moved) return;
    const [line, picture] = [box(found), box(document.querySelector("#slider img"))];
    const [from, to] = [line.left + line.width / 2, picture.left + picture.width / 2];
    if (Math.abs(from - to) > 0.03 * picture.width) drag(found, from, to, line.top + line.height / 2);
  };

  const describe = () => {
    const found = handle();
    if (!found || found.tabIndex === 0) return;
    moved = false;
    found.tabIndex = 0;
    found.setAttribute("role", "slider");
    found.setAttribute("aria-label", "Line between before and after");
    found.setAttribute("aria-valuemin", "0");
    found.setAttribute("aria-valuemax", "100");
    found.setAttribute("aria-valuenow", "50");
    document.querySelectorAll("#slider img").forEach((image, n) => {
      image.alt = n ? "After" : "Before";
      image.addEventListener("load", () => setTimeout(centre, 100), { once: true });
    });
    setTimeout(centre, 300);
  };

  document.addEventListener("keydown", (event) => {
    const found = handle();
    const step = { ArrowLeft: -0.05, ArrowRight: 0.05, Home: -1, End: 1 }[event.key];
    if (!step || document.activeElement !== found) return;
    event.preventDefault();
    moved = true;
    const [line, picture] = [box(found), box(document.querySelector("#slider img"))];
    const from = line.left + line.width / 2;
    const to = Math.min(picture.right, Math.max(picture.left, from + step * picture.width));
    drag(found, from, to, line.top + line.height / 2);
    found.setAttribute("aria-valuenow", String(Math.round(100 * (to - picture.left) / picture.width)));
  });
  document.addEventListener("pointerdown", (event) => {
    moved ||= event.target.closest("#slider") !== null;
  }, true);
  new MutationObserver(describe).observe(document.body, { childList: true, subtree: true });
}
