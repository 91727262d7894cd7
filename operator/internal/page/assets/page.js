// The Fleet page. Everything that comes from the operator is set as text; nothing is ever made of it.
"use strict";

const PAGE = 100; // Machines on a page
const $ = (id) => document.getElementById(id);

const state = {
  clusters: new Map(), machines: new Map(), history: [], scope: null,
  hiddenFor: 60000, // milliseconds after which a page that nobody sees stops listening
  filter: { q: "", cluster: "", phase: "", namespace: "", wrong: false, sort: "ready", page: 1, open: "" },
};

// el makes an element with properties, attributes (data-*, aria-*, scope) and children: texts or elements.
function el(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (key.includes("-") || key === "scope") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// ---- times, sizes, words

const clockAhead = { by: 0 }; // how far the operator's clock is ahead of this one, in milliseconds

function ago(iso) {
  const seconds = Math.max(0, Math.round((Date.now() + clockAhead.by - Date.parse(iso)) / 1000));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * length) return Math.floor(seconds / length) + " " + unit;
  }
  return seconds + " s";
}

function timeEl(iso) {
  if (!iso) return "";
  return el("time", { dateTime: iso, title: new Date(iso).toLocaleString() }, ago(iso));
}

const gib = (bytes) => (bytes / 2 ** 30).toFixed(bytes % 2 ** 30 ? 1 : 0) + " GiB";
const cpus = (milli) => (milli / 1000).toFixed(milli % 1000 ? 1 : 0) + " CPU";

const mood = (status) => ({ True: "good", False: "bad" })[status] || "doubt";
const clusterMood = (phase) => ({ Ready: "good", Failed: "bad" })[phase] || "doubt";
const word = (text, kind) => el("span", { className: kind }, text);

const keyOf = (machine) => machine.namespace + "/" + machine.name;

// ---- rows that stay: a cell is made anew only when what it shows has changed

function fillRows(tbody, items, cells) {
  while (tbody.rows.length > items.length) tbody.deleteRow(-1);
  items.forEach((item, at) => {
    const row = tbody.rows[at] || tbody.insertRow();
    cells(item).forEach(([shows, make, className], column) => {
      let cell = row.cells[column];
      if (!cell) {
        cell = column ? el("td") : el("th", { scope: "row" });
        if (className) cell.className = className;
        row.append(cell);
      }
      if (cell.shows === shows) return;
      const focused = cell.contains(document.activeElement);
      cell.shows = shows;
      cell.replaceChildren(...[make()].flat());
      if (focused) cell.querySelector("button, a")?.focus();
    });
    const key = item.key || keyOf(item);
    if (row.shownKey !== key) row.classList.remove("new");
    row.shownKey = key;
    row.classList.toggle("new", Boolean(item.isNew));
  });
}

const plain = (text, className) => [String(text || ""), () => [text || "—"], className];
const since = (iso) => [iso || "", () => (iso ? [timeEl(iso)] : ["—"])];

// clipped shows a few lines; details have the rest.
const clipped = (text, className) => [text, () => [el("span", { className: "clip", title: text }, text)], className];

// ---- clusters

