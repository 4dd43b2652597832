// Leaving the page "Choose a new password" and coming back to it, in a Chromium with its back/forward cache, which Playwright switches off
// and the headless shell does not have.

import {callsOf, expect, hold, PASSWORD, reply, status, test} from "./harness.js";
import config from "./playwright.config.js";
import {CHECK, CHOOSE, choose, DEAD, VALIDATE} from "./stack.js";

const executablePath = "/usr/bin/chromium";
test.use({launchOptions: {...config.use.launchOptions, executablePath, ignoreDefaultArgs: ["--disable-back-forward-cache"]}});

const field = (page) => page.getByLabel("New password");
/** Says why, and what to do. */
const AGAIN = "This page forgets the link when it is reloaded or left, so that nobody else can use it. Please open the link in your email again.";

/** What the browser tells the page when it puts it aside, or brings it back. */
const tell = (page, type, persisted) =>
  page.evaluate(([type, persisted]) => { dispatchEvent(new PageTransitionEvent(type, {persisted})); }, [type, persisted]);

test("who goes back to the page finds no password and no link in it", async ({page, stack}) => {
  // With `no-store` Chromium does not keep the page. Other browsers may.
  await page.route(({pathname}) => pathname.startsWith(CHOOSE), async (route) => {
    const response = await route.fetch();
    const {"cache-control": _, ...headers} = response.headers();
    await route.fulfill({response, headers});
  });
  await page.goto(await stack.link());
  await page.getByLabel("Show password").check();
  await field(page).fill(PASSWORD);
  await expect(page.locator("#status")).toHaveText("This password is good.");
  await page.evaluate(() => { window.isSame = true; });
  await page.goto(stack.mail);
  // Not page.goBack(), which waits for a document to be loaded.
  await page.evaluate(() => history.back());
  await expect(page.locator("#text")).toHaveText(AGAIN);
  expect(await page.evaluate(() => window.isSame), "the cached page, not a new one").toBe(true);
  await expect(page.locator("form")).toBeHidden();
  await expect(field(page)).toHaveValue("");
  await expect(field(page)).toHaveAttribute("type", "password");
  await expect(page.locator("#show")).not.toBeChecked();
  await expect(page.locator("#status")).toHaveText("");
  await expect(page.locator("#again")).toBeVisible();
});

test("a page that is left keeps nothing, even if it is never shown again", async ({page}) => {
  await reply(page, VALIDATE, {status: 200, json: {}});
  await page.goto(choose(DEAD));
  await page.getByLabel("Show password").check();
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  const calls = callsOf(page);
  await field(page).fill(PASSWORD);
  await tell(page, "pagehide", true);
  await expect(field(page)).toHaveValue("");
  await expect(field(page)).toHaveAttribute("type", "password");
  await expect(page.locator("#show")).not.toBeChecked();
  await page.clock.runFor(1_000);
  expect(calls, "no check of what was typed").toEqual([]);
});

test("answers that arrive after the page was left change nothing", async ({page}) => {
  const validation = await hold(page, VALIDATE);
  await page.goto(choose(DEAD));
  const late = await validation(0);
  await tell(page, "pagehide", true);
  await late({status: 200, json: {}});
  await expect(page.locator("form")).toBeHidden();
  await tell(page, "pageshow", true);
  await expect(page.locator("#text")).toHaveText(AGAIN);

  const check = await hold(page, CHECK);
  await page.goto("about:blank");
  await page.goto(choose(DEAD));
  await (await validation(1))({status: 200, json: {}});
  await field(page).fill(PASSWORD);
  const verdict = await check(0);
  await tell(page, "pagehide", true);
  await verdict({status: 200});
  await expect(page.locator("#status")).toHaveText("");
});

test("a page that is shown for the first time keeps its link", async ({page}) => {
  await reply(page, VALIDATE, {status: 200, json: {}});
  await page.goto(choose(DEAD));
  await expect(field(page)).toBeFocused();
  await tell(page, "pageshow", false);
  await expect(page.locator("form")).toBeVisible();
  await expect(status(page)).toHaveText("");
});
