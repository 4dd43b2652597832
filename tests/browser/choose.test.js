// The page "Choose a new password".

import {callsOf, expect, follow, LOST, PASSWORD, reply, send, status, test, throttle, WAITS, WEAK} from "./harness.js";
import {CHECK, CHOOSE, choose, DEAD, FORGOT, VALIDATE} from "./stack.js";

const field = (page) => page.getByLabel("New password");
const button = (page) => page.locator("form button");
const text = (page) => page.locator("#text");
const heading = (page) => page.locator("h1");
const verdict = (page) => page.locator("#status");
const OFFLINE = "We could not reach the service";
const UNCERTAIN = "If the link then no longer works, your new password is set.";
const INCOMPLETE = "Please copy the whole address printed in the email into your browser.";

test("a password is chosen", async ({page, context, stack, inspect}) => {
  const email = await stack.account();
  const link = await stack.link(email);
  await page.goto(link);
  await expect(page.locator("form")).toBeVisible();
  await expect(field(page)).toBeFocused();
  expect(page.url(), "the token is gone from the address").toBe(link.split("#")[0]);
  await expect(page.locator("#username")).toHaveValue(email);
  await expect(page.locator("#username")).toBeEnabled();
  await expect(page.locator("#for")).toHaveText(`For \u2068${email}\u2069`);
  await inspect("choose");

  await field(page).fill(WEAK);
  await expect(verdict(page)).toHaveText("This password is too easy to guess. Repeated words and characters are easy to guess.");
  await page.getByLabel("Show password").check();
  await expect(field(page)).toHaveAttribute("type", "text");
  await inspect("choose-verdict");
  await page.getByLabel("Show password").uncheck();
  await expect(field(page)).toHaveAttribute("type", "password");
  await field(page).fill(PASSWORD);
  await expect(verdict(page)).toHaveText("This password is good.");
  await inspect("choose-fine");

  await field(page).fill("short");
  await button(page).click();
  await expect(status(page)).toContainText("at least 15 characters");
  await expect(field(page), "focus goes to the error").toBeFocused();
  await expect(field(page)).toHaveAttribute("aria-invalid", "true");
  await inspect("choose-refused");

  await context.setOffline(true);
  await send(field(page), PASSWORD);
  await expect(status(page)).toContainText(OFFLINE);
  await expect(field(page), "nothing is lost").toHaveValue(PASSWORD);
  await expect(field(page)).not.toHaveAttribute("aria-invalid");
  await inspect("choose-offline");
  await context.setOffline(false);

  // Twice at once: the second must not find the token dead.
  const calls = callsOf(page);
  await page.evaluate(() => { for (const _ of [1, 2]) document.querySelector("form").requestSubmit(); });
  await expect(text(page)).toContainText("Your new password is set");
  await expect(heading(page)).toHaveText("Password changed");
  await expect(heading(page)).toBeFocused();
  await expect(page).toHaveTitle("Password changed – Rekey");
  await expect(page.getByRole("link", {name: "Sign in"})).toBeVisible();
  await expect(page.locator("form")).toBeHidden();
  await expect(field(page), "the password is gone").toHaveValue("");
  expect(calls).toEqual([CHOOSE]);
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await inspect("choose-done");
  expect((await stack.mails(email, 2))[0].subject).toBe("Your password for Rekey was changed");

  // Another link in the same tab.
  await follow(page, DEAD);
  await expect(heading(page)).toHaveText("This link no longer works");
  await expect(page).toHaveTitle("This link no longer works – Rekey");

  await page.goto("about:blank");
  await page.goto(link);
  await expect(heading(page)).toHaveText("This link no longer works");
  await expect(heading(page)).toBeFocused();
  await inspect("choose-dead");
  await follow(page, DEAD);
  await expect.poll(() => page.evaluate(() => location.hash)).toBe("");
  await expect(heading(page)).toHaveText("This link no longer works");
  await page.getByRole("link", {name: "Get a new link"}).click();
  await expect(page).toHaveURL(new RegExp(`${FORGOT}/?$`));
});

test("without an address of the account no user name is offered", async ({page}) => {
  await reply(page, VALIDATE, {status: 200, json: {}});
  await page.goto(choose(DEAD));
  await expect(page.locator("form")).toBeVisible();
  await expect(page.locator("#username")).toBeDisabled();
  await expect(page.locator("#for")).toBeHidden();
});

