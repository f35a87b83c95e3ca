// purser's pages work without this file. It makes them quicker: forms and links that name a part of the page replace only
// that part, buttons say that something is under way, charts answer to the pointer and the arrow keys.
"use strict";
(() => {
  const say = (text) => {
    const at = document.getElementById("live");
    if (at) { at.textContent = ""; setTimeout(() => { at.textContent = text; }, 50); }
  };
  const words = document.documentElement.dataset;

  document.addEventListener("click", (e) => {
    const b = e.target.closest("button");
    if (b && b.form) { b.form._by = b; }
  });

  // What cannot be undone wants its button pressed twice within a few seconds; without this file once.
  document.addEventListener("click", (e) => {
    const b = e.target.closest("button[data-sure]");
    if (!b || b.dataset.asked) { return; }
    e.preventDefault();
    const text = b.textContent;
    b.dataset.asked = "yes";
    b.textContent = b.dataset.sure;
    b.classList.add("asked");
    say(b.dataset.sure);
    setTimeout(() => {
      if (b.form.getAttribute("aria-busy") === "true") { return; }
      delete b.dataset.asked;
      b.textContent = text;
      b.classList.remove("asked");
    }, 6000);
  }, true);

  // swap fetches an address and takes the named part of it.
  let latest = 0;
  const swap = async (url, part, keepFocus) => {
    const mine = ++latest;
    const old = document.getElementById(part);
    old.setAttribute("aria-busy", "true");
    say(words.working);
    let text;
    try {
      const r = await fetch(url, { headers: { "X-Portal-Part": part }, credentials: "same-origin" });
      if (r.redirected && new URL(r.url).pathname === "/signin") { location.href = r.url; return; }
      text = await r.text();
    } catch {
      old.setAttribute("aria-busy", "false");
      say(words.offline);
      return;
    }
    if (mine !== latest) { return; }
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById(part);
    if (!fresh) { location.href = url; return; }
    const focused = keepFocus && document.activeElement && document.activeElement.id;
    old.replaceWith(document.adoptNode(fresh));
    const calls = page.getElementById("calls"), shown = document.getElementById("calls");
    if (calls && shown && !fresh.contains(calls)) { const open = shown.open; shown.replaceWith(document.adoptNode(calls)); document.getElementById("calls").open = open; }
    history.replaceState(null, "", url);
    if (focused) { const f = document.getElementById(focused); if (f) { f.focus(); } }
    say(words.updated);
  };

  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (form.getAttribute("aria-busy") === "true") { e.preventDefault(); return; }
    const by = e.submitter || form._by;
    if (form.dataset.part && form.method === "get" && document.getElementById(form.dataset.part)) {
      e.preventDefault();
      const q = new URLSearchParams(new FormData(form));
      if (by && by.name) { q.set(by.name, by.value); }
      for (const [k, value] of [...q]) { if (value === "") { q.delete(k); } }
      swap(form.action.split("?")[0] + "?" + q, form.dataset.part, true);
      return;
    }
    if (form.method === "post") {
      form.setAttribute("aria-busy", "true");
      setTimeout(() => {
        for (const b of form.querySelectorAll("button")) { b.setAttribute("aria-disabled", "true"); }
        if (by) { by.dataset.was = by.textContent; by.textContent = words.working; }
      }, 0);
      say(words.working);
    }
  });
  // Coming back with the browser's button finds the forms usable.
  addEventListener("pageshow", (e) => {
    if (!e.persisted) { return; }
    for (const f of document.querySelectorAll("form[aria-busy=true]")) {
      f.setAttribute("aria-busy", "false");
      for (const b of f.querySelectorAll("button")) { b.removeAttribute("aria-disabled"); if (b.dataset.was) { b.textContent = b.dataset.was; } }
    }
  });
  document.addEventListener("click", (e) => {
    const a = e.target.closest("a[data-part]");
    if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button) { return; }
    if (!document.getElementById(a.dataset.part)) { return; }
    e.preventDefault();
    swap(a.href, a.dataset.part, true);
  });
  // A time range shows from when to when it is.
  document.addEventListener("change", (e) => {
    const hours = e.target.name === "span" && { "1h": 1, "1d": 24, "1w": 168 }[e.target.value];
    const { from, until } = hours ? e.target.form.elements : {};
    if (from && until && until.value) { from.value = new Date(new Date(until.value + "Z") - hours * 3600e3).toISOString().slice(0, 16); }
  });
  // A change of a choice sends its form, where the form says so.
  let typing;
  document.addEventListener("change", (e) => {
    const form = e.target.closest("form[data-auto]");
    if (form && form.method === "get") { form.requestSubmit(); }
  });
  document.addEventListener("input", (e) => {
    if (e.target.type !== "search") { return; }
    const form = e.target.closest("form[data-auto]");
    if (!form) { return; }
    clearTimeout(typing);
    typing = setTimeout(() => form.requestSubmit(), 300);
  });

  // One box for all.
  document.addEventListener("change", (e) => {
    const all = e.target.closest("input[data-all]");
    if (!all) { return; }
    for (const box of document.querySelectorAll("input[name=" + JSON.stringify(all.dataset.all) + "]")) { if (!box.disabled) { box.checked = all.checked; } }
  });

  // What goes on by itself comes anew every two seconds, for as long as the server says so and somebody looks.
  const again = () => setTimeout(async () => {
    const old = document.querySelector("[data-again]");
    if (!old) { return; }
    if (!document.hidden) {
      try {
        const r = await fetch(location.href, { headers: { "X-Portal-Part": old.id }, credentials: "same-origin" });
        const fresh = new DOMParser().parseFromString(await r.text(), "text/html").getElementById(old.id);
        if (fresh && old.isConnected) { old.replaceWith(document.adoptNode(fresh)); }
      } catch { /* the server is away: the next time */ }
    }
    again();
  }, 2000);
  if (document.querySelector("[data-again]")) { again(); }

  // Values of charts.
  let tip;
  const show = (el) => {
    const text = el.dataset.tip;
    if (!text) { return; }
    if (!tip) { tip = document.createElement("div"); tip.className = "tip"; tip.setAttribute("aria-hidden", "true"); document.body.append(tip); }
    tip.textContent = text;
    const r = el.getBoundingClientRect();
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(innerWidth - tip.offsetWidth - 4, r.left + r.width / 2 - tip.offsetWidth / 2)) + "px";
    tip.style.top = (r.top + scrollY - tip.offsetHeight - 6) + "px";
  };
  const unshow = () => { if (tip) { tip.hidden = true; } };
  document.addEventListener("pointerover", (e) => { const el = e.target.closest("[data-tip]"); if (el) { show(el); } else { unshow(); } });
  document.addEventListener("keydown", (e) => {
    const copy = e.target.closest("svg.chart");
    if (!copy || (e.key !== "ArrowRight" && e.key !== "ArrowLeft")) { return; }
    const all = [...copy.querySelectorAll("[data-tip]")];
    if (all.length === 0) { return; }
    e.preventDefault();
    let i = all.indexOf(copy._at) + (e.key === "ArrowRight" ? 1 : -1);
    i = Math.max(0, Math.min(all.length - 1, i));
    copy._at = all[i];
    show(all[i]);
    say(all[i].dataset.tip);
  });

  document.addEventListener("click", async (e) => {
    const b = e.target.closest("button[data-copy]");
    if (!b) { return; }
    const from = document.getElementById(b.dataset.copy);
    try { await navigator.clipboard.writeText(from.textContent); say(words.copied); b.textContent = words.copied; } catch { say(words.offline); }
  });
  document.documentElement.classList.add("js");
})();
