// Mails name countries as browsers do. What Chromium writes is in shared/src/language/countries.tsv, which the mail function reads.
// `tests/browser/run.sh countries --update-snapshots` writes the file after a language was added. Some names change with each version of
// Chromium, so a few may differ.

import {readFileSync, readdirSync, writeFileSync} from "node:fs";
import {resolve} from "node:path";
import {expect, test} from "@playwright/test";
import {ROOT} from "./stack.js";

/** CLDR's codes that are not countries or regions of ISO 3166-1, but for Kosovo's. */
const OTHERS = ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"];

const files = readdirSync(resolve(ROOT, "shared/languages")).filter((file) => file.endsWith(".ftl"));
const codes = files.map((file) => file.slice(0, -".ftl".length)).sort();

test("the recorded names of countries are the browser's", async ({page}) => {
  const rows = await page.evaluate(([codes, others]) => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    const names = (code) => new Intl.DisplayNames([code], {type: "region", fallback: "none"});
    const english = names("en");
    // A code that is no longer used has another as its canonical form.
    const isCurrent = (region) => english.of(region) && new Intl.Locale(`und-${region}`).region === region;
    const regions = letters.flatMap((first) => letters.map((second) => first + second))
      .filter((region) => isCurrent(region) && !others.includes(region));
    return [["", ...regions], ...codes.map((code) => [code, ...regions.map((region) => names(code).of(region))])];
  }, [codes, OTHERS]);
  const file = resolve(ROOT, "shared/src/language/countries.tsv");
  const text = rows.map((row) => `${row.join("\t")}\n`).join("");
  if (test.info().config.updateSnapshots !== "none") writeFileSync(file, text);
  const [now, recorded] = [text, readFileSync(file, "utf8")].map((table) => table.split(/[\t\n]/));
  expect(now.length).toBe(recorded.length);
  expect(now.filter((name, at) => name !== recorded[at]).length).toBeLessThan(now.length / 100);
});
