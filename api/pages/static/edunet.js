// The life of the pages: ages that tick, the feed's own staleness, keys, theme, the live board. Reading works without it.
"use strict";
(() => {
  const body = document.body;
  const units = (body.dataset.units || "s|min|h|d").split("|");
  // Server time minus browser time, so that ages are right where the browser's clock is not.
  let offset = body.dataset.now ? Date.parse(body.dataset.now) - Date.now() : 0;
  const now = () => Date.now() + offset;

  function duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const parts = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60].map((value, at) => [value, units[3 - at]]);
    while (parts.length > 1 && parts[0][0] === 0) parts.shift();
    const shown = parts.slice(0, 2);
    return shown.filter(([value]) => value || shown.length === 1).map(([value, unit]) => value + " " + unit).join(" ") || "0 " + units[0];
  }

  function tick() {
    for (const age of document.querySelectorAll("[data-age]")) {
      const time = age.closest("time");
      const length = duration((now() - Date.parse(time.dateTime)) / 1000);
      const text = age.dataset.age === "ago" ? (body.dataset.ago || "{}").replace("{}", length) : length;
      if (age.textContent !== text) age.textContent = text;
    }
    judgeFeed();
  }

  // The board says itself that it is old, also where the server no longer answers.
  function judgeFeed() {
    const feed = document.getElementById("feed");
    const live = document.getElementById("live");
    const told = feed || live; // a wall has no header: there the board itself carries the time
    if (!told) return;
    const slack = 25;
    const at = told.dataset.at ? Date.parse(told.dataset.at) : 0;
    const old = (now() - at) / 1000 > Number(told.dataset.staleAfter) + slack;
    const stale = old || (live && live.dataset.stale === "1");
    body.classList.toggle("is-stale", Boolean(stale));
    for (const gone of document.querySelectorAll("[data-gone]")) gone.hidden = !old || live.dataset.stale === "1";
    if (stale && feed && !feed.classList.contains("is-stale")) {
      feed.classList.add("is-stale");
      const word = feed.querySelector(".word");
      if (word) word.textContent = feed.dataset.staleWord;
      say(feed.dataset.staleWord);
    }
  }

  function say(text) {
    const said = document.getElementById("said");
    if (said) said.textContent = text;
  }

  function refresh() {
    const live = document.getElementById("live");
    if (live && window.htmx) window.htmx.trigger(live, "refresh");
  }

  document.addEventListener("htmx:afterSwap", () => {
    const live = document.getElementById("live");
    const told = document.getElementById("feed") || live;
    if (told && told.dataset.server) offset = Date.parse(told.dataset.server) - Date.now();
    if (live) {
      const heading = live.querySelector("h1");
      if (heading && live.dataset.down !== body.dataset.down) {
        if (body.dataset.down !== undefined) say(heading.textContent);
        body.dataset.down = live.dataset.down;
      }
    }
    tick();
  });

  // What a person asked for and the server refused is said where they look; what pages ask by themselves is judged by its age.
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(name, (event) => {
      const config = event.detail.requestConfig || {};
      if (config.headers && config.headers["X-Refresh"]) return;
      const note = document.createElement("p");
      note.className = "banner bad";
      note.setAttribute("role", "alert");
      note.textContent = body.dataset.failed;
      const old = document.querySelector("[data-failure]");
      if (old) old.remove();
      note.dataset.failure = "";
      document.getElementById("main").prepend(note);
    });
  }

  function listen() {
    const live = document.getElementById("live");
    if (!live || live.dataset.alone !== undefined || !window.EventSource) return;
    body.dataset.down = live.dataset.down;
    let waiting = 0;
    const source = new EventSource("/api/v1/events");
    const soon = () => { if (!waiting) waiting = window.setTimeout(() => { waiting = 0; refresh(); }, 400); };
    source.addEventListener("tick", soon);
    source.addEventListener("feed", (event) => hearFeed(JSON.parse(event.data)));
    window.addEventListener("pagehide", () => source.close());
  }

  // A sign of life without a change: the board is as fresh as the oldest of its parts.
  function hearFeed(told) {
    const feed = document.getElementById("feed");
    const ages = Object.entries(told.at || {}).filter(([name]) => name === "judge" || name === "rounds").map(([, at]) => at).sort((a, b) => Date.parse(a) - Date.parse(b));
    offset = Date.parse(told.as_of) - Date.now();
    const live = document.getElementById("live");
    if (!live || !ages.length) return;
    if (told.stale !== body.classList.contains("is-stale")) { refresh(); return; }
    for (const shown of [feed, live]) if (shown) shown.dataset.at = ages[0];
    for (const stamp of document.querySelectorAll("[data-stamp]")) stamp.textContent = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: body.dataset.zone }).format(Date.parse(ages[0]));
    for (const time of document.querySelectorAll("time[data-feed]")) time.dateTime = ages[0];
    tick();
  }

  // ---- keys: / search, g b board, g s schools, ? help
  const goals = { b: "/", s: "/schools", l: "/lines", d: "/devices", r: "/regions" };
  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") {
      const find = document.getElementById("find");
      if (find) { event.preventDefault(); find.focus(); find.select(); }
    } else if (event.key === "?") {
      event.preventDefault();
      help();
    } else if (event.key === "g") {
      leader = Date.now();
    } else if (goals[event.key] && Date.now() - leader < 1500) {
      location.href = goals[event.key];
    }
  });

  function help() {
    const dialog = document.getElementById("help");
    if (dialog && !dialog.open) dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]") && document.getElementById("help")) { event.preventDefault(); help(); }
    for (const open of document.querySelectorAll(".tools details[open]")) if (!open.contains(event.target)) open.open = false;
    const choice = event.target.closest("[data-theme-choice]");
    if (choice) {
      // At once, without loading the page again; the cookie keeps it for the next one.
      event.preventDefault();
      fetch(choice.href, { redirect: "manual" });
      const name = choice.dataset.themeChoice;
      const root = document.documentElement;
      if (name === "auto") { delete root.dataset.theme; delete root.dataset.bsTheme; } else { root.dataset.theme = name; root.dataset.bsTheme = name; }
      for (const other of document.querySelectorAll("[data-theme-choice]")) other.toggleAttribute("aria-current", other === choice);
      document.dispatchEvent(new Event("themechange"));
    }
  });

  // Submit buttons that script makes needless.
  for (const plain of document.querySelectorAll("[data-plain]")) plain.hidden = true;
  document.addEventListener("htmx:afterSettle", () => { for (const plain of document.querySelectorAll("[data-plain]")) plain.hidden = true; });

  // Copying by a button; without script the text itself is selected by a click.
  function offerCopies() { for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false; }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    if (!source) return;
    const text = source.value !== undefined ? source.value : source.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // no clipboard without TLS
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("done");
    say(button.dataset.copied || button.textContent);
    window.setTimeout(() => button.classList.remove("done"), 2000);
  });
  document.addEventListener("htmx:afterSettle", offerCopies);
  offerCopies();

  window.setInterval(tick, 1000);
  tick();
  listen();
})();
