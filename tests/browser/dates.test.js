// Rekey writes dates as browsers do. What Chromium writes is in shared/src/language/dates.json, which a test of `shared` compares with
// Rekey's. `tests/browser/run.sh dates --update-snapshots` writes the file after a language was added.

import {readdirSync} from "node:fs";
import {resolve} from "node:path";
import {expect, test} from "@playwright/test";
import {ROOT} from "./stack.js";

/** Twelve times of a year, one in each month, in seconds. */
const TIMES = [
  1_798_790_700, 1_802_714_700, 1_803_877_500, 1_806_555_900, 1_810_000_000, 1_811_826_300, 1_815_000_000, 1_818_000_000, 1_820_000_000,
  1_823_000_000, 1_825_500_000, 1_828_915_200,
];

/** British English has the day first, and most Arabic readers know Western digits. */
const LOCALES = {en: "en-GB-u-hc-h23", ar: "ar-u-hc-h23-nu-latn"};

const files = readdirSync(resolve(ROOT, "shared/languages")).filter((file) => file.endsWith(".ftl"));
const codes = files.map((file) => file.slice(0, -".ftl".length)).sort();

test("the recorded dates are the browser's", async ({page}) => {
  const dates = await page.evaluate(([codes, times, locales]) => {
    const options = {dateStyle: "long", timeStyle: "short", timeZone: "UTC"};
    return codes.map((code) => {
      const format = new Intl.DateTimeFormat(locales[code] ?? `${code}-u-hc-h23`, options);
      return [code, times.map((time) => [String(time), format.format(time * 1000).replace(/\s/g, " ")])];
    });
  }, [codes, TIMES, LOCALES]);
  const json = Object.fromEntries(dates.map(([code, entries]) => [code, Object.fromEntries(entries)]));
  expect(`${JSON.stringify(json, null, 2)}\n`).toMatchSnapshot("dates.json");
});
