// What a person does on the audit pages, in a real browser, with JavaScript and without it.
"use strict";
const assert = require("assert");
const { execFileSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const base = process.argv[2];
const { FAIRCOPY, DESK, OUT } = process.env;
const faircopy = (...args) => execFileSync(FAIRCOPY, ["--config", path.join(DESK, "faircopy.toml"), ...args], { encoding: "utf8" });
const step = (text) => console.log(`ok  ${text}`);

// Whatever happens on a page that must not.
function watch(page) {
  const wrong = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(`console: ${message.text()}`); });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(`${base}/`)) wrong.push(`request: ${request.url()}`); });
  page.on("popup", () => wrong.push("popup"));
  return wrong;
}

async function journey(browser, javaScriptEnabled) {
  const context = await browser.newContext({ javaScriptEnabled, acceptDownloads: true });
  const page = await context.newPage();
  const wrong = watch(page);
  await page.goto(base);
  await page.getByRole("link", { name: "Documents", exact: true }).click();
  await page.getByRole("searchbox").fill("night ferry Brennhaven cancelled");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "Why is the night ferry to Brennhaven being cancelled?" }).first().click();
  await page.getByRole("link", { name: "Timeline" }).click();
  assert.match(await page.locator("ol.timeline").innerText(), /Changed: text\./);
  assert.match(await page.locator("ol.timeline").innerText(), /Other bytes, the same story\./);
  await page.getByRole("link", { name: "What was removed", exact: true }).click();
  const credit = page.locator("details.mark", { hasText: "(Lena Okafor/AFP via Getty Images)" });
  await credit.locator("summary").click();
  assert.match(await credit.innerText(), /credit/);
  assert.match(await credit.innerText(), /credit\.\w+/, "the rule is named");
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.locator("#old").fill("1");
  await page.locator("#new").fill("3");
  await page.getByRole("button", { name: "Compare" }).click();
  assert.match(await page.locator("table.sides ins").first().innerText(), /95,000/);
  assert.match(await page.locator("table.sides del").first().innerText(), /90,000/);
  await page.locator("#view").selectOption("inline");
  await page.getByRole("button", { name: "Compare" }).click();
  assert.match(await page.locator(".inline-diff ins").first().innerText(), /95,000/);
  await page.getByRole("link", { name: "Fair copy" }).click();
  const save = async (name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name, exact: true }).click()]);
    const file = path.join(OUT, download.suggestedFilename());
    await download.saveAs(file);
    return file;
  };
  const [proof, raw, text] = [await save("Proof"), await save("Raw bytes"), await save("Canonical text")];
  const vkey = fs.readFileSync(path.join(DESK, "archive/log/vkey"), "utf8").trim();
  faircopy("verify", proof, "--vkey", vkey, "--raw", raw, "--text", text);
  await page.getByRole("link", { name: "Quarantine", exact: true }).click();
  assert.match(await page.locator("ul.quarantine").innerText(), /faircopy retry [0-9a-z]{26}/);
  assert.deepStrictEqual(wrong, []);
  await context.close();
  step(`find, timeline, removed credit with its rule, compare, download and verify a proof, ${javaScriptEnabled ? "with" : "without"} JavaScript`);
}

async function keyboard(browser) {
  const page = await browser.newPage();
  await page.goto(`${base}/documents`);
  await page.keyboard.press("Tab");
  assert.strictEqual(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("/");
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), "q");
  await page.keyboard.type("night ferry Brennhaven cancelled");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=/);
  await page.locator("ol.hits a").first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "What was removed", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/explain/);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  assert.strictEqual(await page.locator("details.mark[open]").count(), 1);
  await page.close();
  step("the same by the keyboard");
}

const documents = async (query) => (await (await fetch(`${base}/api/v1/documents?${query}`)).json());

// The first document of a list, however long, that is as asked.
async function first(query, isAsked) {
  for (let after = ""; ;) {
    const list = await documents(`${query}&after=${after}`);
    const found = list.documents.find(isAsked);
    if (found) return found.doc;
    assert.ok(list.next, `none of ${query} is ${isAsked}`);
    after = list.next;
  }
}

