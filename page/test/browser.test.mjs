/** The page as people use it, in a real browser, from disk and from a server. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const FILE = fileURLToPath(new URL("../../src/initlab/browser/page.html", import.meta.url));
const DISK = new URL(`file://${FILE}`).href;
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const SHORT = "steps=300";

let browser;
let page;
let complaints;

before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: QUIET });
});
after(() => browser.close());

beforeEach(async () => {
  await page?.context().close();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  page = await context.newPage();
  complaints = [];
  page.on("console", (said) => {
    if (["error", "warning"].includes(said.type())) complaints.push(said.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
});

async function open(link = SHORT, address = DISK) {
  await page.goto(`${address}#${link}`);
  await done();
}

async function done() {
  // The change starts at the next frame.
  await page.evaluate(() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then))));
  await page.waitForSelector('body[data-state="done"]', { timeout: 60_000 });
}

const textOf = (selector) => page.locator(selector).allTextContents();
const hash = () => page.evaluate(() => location.hash.slice(1));

async function exported(button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return readFile(await download.path(), "utf8");
}

/** Press a button that gives so many files; return them by name. */
async function everything(button, count) {
  const downloads = [];
  const all = new Promise((then) => {
    page.on("download", (download) => downloads.push(download) === count && then());
  });
  await page.click(button);
  await all;
  page.removeAllListeners("download");
  return Object.fromEntries(
    await Promise.all(downloads.map(async (each) => [each.suggestedFilename(), await readFile(await each.path())])),
  );
}

async function silent() {
  await page.waitForTimeout(50);
  assert.deepEqual(complaints, []);
}

test("the lesson is trained when the page opens from disk", async () => {
  await open("");

  const [zeros, large, he] = await textOf(".cause");
  assert.match(zeros, /all 10 units of layer 1 are copies/);
  assert.match(large, /saturated from the start: first loss 1773/);
  assert.equal(he, "trained");
  assert.match((await textOf(".accuracy"))[2], /loss 0\.06\d+ · train 99\.\d %/);
  await silent();
});

test("a page from a server is the page from disk", async () => {
  const server = createServer(async (_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end(await readFile(FILE));
  }).listen(0, "127.0.0.1");
  await new Promise((then) => server.once("listening", then));
  await open();
  const fromDisk = await textOf(".accuracy");

  await open(SHORT, `http://127.0.0.1:${server.address().port}/`);

  assert.deepEqual(await textOf(".accuracy"), fromDisk);
  await silent();
  server.close();
});

test("a link reproduces the view and its numbers", async () => {
  await open("init=he_normal(scale=2)&init=normal(std=1)&problem=moons&hidden=8,8&activation=tanh&batch_norm=true&members=8&optimizer=adam&learning_rate=0.003&steps=200&seed=5&seeding=stream");
  const [link, numbers, said] = [await hash(), await textOf(".accuracy"), await textOf("#statements li")];

  await page.goto("about:blank");
  await open(link);

  assert.equal(await hash(), link);
  assert.deepEqual(await textOf(".accuracy"), numbers);
  assert.deepEqual(await textOf("#statements li"), said);
  assert.match(said[0], /training loss at 0\.003: .* of 8 members/);
  await silent();
});

test("every control changes the study, and all networks train again", async () => {
  await open();
  const changes = [
    ["problem", () => page.selectOption("#problem", "xor")],
    ["activation", () => page.selectOption("#activation", "tanh")],
    ["optimizer", () => page.selectOption("#optimizer", "momentum")],
    ["seeding", () => page.selectOption("#seeding", "stream")],
    ["examples", () => page.fill("#examples", "90").then(() => page.press("#examples", "Enter"))],
    ["steps", () => page.fill("#steps", "120").then(() => page.press("#steps", "Enter"))],
    ["seed", () => page.fill("#seed", "11").then(() => page.press("#seed", "Enter"))],
    ["hidden", () => page.fill("#hidden", "6, 6, 6").then(() => page.press("#hidden", "Enter"))],
    ["noise", () => page.locator("#noise").press("ArrowRight")],
    ["learning_rate", () => page.locator("#learning-rate").press("ArrowRight")],
    ["members", () => page.locator("#members").press("ArrowRight")],
    ["batch_norm", () => page.check("#batch-norm")],
    ["init", () => page.selectOption("#add-init", "glorot_uniform")],
    ["init", () => page.locator("#init-3-scale").press("ArrowRight")],
    ["bias%3D0.2", () => page.fill("#init-3-bias", "0.2").then(() => page.press("#init-3-bias", "Enter"))],
    ["init", () => page.click("#init-0-remove")],
  ];
  for (const [field, change] of changes) {
    const old = await hash();
    await change();
    await done();
    assert.notEqual(await hash(), old, field);
    assert.match(await hash(), new RegExp(field));
  }
  assert.equal((await textOf(".panel h3")).length, 3);
  await silent();
});