function clusterCells(cluster) {
  const counts = countsOf(cluster.name);
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const vitals = cluster.vitals || {};
  const room = vitals.room ? cpus(vitals.room.milliCPU) + ", " + gib(vitals.room.memoryBytes) + " free" : "";
  const findings = cluster.findings || [];
  const stateText = [cluster.connection || cluster.phase, cluster.phase, cluster.paused, cluster.deleting].join();
  return [
    [cluster.name, () => [openButton("cluster/" + cluster.name, cluster.name)], "short"],
    [stateText, () => [
      word(cluster.connection || cluster.phase, clusterMood(cluster.phase)),
      el("span", { className: "quiet" }, " " + [cluster.phase !== cluster.connection && cluster.phase, cluster.paused && "paused", cluster.deleting && "being deleted"].filter(Boolean).join(", ")),
    ]],
    since(cluster.disconnectedSince || cluster.since),
    plain(cluster.kubernetes), plain(cluster.kubevirt),
    [String(vitals.latencyMillis), () => [vitals.latencyMillis === undefined ? "—" : vitals.latencyMillis.toFixed(1) + " ms"]],
    [JSON.stringify([total, counts]), () => machinesBy(cluster.name, total, counts)],
    [room + vitals.noRoom, () => [el("span", { title: vitals.room ? "asked " + new Date(vitals.room.at).toLocaleString() : vitals.noRoom || "not known" }, room || "—")]],
    [JSON.stringify(findings.map((f) => [f.condition, f.reason, f.message])), () => findings.length
      ? findings.map((f) => el("div", { className: "clip", title: f.message || "" }, word(f.reason, mood(f.status)), " " + (f.message || "")))
      : ["none"], "long"],
  ];
}

function machinesBy(name, total, counts) {
  const phases = Object.keys(counts).sort();
  const parts = [filterLink({ cluster: name, phase: "" }, String(total))];
  phases.forEach((phase, at) => parts.push(at ? ", " : ": ", filterLink({ cluster: name, phase }, counts[phase] + " " + phase)));
  return parts;
}

// countsOf counts the Machines that are shown of a cluster, by phase. All are counted once a picture.
let counted = null;
function countsOf(name) {
  if (!counted) {
    counted = new Map();
    for (const machine of state.machines.values()) {
      if (!counted.has(machine.cluster)) counted.set(machine.cluster, {});
      const of = counted.get(machine.cluster);
      of[machine.phase] = (of[machine.phase] || 0) + 1;
    }
  }
  return counted.get(name) || {};
}

// ---- Machines

function machineCells(machine) {
  const where = machine.cluster ? machine.cluster + (machine.node ? " / " + machine.node : "") : "nowhere yet";
  const wrong = machine.ready === "True" ? (machine.findings || [])[0]?.message || "" : machine.message || "";
  return [
    [keyOf(machine), () => [openButton("machine/" + keyOf(machine), keyOf(machine))]],
    plain(machine.phase + (machine.deleting ? ", being deleted" : ""), "short"),
    [machine.ready + machine.reason, () => [word(machine.ready === "True" ? "Ready" : machine.reason || machine.ready, mood(machine.ready))]],
    plain(where), clipped(machine.why || "", "why"), clipped(wrong, "long"), since(machine.since),
  ];
}

const rank = { False: 0, Unknown: 1, True: 2 };
const orders = {
  name: () => 0,
  phase: (a, b) => a.phase.localeCompare(b.phase),
  ready: (a, b) => (rank[a.ready] ?? 1) - (rank[b.ready] ?? 1),
  cluster: (a, b) => (a.cluster || "").localeCompare(b.cluster || ""),
  since: (a, b) => (b.since || "").localeCompare(a.since || ""),
};
const titles = { name: "Machine", phase: "Phase", ready: "Ready", cluster: "Where", since: "Since" };

function selected() {
  const f = state.filter;
  const words = f.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  for (const machine of state.machines.values()) {
    if ((f.cluster && machine.cluster !== f.cluster) || (f.phase && machine.phase !== f.phase) ||
        (f.namespace && machine.namespace !== f.namespace) || (f.wrong && machine.ready === "True")) continue;
    if (words.every((each) => machine.text.includes(each))) found.push(machine);
  }
  const down = f.sort.startsWith("-");
  const order = orders[f.sort.replace("-", "")] || orders.ready;
  const names = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  return found.sort((a, b) => (down ? -1 : 1) * (order(a, b) || names(a, b)));
}

// known prepares a Machine for searching, once.
function known(machine) {
  machine.key = keyOf(machine);
  machine.text = [machine.key, machine.phase, machine.state, machine.cluster, machine.vm, machine.node, machine.class, machine.why,
    machine.reason, machine.message, ...(machine.addresses || [])].join(" ").toLowerCase();
  return machine;
}

