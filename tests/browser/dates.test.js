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
const LOCALES = {en: "en-GB", ar: "ar-u-nu-latn"};

/** With a time after it, Chromium writes these languages' dates short, although told `long`. */
const SHORTENED = ["zh-Hant"];

/** One o'clock is singular in Spanish, which the browser ignores. */
const written = (code, date) => code === "es" ? date.replace(" a las 1:", " a la 1:") : date;

const files = readdirSync(resolve(ROOT, "shared/languages")).filter((file) => file.endsWith(".ftl"));
const codes = files.map((file) => file.slice(0, -".ftl".length)).sort();

test("the recorded dates are the browser's", async ({page}) => {
  const dates = await page.evaluate(([codes, times, locales, shortened]) => {
    const long = {dateStyle: "long", timeZone: "UTC"};
    const short = {timeStyle: "short", timeZone: "UTC", hourCycle: "h23"};
    return codes.map((code) => {
      const parts = shortened.includes(code) ? [long, short] : [{...long, ...short}];
      const formats = parts.map((options) => new Intl.DateTimeFormat(locales[code] ?? code, options));
      const write = (time) => formats.map((format) => format.format(time * 1000)).join(" ").replace(/\s/g, " ");
      return [code, times.map((time) => [String(time), write(time)])];
    });
  }, [codes, TIMES, LOCALES, SHORTENED]);
  const json = Object.fromEntries(dates.map(([code, entries]) =>
    [code, Object.fromEntries(entries.map(([time, date]) => [time, written(code, date)]))]));
  expect(`${JSON.stringify(json, null, 2)}\n`).toMatchSnapshot("dates.json");
});