test("sliders are dragged, and typing on goes to the next field", async () => {
  await open("init=zeros&init=he_normal&steps=60");
  for (const [id, field] of [["#init-1-scale", /he_normal\(scale=([\d.]+)\)/], ["#learning-rate", /learning_rate=([\d.]+)/]]) {
    const box = await page.locator(id).boundingBox();
    const seen = [];
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    for (const at of [0.6, 0.7, 0.8]) {
      await page.mouse.move(box.x + at * box.width, box.y + box.height / 2);
      await done();
      seen.push(Number(decodeURIComponent(await hash()).match(field)[1]));
    }
    await page.mouse.up();
    assert.ok(seen[0] < seen[1] && seen[1] < seen[2], seen.join());
  }
  await page.fill("#init-0-text", "constant(value=0.5)");
  await page.keyboard.press("Tab");
  await done();
  assert.equal(await page.evaluate(() => document.activeElement.id), "init-0-remove");
  await silent();
});

test("draws stay the same until they are let go", async () => {
  await open("init=he_normal&steps=60");
  await page.selectOption("#activation", "tanh");
  await done();
  assert.doesNotMatch(await hash(), /seed=/);

  await page.uncheck("#lock");
  await page.selectOption("#activation", "relu");
  await done();

  assert.match(await hash(), /seed=4/);
  assert.equal(await page.inputValue("#seed"), "4");
  await silent();
});

test("what cannot be is said, and nothing changes", async () => {
  await open();
  const old = await hash();
  for (const [field, text, says] of [
    ["#hidden", "10, 0", /hidden layers: up to 30 numbers from 1 to 100/],
    ["#steps", "-3", /steps: a whole number from 1 to 200000/],
    ["#init-0-text", "he_norml", /init he_norml: a name of the list/],
    ["#init-0-text", "he_normal", /inits: he_normal is there already/],
    ["#init-0-bias", "", /bias: a number, as in 0\.1/],
  ]) {
    await page.fill(field, text);
    await page.press(field, "Enter");
    assert.match(await page.textContent(".complaint"), says);
    assert.equal(await hash(), old);
  }
  await silent();
});

test("rewind, scrub and play go through the same training", async () => {
  await open("init=he_normal&steps=600");
  const end = await textOf(".accuracy");
  await page.click("#rewind");
  await page.waitForFunction(() => document.querySelector("#step").textContent === "step 0");
  const start = await textOf(".accuracy");
  assert.notDeepEqual(start, end);

  await page.locator("#time").fill("75");
  await page.waitForFunction(() => document.querySelector("#step").textContent === "step 300");
  await page.click("#play");
  await page.waitForFunction(() => document.querySelector("#play").textContent === "play", null, { timeout: 20_000 });

  assert.deepEqual(await textOf(".accuracy"), end);
  await page.click("#rewind");
  await page.waitForFunction(() => document.querySelector("#step").textContent === "step 0");
  assert.deepEqual(await textOf(".accuracy"), start);
  await silent();
});

test("inside are links, layers and histograms, by weight or gradient", async () => {
  await open("init=he_normal&steps=300");
  await page.click("summary");
  await page.waitForSelector(".inside table");

  assert.equal((await textOf(".inside h4")).length, 3);
  assert.equal(await page.locator(".inside .layer svg").count(), 9);
  const links = await page.locator(".inside > svg").innerHTML();
  await page.selectOption("#links", "gradient");
  await page.waitForFunction((old) => document.querySelector(".inside > svg").innerHTML !== old, links);
  for (const optimizer of ["gradient_descent", "momentum", "adam"]) {
    await page.selectOption("#optimizer", optimizer);
    await page.locator("#batch-norm").setChecked(optimizer !== "momentum");
    await done();
    const ratios = await textOf(".inside tbody td:last-child");
    assert.equal(ratios.length, 3);
    assert.ok(ratios.every((each) => Number(each) > 0), ratios.join());
  }
  await silent();
});