test("without a token the page asks for the link", async ({page, inspect}) => {
  await page.goto(choose(""));
  await expect(text(page)).toHaveText(INCOMPLETE);
  await expect(page.getByRole("link", {name: "Get a new link"})).toBeVisible();
  await inspect("choose-no-link");
});

test("a link that cannot be checked can be tried again", async ({page, context, stack, inspect}) => {
  const link = await stack.link();
  await page.goto(choose(""));
  await expect(text(page)).toHaveText(INCOMPLETE);
  await context.setOffline(true);
  await follow(page, link.split("#token=")[1]);
  await expect(text(page)).toContainText(OFFLINE);
  await inspect("choose-check-offline");
  await context.setOffline(false);
  await reply(page, VALIDATE, {status: 503, headers: {"Retry-After": "1"}}, 1);
  await page.getByRole("button", {name: "Try again"}).click();
  await expect(text(page)).toHaveText("That did not work. Please try again in a moment.");
  await page.getByRole("button", {name: "Try again"}).click();
  await expect(page.locator("form")).toBeVisible();
  await expect(status(page)).toHaveText("");
  await expect(page.getByRole("button", {name: "Try again"})).toBeHidden();
});

test("an uncertain outcome is not called a failure", async ({page, stack, inspect}) => {
  await page.goto(await stack.link());
  await reply(page, CHOOSE, {status: 503, headers: {"Retry-After": "1"}}, 1);
  await send(field(page), PASSWORD);
  await expect(status(page)).toContainText("If the link then no longer works, your new password is set.");
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveValue(PASSWORD);
  await inspect("choose-uncertain");
  await button(page).click();
  await expect(text(page)).toContainText("Your new password is set");
});

test("a password is checked once, when nobody types any more", async ({page, stack}) => {
  await page.goto(await stack.link());
  await expect(field(page)).toBeFocused();
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  const calls = callsOf(page);
  await field(page).pressSequentially("passwordpasswor");
  await page.clock.runFor(399);
  await field(page).press("d");
  await page.clock.runFor(399);
  expect(calls).toEqual([]);
  await page.clock.runFor(1);
  await expect(verdict(page)).toContainText("too easy to guess");
  expect(calls).toEqual([CHECK]);
  // The hint gives the minimum, in characters as people count them.
  await field(page).fill("🎈".repeat(14));
  await page.clock.runFor(1_000);
  await expect(verdict(page)).toHaveText("");
  expect(calls).toEqual([CHECK]);
});

test("a check that fails says nothing", async ({page, stack}) => {
  await page.goto(await stack.link());
  const calls = callsOf(page);
  for (const answer of [LOST, {status: 503}, {status: 429}]) {
    await reply(page, CHECK, answer, 1);
    calls.length = 0;
    await field(page).fill(WEAK);
    await expect.poll(() => calls).toEqual([CHECK]);
    await page.waitForTimeout(300);
    await expect(verdict(page)).toHaveText("");
    await expect(status(page)).toHaveText("");
  }
});

test("calls carry no cookie and follow no redirect", async ({page, context, stack}) => {
  await context.addCookies([{name: "session", value: "of another application", url: stack.api}]);
  await page.goto(choose(""));
  expect(await page.evaluate(() => document.cookie)).not.toBe("");
  await reply(page, VALIDATE, {status: 307, headers: {Location: "/elsewhere"}}, 1);
  const called = page.waitForRequest((request) => request.method() === "POST");
  await follow(page, DEAD);
  const headers = await (await called).allHeaders();
  expect(headers.cookie).toBeUndefined();
  expect(headers.referer).toBeUndefined();
  await expect(text(page)).toContainText(OFFLINE);
});

test("how long to wait is said in seconds, minutes or hours", async ({page, stack}) => {
  await throttle(page, VALIDATE);
  await throttle(page, CHOOSE);
  await page.goto(await stack.link());
  for (const [, wait] of WAITS) {
    await expect(text(page)).toHaveText(`Too many attempts. Please try again ${wait}.`);
    await page.getByRole("button", {name: "Try again"}).click();
  }
  await field(page).fill(PASSWORD);
  for (const [, wait] of WAITS) {
    await button(page).click();
    await expect(status(page)).toHaveText(`Too many attempts. Please try again ${wait}.`);
  }
});

test("without JavaScript the page says so", async ({openWithoutScript, inspect}) => {
  await openWithoutScript(choose(DEAD));
  await inspect("choose-no-script");
});