// What stands in a box too small for it: cut off, or to be found by scrolling sideways alone. Code as it came may scroll.
function cut() {
  const boxes = [...document.querySelectorAll("main *, header *, footer *")].filter((box) => !box.closest(".hidden, .copy pre, select, svg"));
  return boxes.filter((box) => getComputedStyle(box).overflowX !== "visible" && box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.tagName} ${box.className} ${box.id}: ${(box.value || box.textContent).slice(0, 60)}`);
}

// Columns whose line between them is not between them.
function turned() {
  if (innerWidth < 800) return [];
  const columns = [...document.querySelectorAll(".account .row > div + div")];
  return columns.filter((column) => getComputedStyle(column).borderLeftWidth !== "1px").map((column) => column.textContent.slice(0, 60));
}

async function looks(browser) {
  const ferry = (await documents("source=courier.example")).documents[0].doc;
  const arabic = (await documents("lang=ar")).documents[0].doc;
  const long = await first("source=gulls.example", (one) => (one.title || "").includes("ferryferry"));
  const reordered = await first("source=gulls.example", (one) => (one.title || "").includes("\u202e"));
  const table = await first("", (one) => one.path.endsWith("page-blocks.html"));
  const pages = {
    overview: "/", documents: "/documents", narrowed: "/documents?lang=en&flag=truncated", search: "/documents?q=ferry", nothing: "/documents?q=zzzzzz",
    empty: "/documents?source=nowhere.example", timeline: `/documents/${ferry}`, version: `/documents/${ferry}/3`, explain: `/documents/${ferry}/3/explain`,
    compare: `/documents/${ferry}/compare?old=1&new=3`, inline: `/documents/${ferry}/compare?old=1&new=3&view=inline`,
    furniture: `/documents/${ferry}/compare?old=1&new=3&of=furniture`, quarantine: "/quarantine", missing: "/documents/zzzz",
    arabic: `/documents/${arabic}/1`, "arabic-explain": `/documents/${arabic}/1/explain`,
    long: `/documents/${long}/1`, "long-explain": `/documents/${long}/1/explain`, turned: `/documents/${reordered}/1/explain`,
    table: `/documents/${table}/1`, "table-explain": `/documents/${table}/1/explain`,
  };
  const looks = [
    ["light", { colorScheme: "light", viewport: { width: 1200, height: 900 } }],
    ["dark", { colorScheme: "dark", viewport: { width: 1200, height: 900 } }],
    ["phone", { colorScheme: "light", viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }],
    ["phone-dark", { colorScheme: "dark", viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }],
  ];
  const serious = [];
  for (const [look, options] of looks) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(base + address);
      await page.screenshot({ path: path.join(OUT, `${name}-${look}.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) serious.push(`${name} ${look}: ${wide} px wider than the window`);
      for (const box of await page.evaluate(cut)) serious.push(`${name} ${look}: cut: ${box}`);
      for (const column of await page.evaluate(turned)) serious.push(`${name} ${look}: no line to its left: ${column}`);
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run());
      for (const { id, impact, nodes } of found.violations) {
        serious.push(`${name} ${look}: ${impact} ${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${(node.failureSummary || "").replace(/\s+/g, " ").slice(0, 200)}`).join("; ")}`);
      }
    }
    await context.close();
  }
  assert.deepStrictEqual(serious, []);
  step(`${Object.keys(pages).length} pages in ${looks.length} looks: nothing cut or wider than the window, axe finds nothing`);
}

async function hostile(browser) {
  const page = await browser.newPage();
  const wrong = watch(page);
  let seen = 0;
  let after = "";
  const open = async (address) => {
    await page.goto(base + address);
    if (await page.evaluate(() => "acted" in window)) wrong.push(`${address}: it acted`);
    // axe and the like are not here: what is on the page came from the page alone.
    const strange = await page.evaluate(() => document.querySelectorAll("iframe, object, embed, base, style, img, script:not([src='/assets/script.js']), meta[http-equiv], [onerror], [onload], [onfocus], [style], a[href^='javascript' i]").length);
    if (strange > 0) wrong.push(`${address}: ${strange} strange elements`);
  };
  for (;;) {
    const list = await documents(`after=${after}`);
    await open(`/documents?after=${after}`);
    for (const { doc, path: file, url } of list.documents) {
      if (!file.includes("hostile") && !(url || "").includes("gulls.example")) continue;
      seen++;
      for (const view of ["", "/1", "/1/explain", "/compare?old=1&new=1"]) await open(`/documents/${doc}${view}`);
    }
    if (!list.next) break;
    after = list.next;
  }
  await open("/");
  await open("/documents?q=%3Cscript%3Ewindow.acted%3D1%3C%2Fscript%3E");
  await open("/documents?q=ferry&source=%22%3E%3Cscript%3Ewindow.acted%3D1%3C%2Fscript%3E");
  assert.deepStrictEqual(wrong, []);
  assert.strictEqual(seen, 200);
  await page.close();
  step("200 hostile documents execute nothing, load nothing and change nothing of the page");
}

(async () => {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
  try {
    await journey(browser, true);
    await journey(browser, false);
    await keyboard(browser);
    await looks(browser);
    await hostile(browser);
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error); process.exit(1); });