// ---- what is in the address

function readAddress() {
  const query = new URLSearchParams(location.search);
  const f = state.filter;
  for (const name of ["q", "cluster", "phase", "namespace"]) f[name] = query.get(name) || "";
  f.wrong = query.get("wrong") === "1";
  f.sort = query.get("sort") || "ready";
  f.page = Math.max(1, Number.parseInt(query.get("page"), 10) || 1);
  f.open = query.get("open") || "";
  $("q").value = f.q;
  $("wrong").checked = f.wrong;
}

function addressOf(f) {
  const query = new URLSearchParams();
  for (const name of ["q", "cluster", "phase", "namespace"]) if (f[name]) query.set(name, f[name]);
  if (f.wrong) query.set("wrong", "1");
  if (f.sort !== "ready") query.set("sort", f.sort);
  if (f.page > 1) query.set("page", f.page);
  if (f.open) query.set("open", f.open);
  const text = query.toString();
  return location.pathname + (text ? "?" + text : "");
}

// change changes the filter. Typing replaces the address; what was chosen can be gone back from.
function change(what, typed) {
  Object.assign(state.filter, { page: 1 }, what);
  const to = addressOf(state.filter);
  if (to !== location.pathname + location.search) history[typed ? "replaceState" : "pushState"](null, "", to);
  draw();
}

function filterLink(what, text) {
  const link = el("a", { href: addressOf({ ...state.filter, page: 1, open: "", ...what }) }, text);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    change({ open: "", ...what });
  });
  return link;
}

function openButton(what, text) {
  const button = el("button", { type: "button", className: "link row" }, text);
  button.addEventListener("click", () => change({ open: what, page: state.filter.page }));
  return button;
}

// ---- drawing

let asked = false;
function drawSoon() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}

function draw() {
  counted = null;
  const clusters = [...state.clusters.values()].sort((a, b) => a.name.localeCompare(b.name));
  fillRows($("clusters").tBodies[0], clusters.map((cluster) => ({ ...cluster, key: cluster.name })), clusterCells);
  $("clusters-count").textContent = String(clusters.length);
  const none = $("no-clusters");
  none.hidden = clusters.length > 0;
  none.textContent = state.scope && !state.scope.clusters ? "You may not list KubevirtConfigs." : "There is no KubevirtConfig.";
  drawMachines();
  drawFilters();
  drawHistory();
  drawDetails();
}

function drawMachines() {
  const f = state.filter;
  const all = selected();
  const pages = Math.max(1, Math.ceil(all.length / PAGE));
  const page = Math.min(f.page, pages);
  fillRows($("machines").tBodies[0], all.slice((page - 1) * PAGE, page * PAGE), machineCells);
  const scope = state.scope || {};
  $("machines-count").textContent = (all.length === state.machines.size ? String(all.length) : all.length + " of " + state.machines.size) +
    (scope.allMachines === false ? ", in namespaces in which you may list Machines" : "") +
    (scope.selector ? ", with " + scope.selector : "") +
    (scope.notChecked ? "; " + scope.notChecked + " namespaces more were not asked for" : "");
  $("which-page").textContent = "Page " + page + " of " + pages;
  $("earlier").disabled = page <= 1;
  $("later").disabled = page >= pages;
  state.pages = pages;
  state.page = page;
  for (const th of document.querySelectorAll("[data-sort]")) {
    const by = f.sort.replace("-", "");
    if (th.dataset.sort === by) th.setAttribute("aria-sort", f.sort.startsWith("-") ? "descending" : "ascending");
    else th.removeAttribute("aria-sort");
  }
}

