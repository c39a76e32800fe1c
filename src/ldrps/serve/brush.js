// Drawing over a picture: red is lost and will be filled, blue stays as it is.
() => {
  const COLOURS = { lost: "rgb(224 36 36)", kept: "rgb(36 96 224)" };
  const paper = () => document.querySelector(".paper canvas");
  let kind = "lost";
  let cursor = null; // of the keyboard, in pixels of the canvas
  let last = null; // where the pointer was, while it is down

  const width = (canvas) => {
    const slider = document.querySelector("[data-brush-width]");
    return (Number(slider.value) / 400) * Math.max(canvas.width, canvas.height);
  };

  const stroke = (canvas, from, to) => {
    const context = canvas.getContext("2d");
    context.globalCompositeOperation = kind === "erase" ? "destination-out" : "source-over";
    context.strokeStyle = COLOURS[kind] ?? "black";
    context.lineWidth = width(canvas);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
  };

  const place = (canvas, event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * canvas.width,
      ((event.clientY - box.top) / box.height) * canvas.height,
    ];
  };

  const aim = (canvas) => {
    const ring = canvas.parentElement.querySelector(".aim");
    const size = (width(canvas) / canvas.width) * canvas.getBoundingClientRect().width;
    ring.hidden = document.activeElement !== canvas || cursor === null;
    if (ring.hidden) return;
    Object.assign(ring.style, {
      width: `${size}px`,
      height: `${size}px`,
      left: `${(100 * cursor[0]) / canvas.width}%`,
      top: `${(100 * cursor[1]) / canvas.height}%`,
    });
  };

  const prepare = () => {
    const canvas = paper();
    if (!canvas || canvas.dataset.ready) return;
    canvas.dataset.ready = "yes";
    kind = "lost";
    cursor = null;
    const image = canvas.parentElement.querySelector("img");
    const start = () => {
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
      if (!canvas.dataset.marks) return;
      const marks = new Image();
      marks.onload = () => canvas.getContext("2d").drawImage(marks, 0, 0, canvas.width, canvas.height);
      marks.src = canvas.dataset.marks;
    };
    if (image.complete && image.naturalWidth) start();
    else image.addEventListener("load", start, { once: true });

    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      last = place(canvas, event);
      stroke(canvas, last, last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = place(canvas, event);
      stroke(canvas, last, next);
      last = next;
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
    canvas.addEventListener("keydown", (event) => {
      const step = width(canvas) / 2;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      cursor ??= [canvas.width / 2, canvas.height / 2];
      if (moves[event.key]) {
        const [dx, dy] = moves[event.key];
        const next = [
          Math.min(canvas.width, Math.max(0, cursor[0] + dx)),
          Math.min(canvas.height, Math.max(0, cursor[1] + dy)),
        ];
        if (event.shiftKey) stroke(canvas, cursor, next);
        cursor = next;
      } else if (event.key === " " || event.key === "Enter") {
        stroke(canvas, cursor, cursor);
      } else {
        return;
      }
      event.preventDefault();
      aim(canvas);
    });
    for (const change of ["focus", "blur"]) canvas.addEventListener(change, () => aim(canvas));
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-brush]");
    const canvas = paper();
    if (!button || !canvas) return;
    if (button.dataset.brush === "clear") {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      return;
    }
    kind = button.dataset.brush;
    for (const each of document.querySelectorAll("[data-brush][aria-pressed]")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
  });

  const drawing = () => {
    const canvas = paper();
    if (!canvas) return "same"; // what was drawn before, if anything
    if (!canvas.width || !canvas.height) return "";
    const levels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (let place = 3; place < levels.length; place += 4) if (levels[place] > 127) return canvas.toDataURL("image/png");
    return "";
  };

  new MutationObserver(prepare).observe(document.body, { childList: true, subtree: true });
  window.ldrps = { ...window.ldrps, drawing };
}
