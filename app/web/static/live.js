// Keeps an open run page up to date. It asks for the page that is open, and puts what differs in the
// place of what is there: opened nodes stay open, and the focus stays where it is.
"use strict";

(() => {
  const EVERY_MS = 3000;
  const LONGEST_MS = 60000;
  const SETTLED = "no";

  let wait = EVERY_MS;
  let tag = "";

  const main = () => document.getElementById("main");

  function showTools() {
    for (const tools of document.querySelectorAll("[data-tools]")) tools.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-open]");
    if (!button) return;
    for (const one of document.querySelectorAll("#part-tree details")) {
      one.open = button.dataset.open === "yes";
    }
  });

  // A link to a node opens it, and all that it is in.
  function openTarget() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || !target.closest("#part-tree")) return;
    for (let one = target; one; one = one.parentElement.closest("details")) one.open = true;
    target.scrollIntoView({ block: "center" });
    target.querySelector("summary").focus({ preventScroll: true });
  }

  // What has the focus, in words that mean the same in another copy of the page.
  function focusedIn(part) {
    const active = document.activeElement;
    if (!active || !part.contains(active)) return null;
    const node = active.closest("details[id]");
    if (active.tagName === "SUMMARY" && node) return { node: node.id };
    if (active.tagName === "A") return { node: node && node.id, href: active.getAttribute("href") };
    return active.id ? { id: active.id } : null;
  }

  function focusAgain(part, what) {
    const node = what.node && document.getElementById(what.node);
    let again = null;
    if (what.href) {
      const links = Array.from((node || part).querySelectorAll("a[href]"));
      again = links.find((one) => one.getAttribute("href") === what.href);
    } else {
      again = node ? node.querySelector("summary") : what.id && document.getElementById(what.id);
    }
    if (again) again.focus({ preventScroll: true });
  }

  function selects(part) {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  }

  function replace(part, next) {
    for (const open of part.querySelectorAll("details[id][open]")) {
      const same = next.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = true;
    }
    if (part.isEqualNode(next) || selects(part)) return;
    const focus = focusedIn(part);
    const fresh = document.importNode(next, true);
    part.replaceWith(fresh);
    if (focus) focusAgain(fresh, focus);
  }

  function take(page) {
    const next = page && page.getElementById("main");
    if (!next) return;
    for (const part of next.querySelectorAll("[id^=part-]")) {
      const here = document.getElementById(part.id);
      if (!here || part.id === "part-offline") continue;
      // The same element with another text: that is what screen readers tell.
      if (part.id === "part-progress") {
        if (here.textContent !== part.textContent) here.textContent = part.textContent;
        here.className = part.className;
      } else {
        replace(here, part);
      }
    }
    main().dataset.live = next.dataset.live;
    showTools();
  }

  function ask() {
    if (document.hidden) return later();
    const request = new XMLHttpRequest();
    request.open("GET", location.pathname + location.search);
    request.responseType = "document"; // parsed, and nothing in it is run
    if (tag) request.setRequestHeader("If-None-Match", tag);
    request.onload = () => {
      const offline = document.getElementById("part-offline");
      if (request.status === 200 || request.status === 304) {
        wait = EVERY_MS;
        offline.hidden = true;
        if (request.status === 200) {
          tag = request.getResponseHeader("ETag") || "";
          take(request.response);
        }
        return main().dataset.live === SETTLED ? undefined : later();
      }
      offline.hidden = false;
      if (request.status >= 500) later(true);
    };
    request.onerror = request.ontimeout = () => {
      document.getElementById("part-offline").hidden = false;
      later(true);
    };
    request.timeout = LONGEST_MS;
    request.send();
  }

  function later(failed) {
    if (failed) wait = Math.min(wait * 2, LONGEST_MS);
    setTimeout(ask, wait);
  }

  showTools();
  openTarget();
  addEventListener("hashchange", openTarget);
  if (main().dataset.live !== SETTLED) later();
})();