function drawFilters() {
  const values = { cluster: new Set(state.clusters.keys()), phase: new Set(), namespace: new Set() };
  for (const machine of state.machines.values()) {
    if (machine.cluster) values.cluster.add(machine.cluster);
    values.phase.add(machine.phase);
    values.namespace.add(machine.namespace);
  }
  for (const [name, found] of Object.entries(values)) {
    const select = $(name);
    const chosen = state.filter[name];
    if (chosen) found.add(chosen);
    const options = ["", ...[...found].sort()];
    const shows = JSON.stringify(options);
    if (select.shows !== shows) {
      select.shows = shows;
      select.replaceChildren(...options.map((value) => el("option", { value }, value || "all")));
    }
    if (select.value !== chosen) select.value = chosen;
  }
}

function drawHistory() {
  const list = $("history");
  const lines = state.history.map((c) => {
    const what = { Created: "was created", Gone: "is gone", Phase: "is " + c.now }[c.what] || c.what + " is " + c.now;
    return [c.at, c.kind, (c.namespace ? c.namespace + "/" : "") + c.name, what + (c.before ? ", was " + c.before : ""), c.reason || ""];
  });
  const shows = JSON.stringify(lines);
  if (list.shows === shows) return;
  list.shows = shows;
  list.tabIndex = 0;
  list.replaceChildren(...lines.map(([at, kind, name, what, reason]) =>
    el("li", {}, timeEl(at), el("span", { className: "quiet" }, kind), el("span", {}, name), el("span", {}, what), el("span", { className: "quiet" }, reason))));
}

// ---- details

function drawDetails() {
  const dialog = $("details");
  const [kind, ...rest] = state.filter.open.split("/");
  const name = rest.join("/");
  const found = kind === "machine" ? state.machines.get(name) : kind === "cluster" ? state.clusters.get(name) : null;
  if (!state.filter.open || !state.scope) {
    if (dialog.open) dialog.close();
    dialog.shows = "";
    for (const id of ["details-title", "details-body"]) $(id).replaceChildren();
    return;
  }
  const shows = JSON.stringify([state.filter.open, found]);
  if (dialog.shows !== shows) {
    dialog.shows = shows;
    $("details-title").textContent = (kind === "machine" ? "Machine " : "Cluster ") + name;
    $("details-body").replaceChildren(...(found ? described(kind, found) : ["It is not there."]));
  }
  if (!dialog.open) dialog.showModal();
}

function described(kind, of) {
  const rows = kind === "machine"
    ? [["Phase", of.phase], ["State", of.state], ["Ready", of.ready + " (" + (of.reason || "") + ")"], ["Since", of.since], ["Cluster", of.cluster],
      ["Virtual machine", of.vm], ["Node", of.node], ["Why there", of.why], ["Class", of.class],
      ["Addresses", (of.addresses || []).join(", ")], ["Created", of.created], ["Message", of.message]]
    : [["Phase", of.phase], ["Connection", of.connection], ["Since", of.since], ["Without contact since", of.disconnectedSince],
      ["Kubernetes", of.kubernetes], ["KubeVirt", of.kubevirt], ["New Machines", of.paused ? "none: paused" : "yes"],
      ["Room", of.vitals?.noRoom], ["Created", of.created], ["Message", of.message]];
  const list = el("dl");
  for (const [name, value] of rows) {
    if (!value) continue;
    const isTime = ["Since", "Created", "Without contact since"].includes(name);
    list.append(el("dt", {}, name), el("dd", {}, isTime ? timeEl(value) : value));
  }
  const parts = [list, ...(of.findings || []).map(finding)];
  if (kind === "cluster") parts.push(el("p", {}, filterLink({ cluster: of.name, phase: "", namespace: "", q: "" }, "Its Machines")));
  return parts;
}

function finding(f) {
  const acts = { Person: "A person must act.", Cluster: "A cluster is at work.", Time: "It passes by itself, or by trying again." };
  return el("div", { className: "finding" },
    el("p", {}, word(f.condition + ": " + f.reason, mood(f.status)), " ", f.since ? el("span", { className: "quiet" }, "since ", timeEl(f.since)) : ""),
    f.message ? el("p", {}, f.message) : "",
    el("p", { className: "quiet" }, [acts[f.acts], f.help].filter(Boolean).join(" ")));
}

