// Copy buttons, and live refresh: a pulse from the server makes the page fetch itself anew and
// put the new content in the place of the old. Without this script the page works the same.
"use strict";

(() => {
  const EVERY = 60000; // milliseconds: how old a "3 minutes ago" may get
  const live = document.getElementById("live");
  let connection = "";
  let refreshing = false;
  let fetched = Date.now();

  function say(words) {
    if (live && live.textContent !== words) live.textContent = words;
  }

  function connected(words) {
    connection = words;
    say(words);
  }

  function showCopyButtons(root) {
    for (const button of root.querySelectorAll("button.copy")) button.hidden = false;
  }

  function textOf(button) {
    const code = button.closest(".command, .box").querySelector("code");
    return code.textContent;
  }

  function copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  async function copy(button) {
    const text = textOf(button);
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyBySelection(text);
      button.focus();
    }
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    say(done ? "copied" : "it could not be copied");
    setTimeout(() => {
      button.textContent = "Copy";
      say(connection);
    }, 2000);
  }

  function isBusy(main) {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && main.contains(selection.anchorNode)) return true;
    const field = document.activeElement;
    return field && main.contains(field) && field.matches("input, select, textarea");
  }

  function pathOf(element, root) {
    const path = [];
    for (let one = element; one && one !== root; one = one.parentElement) {
      path.unshift([...one.parentElement.children].indexOf(one));
    }
    return path;
  }

  function follow(path, root) {
    return path.reduce((one, index) => one && one.children[index], root);
  }

  function swap(main, fresh) {
    const open = [...main.querySelectorAll("details")].map((one) => one.open);
    const focused = main.contains(document.activeElement)
      ? pathOf(document.activeElement, main) : null;
    main.replaceChildren(...fresh.childNodes);
    main.dataset.pulse = fresh.dataset.pulse;
    const details = main.querySelectorAll("details");
    if (details.length === open.length) details.forEach((one, n) => { one.open = open[n]; });
    if (focused) {
      const place = follow(focused, main);
      if (place) place.focus({ preventScroll: true });
    }
    showCopyButtons(main);
  }

  async function refresh() {
    const main = document.getElementById("main");
    if (refreshing || document.hidden || isBusy(main)) return;
    refreshing = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) {
        location.reload();
        return;
      }
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (!fresh) return;
      document.title = page.title;
      swap(main, fresh);
      for (const part of ["header.top nav", "footer p"]) {
        const old = document.querySelector(part);
        const other = page.querySelector(part);
        if (old && other && !old.contains(document.activeElement)) old.replaceWith(other);
      }
      fetched = Date.now();
    } catch {
      connected("not connected");
    } finally {
      refreshing = false;
    }
  }

  function listen() {
    const source = new EventSource("/live");
    source.addEventListener("pulse", (event) => {
      connected("live");
      const main = document.getElementById("main");
      if (event.data && event.data !== main.dataset.pulse) refresh();
    });
    source.addEventListener("error", () => connected("not connected"));
    addEventListener("pagehide", () => source.close());
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - fetched > EVERY) refresh();
  });
  setInterval(refresh, EVERY);
  showCopyButtons(document);
  listen();
})();
