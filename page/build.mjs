/** Bundle the page into one file, src/initlab/browser/page.html, and the tests' laboratory. */

import { build } from "esbuild";
import { readFile, writeFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  loader: { ".wasm": "base64" },
  absWorkingDir: here,
};

async function text(entry, options) {
  const found = await build({ ...common, ...options, entryPoints: [entry], write: false });
  return found.outputFiles[0].text;
}

/** Keep a script from ending the element that it stands in. */
const within = (code) => code.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");

if (process.argv.includes("--headless")) {
  const lab = await text("src/headless.ts", { platform: "node" });
  await mkdir(join(here, "built"), { recursive: true });
  await writeFile(join(here, "built", "headless.mjs"), lab);
} else {
  const worker = await text("src/worker.ts", { minify: true, format: "iife" });
  const page = await text("src/page.ts", {
    minify: true,
    define: { WORKER: JSON.stringify(worker) },
  });
  const style = await readFile(join(here, "src/page.css"), "utf8");
  const template = await readFile(join(here, "src/page.html"), "utf8");
  const whole = template
    .replace("/* style */", () => style)
    .replace("/* script */", () => within(page));
  const target = process.argv[2] ?? join(here, "../src/initlab/browser/page.html");
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, whole);
  console.log(`${target}: ${Buffer.byteLength(whole).toLocaleString("en-US")} bytes`);
}