// ---- what the operator sends

function takeFleet(fleet) {
  clockAhead.by = Date.parse(fleet.at) - Date.now();
  state.clusters = new Map(fleet.clusters.map((cluster) => [cluster.name, cluster]));
  state.machines = new Map(fleet.machines.map((machine) => [keyOf(machine), known(machine)]));
  state.history = fleet.history || [];
  state.scope = fleet.scope;
  $("viewer").textContent = fleet.viewer;
  $("sign-out").hidden = false;
  $("sign-in").hidden = true;
  $("problem").hidden = true;
  $("data").hidden = false;
  draw();
  performance.mark("shown");
}

function takeChange(change) {
  for (const name of change.goneClusters || []) state.clusters.delete(name);
  for (const key of change.goneMachines || []) state.machines.delete(keyOf(key));
  for (const cluster of change.clusters || []) {
    const before = state.clusters.get(cluster.name);
    if (before && before.connection !== cluster.connection) tell(cluster.name + ": " + cluster.connection);
    state.clusters.set(cluster.name, { ...cluster, isNew: !before || before.phase !== cluster.phase });
  }
  for (const machine of change.machines || []) {
    const before = state.machines.get(keyOf(machine));
    state.machines.set(keyOf(machine), Object.assign(known(machine), { isNew: !before || before.phase !== machine.phase || before.ready !== machine.ready }));
  }
  state.history = [...(change.history || []), ...state.history].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, 200);
  drawSoon();
}

// tell says something beside the state of the connection, to those who hear the page too.
function tell(news) { $("live").textContent = "Live. " + news; }

function live(kind, text) {
  $("live").dataset.state = kind;
  $("live").textContent = text;
}

let attempt = null;
let failures = 0;

async function follow() {
  attempt?.abort();
  const mine = (attempt = new AbortController());
  try {
    const answer = await fetch("events", { signal: mine.signal, cache: "no-store", credentials: "same-origin" });
    if (answer.status === 401) return askToSignIn(await answer.text());
    if (!answer.ok) throw new Error(await answer.text());
    live("live", "Live");
    failures = 0;
    await readEvents(answer.body, (event, data) => (event === "fleet" ? takeFleet : takeChange)(data));
  } catch (error) {
    if (mine.signal.aborted) return;
    if (failures > 0 || !(error instanceof TypeError)) showProblem(error instanceof TypeError ? "The operator does not answer." : error.message);
  }
  if (mine.signal.aborted) return;
  live("lost", "Connection lost, trying again");
  const wait = Math.min(30000, 500 * 2 ** failures++) * (0.75 + Math.random() / 2);
  setTimeout(() => { if (attempt === mine && !document.hidden) follow(); }, wait);
}

async function readEvents(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pieces = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    pieces.push(value);
    if (!value.includes("\n\n") && !(value.startsWith("\n") && pieces.length > 1)) continue;
    const events = pieces.join("").split("\n\n");
    pieces = [events.pop()];
    for (const text of events) {
      const event = /^event: (.*)$/m.exec(text);
      const data = /^data: (.*)$/m.exec(text);
      if (event && data) take(event[1], JSON.parse(data[1]));
    }
  }
}

function showProblem(sentence) {
  $("problem").textContent = sentence;
  $("problem").hidden = false;
}

function askToSignIn(sentence) {
  attempt = null;
  state.clusters.clear();
  state.machines.clear();
  state.history = [];
  state.scope = null;
  draw();
  live("lost", "Signed out");
  for (const id of ["data", "sign-out", "problem"]) $(id).hidden = true;
  $("viewer").textContent = "";
  $("sign-in-why").textContent = sentence;
  $("sign-in").hidden = false;
  $("token").focus();
}

