// What a tab is known by: one that is loaded again has its pictures still, and another one has its own.
() => {
  const name = "ldrps-visit";
  let known = null;
  try { known = sessionStorage.getItem(name); } catch { /* a browser that keeps nothing */ }
  if (!known) {
    known = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    try { sessionStorage.setItem(name, known); } catch { /* the same */ }
  }
  return [known];
}
