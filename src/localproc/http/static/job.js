// Keeps the page of a job up to date.
//
// The server knows how a job looks; so whenever something has happened, this fetches the page again
// and puts its live part in the place of the old. Steps that are open stay open.
"use strict";

const CLOCK = 2000; // ms between looks at what changes by itself: times and logs
const REST = 200; // ms from one look to the next at the least
const said = document.getElementById("said");
const job = live().dataset.job;
let source = null;
let clock = null;
let looking = false;
let wanted = false;

function live() {
  return document.getElementById("live");
}

function announce(text) {
  if (said.textContent !== text) said.textContent = text;
}

function start() {
  document.documentElement.classList.add("script");
  document.addEventListener("toggle", (event) => showLog(event.target), true);
  document.addEventListener("click", (event) => {
    if (event.target.id === "dismiss") dismiss(event.target);
  });
  if (!("final" in live().dataset)) follow();
}

function follow() {
  source = new EventSource(live().dataset.events);
  for (const kind of ["step", "status", "error"]) source.addEventListener(kind, look);
  clock = setInterval(() => document.hidden || isSelecting() || look(), CLOCK);
}

function stop() {
  if (source) source.close();
  clearInterval(clock);
  source = clock = null;
}

function isSelecting() {
  const selection = getSelection();
  return !selection.isCollapsed && live().contains(selection.anchorNode);
}

// Looking again

async function look() {
  wanted = true;
  if (looking) return;
  looking = true;
  while (wanted && source) {
    wanted = false;
    await lookOnce();
    await new Promise((resolve) => setTimeout(resolve, REST));
  }
  looking = false;
}

async function lookOnce() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!source) return; // dismissed meanwhile
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    else if (answer.status === 404 || answer.status === 410) leave();
  } catch {
    announce("The service does not answer.");
  }
}

function show(fresh) {
  const next = document.adoptNode(fresh.getElementById("live"));
  const focused = live().contains(document.activeElement) && selector(document.activeElement);
  for (const old of live().querySelectorAll("details[open]")) {
    const same = next.querySelector(`#${CSS.escape(old.id)}`);
    if (!same) continue;
    same.querySelector("pre").textContent = old.querySelector("pre").textContent;
    same.open = true; // which fetches its log again
  }
  live().replaceWith(next);
  // What had the focus may be gone, as a button is that was pressed: its place keeps it.
  if (focused) (next.querySelector(focused) ?? next.querySelector(".state")).focus();
  document.title = fresh.title;
  announce(`${next.dataset.status}: ${document.getElementById("message").textContent}`);
  if ("final" in next.dataset) stop();
}

// What finds the same element in the page as it will be.
function selector(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const step = element.closest("details");
  return (step ? `#${CSS.escape(step.id)} ` : "") + element.localName;
}

// Nothing of what the page shows is so any more: no state, no steps, nothing to dismiss.
function leave() {
  stop();
  const message = document.getElementById("message");
  const state = live().querySelector(".state");
  const focused = live().contains(document.activeElement);
  message.textContent = "This job is no longer here: it was dismissed or removed.";
  state.replaceChildren(message);
  live().replaceChildren(state);
  if (focused) state.focus();
  document.title = message.textContent;
  announce(message.textContent);
}

// Logs

async function showLog(details) {
  if (!details.open || !details.dataset.log) return;
  const answer = await fetch(`${details.dataset.log}?tail=20`);
  if (!answer.ok) return;
  const place = details.querySelector("pre");
  place.textContent = await answer.text();
  place.scrollTop = place.scrollHeight;
}

// Dismissing

// The answer is the page as it is now, which may be the last time that there is one.
async function dismiss(button) {
  if (button.ariaDisabled) return;
  button.ariaDisabled = "true"; // not disabled, or it would lose the focus
  announce("Dismissing ...");
  stop();
  try {
    const answer = await fetch(job, { method: "DELETE", headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) return refused(button, page.querySelector("h1").textContent);
    show(page);
  } catch {
    return refused(button, "The service does not answer.");
  }
  if (!("final" in live().dataset)) follow();
}

function refused(button, text) {
  announce(text);
  document.getElementById("message").textContent = text;
  button.ariaDisabled = null;
  follow();
}

start();