const post = (path, form) => fetch(path, { method: "POST", body: new URLSearchParams(form), credentials: "same-origin" });

// ---- people

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = $("token").value;
  $("token").value = "";
  try {
    const answer = await post("sign-in", { token });
    if (answer.ok) return follow();
    $("sign-in-why").textContent = await answer.text();
  } catch {
    $("sign-in-why").textContent = "The operator does not answer.";
  }
  $("token").focus();
});

$("sign-out").addEventListener("click", async () => {
  attempt?.abort();
  await post("sign-out", {}).catch(() => {});
  askToSignIn("You are signed out.");
});

for (const name of ["cluster", "phase", "namespace"]) $(name).addEventListener("change", () => change({ [name]: $(name).value }));
$("q").addEventListener("input", () => change({ q: $("q").value }, true));
$("wrong").addEventListener("change", () => change({ wrong: $("wrong").checked }));
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("reset", (event) => {
  event.preventDefault();
  change({ q: "", cluster: "", phase: "", namespace: "", wrong: false });
  readAddress();
});
$("earlier").addEventListener("click", () => turn(-1));
$("later").addEventListener("click", () => turn(1));

function turn(by) {
  const page = Math.min(Math.max(1, state.page + by), state.pages);
  if (page !== state.page) change({ page });
}

for (const th of document.querySelectorAll("[data-sort]")) {
  const by = th.dataset.sort;
  const button = el("button", { type: "button" }, titles[by]);
  button.addEventListener("click", () => change({ sort: state.filter.sort === by ? "-" + by : by }));
  th.append(button);
}

$("details").addEventListener("close", () => { if (state.filter.open) change({ open: "", page: state.filter.page }); });
$("show-keys").addEventListener("click", () => $("keys").showModal());

const themes = { "": "as the system", light: "light", dark: "dark" };
function wear(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  $("theme").textContent = "Theme: " + themes[theme];
  try { localStorage.setItem("theme", theme); } catch { /* a browser that keeps nothing */ }
}
$("theme").addEventListener("click", () => {
  const names = Object.keys(themes);
  wear(names[(names.indexOf(document.documentElement.dataset.theme || "") + 1) % names.length]);
});

// step moves the focus by a row, in the table that has it.
function step(by) {
  const table = document.activeElement.closest?.("table") || $("machines");
  const rows = [...table.querySelectorAll("button.row")];
  const at = rows.indexOf(document.activeElement.closest?.("tr")?.querySelector("button.row"));
  rows[at < 0 ? 0 : Math.min(Math.max(0, at + by), rows.length - 1)]?.focus();
}

const keys = {
  "/": () => { $("q").focus(); $("q").select(); },
  j: () => step(1), k: () => step(-1),
  n: () => turn(1), p: () => turn(-1),
  w: () => { $("wrong").checked = !$("wrong").checked; change({ wrong: $("wrong").checked }); },
  c: () => $("clusters").querySelector("button.row")?.focus(),
  m: () => $("machines").querySelector("button.row")?.focus(),
  "?": () => $("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || $("data").hidden) return;
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && event.target === $("q")) {
    $("q").value = "";
    change({ q: "" }, true);
    $("q").blur();
  } else if (!typing && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

addEventListener("popstate", () => { readAddress(); draw(); });

let leaving = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(leaving);
  if (document.hidden) {
    leaving = setTimeout(() => { attempt?.abort(); live("paused", "Paused while nobody looks"); }, state.hiddenFor);
  } else if (attempt && (attempt.signal.aborted || $("live").dataset.state !== "live")) {
    follow();
  }
});

setInterval(() => {
  if (document.hidden) return;
  for (const each of document.querySelectorAll("time")) {
    const text = ago(each.dateTime);
    if (each.textContent !== text) each.textContent = text;
  }
}, 5000);

try { wear(localStorage.getItem("theme") || ""); } catch { wear(""); }
readAddress();
follow();