test("exports are whole", async () => {
  await open("init=zeros&init=he_normal&members=2&steps=200");

  const python = await exported("#export-python");
  assert.match(python, /inits=\["zeros", "he_normal"\]/);
  assert.match(await exported("#export-toml"), /inits = \["zeros", "he_normal"\]\nmembers = 2/);
  const data = JSON.parse(await exported("#export-json"));
  assert.equal(data.networks.length, 4);
  const rows = (await exported("#export-csv")).trim().split("\n");
  assert.equal(rows.length, 1 + 4 * data.steps.length);
  await page.click("summary");
  await page.waitForSelector(".inside table");
  const names = ["curves", "sizes", "boundary-1", "inside-1", "boundary-2", "inside-2"];
  const svgs = await everything("#export-svg", names.length);
  assert.deepEqual(Object.keys(svgs).sort(), names.map((name) => `${name}.svg`).sort());
  for (const svg of Object.values(svgs)) {
    assert.match(svg.toString(), /^<svg[^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  }
  // Outside the page no style sheet aligns a label.
  assert.match(svgs["curves.svg"].toString(), /<text[^>]*text-anchor: end/);
  assert.equal(svgs["inside-1.svg"].toString().match(/<svg/g).length, 1 + 1 + 3 * 3);
  const pngs = await everything("#export-png", names.length);
  for (const name of names) assert.equal(pngs[`${name}.png`].subarray(1, 4).toString(), "PNG");
  await silent();
});

test("own points are added by clicks, and pasted text is data", async () => {
  await open("problem=points&points=-1,0,0;1,0,1;0,1,0&steps=200&init=he_normal");
  await page.selectOption("#point-class", "1");
  const canvas = await page.locator("canvas").boundingBox();
  await page.mouse.click(canvas.x + canvas.width / 2, canvas.y + canvas.height / 4);
  await done();
  assert.equal((decodeURIComponent(await hash()).match(/;/g) ?? []).length, 3);

  const hostile = [
    "x,y,class", "0,0,<img src=x onerror=alert(1)>", "1,1,</script><script>alert(2)</script>",
    "=cmd|' /C calc'!A0,1,2", "1e309,0,b", "NaN,1,b", "2,2", "0.5,0.5,javascript:alert(3)", "1,0,🙂",
  ];
  const study = await everything("#export-toml", 2);
  assert.match(study["study.toml"].toString(), /name = "points\.csv"\ntest_fraction = 0\.0/);
  assert.match(study["points.csv"].toString(), /^x,y,class\n-1,0,0\n1,0,1\n0,1,0\n[-\d.]+,[-\d.]+,1\n$/);
  let alerted = false;
  page.on("dialog", (dialog) => {
    alerted = true;
    void dialog.dismiss();
  });
  await page.fill("#paste", hostile.join("\n"));
  await page.click("#use-points");
  await done();

  assert.match(await page.textContent(".complaint"), /4 lines left out; line 4: x,y,class expected/);
  assert.equal(await page.locator("img, #panels script").count(), 0);
  assert.equal(alerted, false);
  await silent();
});

test("a hostile address is the lesson, or what can be read of it", async () => {
  for (const link of [
    "init=<script>alert(1)</script>&steps=200", "hidden=1e9&steps=200", "steps=200&members=-5&seed=x",
    "init=__proto__&init=constructor(a=1)&steps=200", "%E0%A4%A&steps=200", "problem=toString&steps=200",
  ]) {
    await open(link);
    assert.ok((await textOf(".panel h3")).length >= 1);
    await page.goto("about:blank");
  }
  await silent();
});

test("every tour goes from its first stop to its end", async () => {
  await open();
  const tours = await textOf("#tours button");
  assert.equal(tours.length, 6);
  // Its last stop trains 200 members: the others are quicker.
  for (const name of ["Symmetry", "Too small"]) {
    await page.click(`#tours button:text-is("${name}")`);
    for (;;) {
      await done();
      assert.match(await page.textContent("#tour-text"), new RegExp(`^${name}, `));
      const isLast = (await page.textContent("#tour-next")) === "done";
      await page.click("#tour-next");
      if (isLast) break;
    }
    assert.equal(await page.locator("#tour").isHidden(), true);
  }
  await silent();
});

test("long training shows progress, leaves the page alive, and stops", async () => {
  await page.goto(`${DISK}#members=256&steps=15000`);
  await page.waitForSelector("#stop:not([hidden])");
  const waited = await page.evaluate(async () => {
    const began = performance.now();
    await new Promise((then) => setTimeout(then, 0));
    return performance.now() - began;
  });
  assert.ok(waited < 250, `the page was blocked for ${waited} ms`);

  await page.click("#stop");

  assert.match(await page.textContent("#time-taken"), /^stopped/);
  await page.fill("#steps", "100");
  await page.press("#steps", "Enter");
  await page.locator("#members").fill("0");
  await done();
  await silent();
});

test("a change is seen at once, and the default networks are soon at their end", async (t) => {
  await open("");
  const times = [];
  for (let again = 0; again < Number(process.env.TIMINGS ?? 3); again++) {
    const time = page.evaluate(
      () =>
        new Promise((then) => {
          const began = performance.now();
          let first = null;
          const watch = () => {
            // What is drawn is there when the next frame begins.
            const isDone = document.body.dataset.state === "done";
            first ??= performance.now() - began;
            if (isDone) then({ first, all: performance.now() - began });
          };
          new MutationObserver(() => requestAnimationFrame(watch)).observe(document.querySelector("#curves"), { childList: true });
        }),
    );
    await page.locator("#init-2-scale").press(again % 2 ? "ArrowLeft" : "ArrowRight");
    times.push(await time);
  }
  const best = (name) => Math.min(...times.map((each) => each[name]));

  t.diagnostic(`first picture ${best("first").toFixed(0)} ms, three networks of 15,000 steps ${best("all").toFixed(0)} ms`);
  // Ten times what a quiet machine needs: a busy one must not fail here.
  assert.ok(best("first") < 1000, JSON.stringify(times));
  assert.ok(best("all") < 5000, JSON.stringify(times));
  await silent();
});

test("a notebook's frame is told what the page shows", async () => {
  const text = await readFile(FILE, "utf8");
  const widget = await readFile(new URL("../../src/initlab/browser/widget.js", import.meta.url), "utf8");
  await page.goto("about:blank");
  await page.evaluate(
    async ({ text, widget }) => {
      const address = URL.createObjectURL(new Blob([widget], { type: "text/javascript" }));
      const { default: made } = await import(address);
      const state = { html: text.replace('id="study"></', 'id="study">init=he_normal&steps=100</'), height: 700 };
      globalThis.state = state;
      const model = { get: (name) => state[name], set: (name, value) => (state[name] = value), save_changes: () => {} };
      made.render({ model, el: document.body });
    },
    { text, widget },
  );

  const frame = page.frameLocator("iframe");
  await frame.locator('body[data-state="done"]').waitFor();
  assert.match(await page.evaluate(() => globalThis.state.link), /^init=he_normal/);
  await frame.locator("#activation").selectOption("tanh");
  await page.waitForFunction(() => /tanh/.test(globalThis.state.link));
  await silent();
});

test("a hundred random clicks leave no error", async () => {
  await open("steps=100&init=he_normal&init=zeros");
  // The same clicks every time.
  let state = 12345;
  const random = (below) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state % below;
  };
  const clicks = Number(process.env.CLICKS ?? 100);
  for (let i = 0; i < clicks; i++) {
    const targets = page.locator("button:visible:enabled:not([id^='export']), select:visible, input:visible, canvas:visible, summary:visible");
    const target = targets.nth(random(await targets.count()));
    const kind = await target.evaluate((each) => each.tagName + (each.type ?? "")).catch(() => "");
    if (kind.startsWith("SELECT")) {
      const options = await target.locator("option").count();
      await target.selectOption({ index: random(options) }, { timeout: 2000 }).catch(() => {});
    } else if (kind.endsWith("range")) {
      await target.press(random(2) ? "ArrowRight" : "ArrowLeft", { timeout: 2000 }).catch(() => {});
    } else {
      await target.click({ timeout: 2000, force: true }).catch(() => {});
    }
  }
  await page.fill("#steps", "50");
  await page.press("#steps", "Enter");
  await silent();
});

test("the keyboard reaches every control, and each has a name", async () => {
  await open("init=he_normal&steps=100");
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, select, textarea")]
      .filter((each) => each.offsetParent !== null)
      .filter((each) => !each.labels?.length && !each.getAttribute("aria-label") && !each.textContent?.trim())
      .map((each) => each.id || each.outerHTML),
  );
  assert.deepEqual(unnamed, []);
  const reached = new Set();
  for (let i = 0; i < 45; i++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement?.id));
  }
  for (const id of ["theme", "init-0-text", "problem", "learning-rate", "members", "play", "time", "export-png"]) {
    assert.ok(reached.has(id), `Tab never reached ${id}`);
  }
  await silent();
});

test("memory is steady while networks are trained again and again", async () => {
  await open("init=he_normal&steps=60");
  const memory = async () => {
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    return usedSize;
  };
  const again = async (times) => {
    for (let i = 0; i < times; i++) {
      await page.locator("#learning-rate").press(i % 2 ? "ArrowRight" : "ArrowLeft");
      await done();
    }
  };
  await again(10);
  const first = await memory();
  await again(Number(process.env.RETRAININGS ?? 40));
  const last = await memory();
  assert.ok(last < 1.5 * first + 2e6, `${first} bytes became ${last}`);
  await silent();
});
