"use strict";
// Everything here is comfort: without it every row and every file is still there.

document.documentElement.classList.add("js");

function element(tag, words, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = words;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// The first number of a cell: "41 %", "1,234", "4/255", "−0.5", "∞". What has none comes last, whichever way a column is sorted.
function numberOf(words) {
  if (words.includes("∞")) return words.includes("-∞") || words.includes("−∞") ? -Infinity : Infinity;
  const found = words.replace(/−/g, "-").replace(/(\d),(?=\d{3})/g, "$1").match(/-?\d+(\.\d+)?(e[-+]?\d+)?/i);
  return found ? Number(found[0]) : NaN;
}

function compareNumbers(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function makeGrid(table) {
  const box = table.parentElement;
  const step = Number(table.dataset.step);
  const body = table.tBodies[0];
  if (!body) return;
  const rows = [...table.querySelectorAll("tbody > tr")];
  const heads = [...table.tHead.rows[0].cells];
  const collator = new Intl.Collator("en", { numeric: true });
  const keys = new Map();
  let limit = step;
  let view = rows;
  let sorted = null;
  let wanted = "";

  const count = element("p", "", { class: "count", role: "status" });
  const more = element("p", "", { class: "more" });
  const next = element("button", "", { type: "button" });
  const all = element("button", "", { type: "button" });
  more.append(next, " ", all);

  function draw() {
    const shown = Math.min(limit, view.length);
    const part = document.createDocumentFragment();
    for (let i = 0; i < shown; i += 1) part.append(view[i]);
    body.replaceChildren(part);
    const found = wanted ? `${view.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows match` : "";
    const cut = shown < view.length ? `${shown.toLocaleString("en")} of ${view.length.toLocaleString("en")} rows shown` : "";
    const words = [found, cut].filter(Boolean).join("; ") || `${rows.length.toLocaleString("en")} rows`;
    if (count.textContent !== words) count.textContent = words;
    more.hidden = shown === view.length;
    next.textContent = `Show ${Math.min(step, view.length - shown).toLocaleString("en")} more`;
    all.textContent = `Show all ${view.length.toLocaleString("en")}`;
  }

  function grow(to) {
    limit = to;
    draw();
  }

  function keyed(column, kind) {
    if (!keys.has(column)) {
      const values = new Map();
      for (const row of rows) {
        const words = row.cells[column].textContent.trim();
        values.set(row, kind === "number" ? numberOf(words) : words);
      }
      keys.set(column, values);
    }
    return keys.get(column);
  }

  function arrange() {
    view = wanted ? rows.filter((row) => searched(row).includes(wanted)) : [...rows];
    if (sorted) {
      const values = keyed(sorted.column, sorted.kind);
      const compare = sorted.kind === "number" ? compareNumbers : collator.compare;
      const last = (value) => value === "" || value === "–" || Number.isNaN(value);
      view.sort((a, b) => {
        const [left, right] = [values.get(a), values.get(b)];
        if (last(left) || last(right)) return Number(last(left)) - Number(last(right));
        return sorted.sign * compare(left, right);
      });
    }
    limit = step;
    draw();
    box.scrollTop = 0;
  }

  const texts = new Map();
  function searched(row) {
    if (!texts.has(row)) texts.set(row, [...row.cells].map((cell) => cell.textContent).join("\n").toLowerCase());
    return texts.get(row);
  }

  heads.forEach((head, column) => {
    const button = element("button", "", { type: "button" });
    button.append(...head.childNodes, element("span", "", { class: "way", "aria-hidden": "true" }));
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      for (const other of heads) other.setAttribute("aria-sort", "none");
      const after = { none: "ascending", ascending: "descending", descending: "none" }[before];
      head.setAttribute("aria-sort", after);
      sorted = after === "none" ? null : { column, kind: head.dataset.sort, sign: after === "ascending" ? 1 : -1 };
      arrange();
    });
  });

  if ("filter" in table.dataset) {
    const tools = element("div", "", { class: "tools" });
    const label = element("label", "Filter rows ");
    const input = element("input", "", { type: "search", autocomplete: "off", spellcheck: "false" });
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        wanted = input.value.trim().toLowerCase();
        arrange();
      }, 120);
    });
    label.append(input);
    tools.append(label, count);
    box.before(tools);
    box.after(more);
    next.addEventListener("click", () => grow(limit + step));
    all.addEventListener("click", () => grow(Infinity));
    box.addEventListener("scroll", () => {
      const near = box.scrollTop + box.clientHeight > box.scrollHeight - 400;
      if (near && box.scrollTop > 0 && limit < view.length) grow(limit + step);
    });
    for (const later of [...table.tBodies].slice(1)) later.remove();
    draw();
  }
}

// Only boxes that can be scrolled need to be reached by the keyboard.
function watchBox(box) {
  new ResizeObserver(() => {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }).observe(box);
}

// Some browsers refuse to save from long data addresses; a blob has no such limit.
function makeBlob(link) {
  link.addEventListener("click", () => {
    const address = link.getAttribute("href");
    if (!address.startsWith("data:")) return;
    const comma = address.indexOf(",");
    const raw = atob(address.slice(comma + 1));
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    link.href = URL.createObjectURL(new Blob([bytes], { type: address.slice(5, address.indexOf(";")) }));
  });
}

// The contents show where the reader is.
function followReader() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver(
    (seen) => {
      for (const one of seen) {
        const link = links.get(one.target.getAttribute("aria-labelledby"));
        if (!link) continue;
        if (one.isIntersecting) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-15% 0px -80% 0px" },
  );
  for (const section of document.querySelectorAll("main > section")) watcher.observe(section);
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.grid").forEach(makeGrid);
  document.querySelectorAll(".scroll[tabindex]").forEach(watchBox);
  document.querySelectorAll("a[download]").forEach(makeBlob);
  followReader();
});
