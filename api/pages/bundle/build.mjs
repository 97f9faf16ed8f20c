// Makes api/pages/vendor/: Tabler's CSS cut to what templates and scripts name, htmx as it is, ECharts cut to what charts.mjs uses,
// the licences, and vendor.toml with versions and checksums. Run: `npm install && npm run build` in this folder.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { PurgeCSS } from "purgecss";

const here = dirname(fileURLToPath(import.meta.url));
const pages = join(here, "..");
const vendor = join(pages, "vendor");
const modules = join(here, "node_modules");
mkdirSync(join(vendor, "licences"), { recursive: true });

const cut = await new PurgeCSS().purge({
  content: [join(pages, "templates/**/*.html"), join(pages, "static/*.js"), join(pages, "../../demo/**/*.html")],
  css: [join(modules, "@tabler/core/dist/css/tabler.min.css")],
  variables: true,
  keyframes: true,
  fontFace: true,
  safelist: ["html", "body", "data-bs-theme"],
});
const css = cut[0].css.replaceAll(/\/\*#\s*sourceMappingURL=.*?\*\//g, "").replaceAll(/url\((["']?)https?:[^)]*\)/g, "none");
writeFileSync(join(vendor, "tabler.css"), css);
copyFileSync(join(modules, "htmx.org/dist/htmx.min.js"), join(vendor, "htmx.js"));
buildSync({
  entryPoints: [join(here, "charts.mjs")], bundle: true, minify: true, format: "iife", globalName: "echarts",
  target: "es2018", legalComments: "none", outfile: join(vendor, "echarts.js"),
});

const packages = [
  ["tabler.css", "@tabler/core", "MIT", "tabler.txt"],
  ["htmx.js", "htmx.org", "0BSD", "htmx.txt"],
  ["echarts.js", "echarts", "Apache-2.0", "echarts.txt"],
];
const rows = ["# Made by api/pages/bundle/build.mjs; checked by tests/api/test_pages_vendor.py.", ""];
for (const [file, name, licence, text] of packages) {
  const version = JSON.parse(readFileSync(join(modules, name, "package.json"))).version;
  const bytes = readFileSync(join(vendor, file));
  rows.push("[[file]]", `name = "${file}"`, `package = "${name}"`, `version = "${version}"`, `licence = "${licence}"`,
    `licence_file = "licences/${text}"`, `bytes = ${statSync(join(vendor, file)).size}`,
    `sha256 = "${createHash("sha256").update(bytes).digest("hex")}"`, "");
}
writeFileSync(join(vendor, "vendor.toml"), rows.join("\n"));
copyFileSync(join(modules, "htmx.org/LICENSE"), join(vendor, "licences/htmx.txt"));
const zrender = "\n\n--- zrender (part of the same file), BSD-3-Clause ---\n\n";
writeFileSync(join(vendor, "licences/echarts.txt"),
  readFileSync(join(modules, "echarts/LICENSE"), "utf8") + "\n" + readFileSync(join(modules, "echarts/NOTICE"), "utf8")
  + zrender + readFileSync(join(modules, "zrender/LICENSE"), "utf8"));
