// What was found in Firefox: both pages in Debian's, which Playwright drives over WebDriver BiDi instead of its own build of Firefox.
// Playwright's support is young: 1.65 sends a command that Firefox 153 does not know, and emulates no dark mode before.

import {callsOf, expect, PASSWORD, reply, send, status, test, WEAK} from "./harness.js";
import {CHOOSE, choose, DEAD, FORGOT, linkIn, VALIDATE} from "./stack.js";

test.use({
  browserName: "firefox",
  channel: "moz-firefox",
  launchOptions: {executablePath: "/usr/bin/firefox-esr"},
});

const field = (page) => page.getByLabel("New password");
const email = (page) => page.getByLabel("Email address");
const button = (page) => page.locator("form button");
const heading = (page) => page.locator("h1");
const text = (page) => page.locator("#text");

const ADDRESS = "info@bücher.example";
const PUNYCODE = "info@xn--bcher-kva.example";

test("a reset for an address with a domain in its own letters, from the forgotten password to the new one", async ({page, stack}) => {
  await stack.store(PUNYCODE);
  await page.goto(FORGOT);
  await expect(email(page)).toBeFocused();
  await page.keyboard.type(ADDRESS);
  await page.keyboard.press("Enter");
  await expect(heading(page)).toHaveText("Check your email");
  await expect(email(page)).toHaveValue(ADDRESS);
  const [mail] = await stack.mails(PUNYCODE, 1);
  // Firefox keeps what a field holds, and whether a button is disabled, when a page is reloaded.
  await page.reload();
  await expect(heading(page)).toHaveText("Forgot your password?");
  await expect(button(page)).toBeEnabled();

  const link = linkIn(mail);
  await page.goto(link);
  await expect(field(page)).toBeFocused();
  await expect(page.locator("#username")).toHaveValue(PUNYCODE);
  expect(page.url(), "the token is gone from the address").toBe(link.split("#")[0]);
  await page.keyboard.type(WEAK);
  await expect(status(page)).toContainText("easy to guess");
  await field(page).fill(PASSWORD);
  await expect(status(page)).toHaveText("This password is good.");
  await field(page).press("Enter");
  const done = async () => {
    await expect(heading(page)).toHaveText("Password changed");
    await expect(page).toHaveTitle("Password changed – Rekey");
    await expect(page.locator("form")).toBeHidden();
    await expect(field(page)).toHaveValue("");
  };
  await done();
  await page.reload();
  await done();
  await page.goto(FORGOT);
  await page.goBack();
  await done();
  await page.goto("about:blank");
  await page.goto(link);
  await expect(heading(page)).toHaveText("This link no longer works");
});

test("a reload half-way leaves no password, and says why the link must be opened again", async ({page}) => {
  await reply(page, VALIDATE, {status: 200, json: {email: "name@example.com"}});
  await page.goto(choose(DEAD));
  await page.getByLabel("Show password").check();
  await field(page).fill(PASSWORD);
  await page.reload();
  await expect(text(page)).toContainText("This page forgets the link when it is reloaded or left");
  await expect(field(page)).toHaveValue("");
  await expect(field(page)).toHaveAttribute("type", "password");
  await expect(page.locator("#show")).not.toBeChecked();
});

test("damaged links are followed, or said to be incomplete", async ({page, stack}) => {
  const token = (await stack.link()).split("#token=")[1];
  for (const link of [`${token}.`, `${token}%20`, `${token}\u200b`, `${token}%E2%80%8B`, `${token}%0D%0A`, `${token}%`,
    `${token.slice(0, 9)}%0A${token.slice(9)}`]) {
    await page.goto(choose(link));
    await expect(page.locator("form"), link).toBeVisible();
    expect(page.url()).not.toContain("#");
    await page.goto("about:blank");
  }
  const calls = callsOf(page);
  for (const link of [choose(DEAD.slice(1)), choose(""), CHOOSE]) {
    await page.goto(link);
    await expect(heading(page), link).toHaveText("This link is incomplete");
    await page.goto("about:blank");
  }
  expect(calls).toEqual([]);
});

test("where nothing answers, the page says so and its button lives again", async ({page}) => {
  await page.addInitScript(() => {
    const wait = setTimeout;
    globalThis.setTimeout = (act, milliseconds) => wait(act, milliseconds / 25);
  });
  for (const path of [FORGOT, VALIDATE]) {
    await page.route((url) => url.pathname === path, (route) => route.request().method() === "POST" ? undefined : route.fallback());
  }
  await page.goto(FORGOT);
  await send(email(page), ADDRESS);
  await expect(status(page)).toHaveText("Sending…");
  await expect(status(page)).toContainText("We could not reach the service.");
  await expect(button(page)).toBeEnabled();
  await expect(email(page)).toHaveValue(ADDRESS);
  await page.goto(choose(DEAD));
  await expect(text(page)).toContainText("We could not reach the service.");
  await expect(page.getByRole("button", {name: "Try again"})).toBeVisible();
});
