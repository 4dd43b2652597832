// Answers to "Choose a new password" that arrive late: after another key, another link, or when the form is sent.

import {callsOf, expect, follow, hold, LOST, PASSWORD, reply, send, status, test, WEAK} from "./harness.js";
import {CHECK, CHOOSE, choose, DEAD, VALIDATE} from "./stack.js";

const FIRST = DEAD;
const SECOND = "B".repeat(20);
const LIVE = {status: 200, json: {email: "name@example.com"}};
const GONE = {status: 404, json: {code: "token_not_live"}};
const GOOD = {status: 200};
const REFUSED = {status: 400, json: {details: [{errors: [{code: "password_guessable"}]}]}};

const field = (page) => page.getByLabel("New password");
const verdict = (page) => page.locator("#status");
const form = (page) => page.locator("form");

for (const [name, answer] of Object.entries({"live": LIVE, "dead": GONE, "failed": {status: 503}, "throttled": {status: 429}, "lost": LOST})) {
  test(`the check of a link, ${name}, after another link was opened`, async ({page}) => {
    const call = await hold(page, VALIDATE);
    await page.goto(choose(FIRST));
    const late = await call(0);
    await follow(page, SECOND);
    await (await call(1))(LIVE);
    await expect(form(page)).toBeVisible();
    await late(answer);
    await expect(form(page)).toBeVisible();
    await expect(status(page)).toHaveText("");
    await expect(page.locator("#retry")).toBeHidden();
    await expect(page.locator("#again")).toBeHidden();
  });

  test(`the check of a link, ${name}, after another link was found dead`, async ({page}) => {
    const call = await hold(page, VALIDATE);
    await page.goto(choose(FIRST));
    const late = await call(0);
    await follow(page, SECOND);
    await (await call(1))(GONE);
    await late(answer);
    await expect(form(page)).toBeHidden();
    await expect(page.locator("h1")).toHaveText("This link no longer works");
    await expect(page.locator("#retry")).toBeHidden();
  });
}

const completions = {
  "done": {status: 204},
  "dead": GONE,
  "refused": {status: 422, json: {errors: [{code: "password_guessable"}]}},
  "uncertain": {status: 503},
  "lost": LOST,
};
for (const [name, answer] of Object.entries(completions)) {
  test(`a completion, ${name}, after another link was opened`, async ({page}) => {
    await reply(page, VALIDATE, LIVE);
    const call = await hold(page, CHOOSE);
    await page.goto(choose(FIRST));
    await send(field(page), PASSWORD);
    const late = await call(0);
    await expect(status(page)).toHaveText("Setting the password…");
    await follow(page, SECOND);
    await expect(status(page)).toHaveText("");
    await late(answer);
    await expect(form(page)).toBeVisible();
    await expect(status(page)).toHaveText("");
    await expect(field(page)).toHaveValue(PASSWORD);
    await expect(field(page)).not.toHaveAttribute("aria-invalid");
    await expect(page.locator("#sign-in")).toBeHidden();
    // The second link can be used.
    const sent = page.waitForRequest((request) => request.postDataJSON()?.token === SECOND);
    await page.locator("form button").click();
    await sent;
  });
}

test("the verdict on a password, after another key", async ({page}) => {
  await reply(page, VALIDATE, LIVE);
  const call = await hold(page, CHECK);
  await page.goto(choose(FIRST));
  await field(page).fill(WEAK);
  const late = await call(0);
  await field(page).fill(PASSWORD);
  await expect(verdict(page)).toHaveText("");
  await (await call(1))(GOOD);
  await expect(verdict(page)).toHaveText("This password is good.");
  await late(REFUSED);
  await expect(verdict(page)).toHaveText("This password is good.");
});

test("the verdict on a password that is too short by now", async ({page}) => {
  await reply(page, VALIDATE, LIVE);
  const call = await hold(page, CHECK);
  await page.goto(choose(FIRST));
  await field(page).fill(PASSWORD);
  const late = await call(0);
  await field(page).fill("short");
  await late(GOOD);
  await expect(verdict(page)).toHaveText("");
});

test("the verdict on a password that has been sent", async ({page}) => {
  await reply(page, VALIDATE, LIVE);
  await reply(page, CHOOSE, completions.refused);
  const call = await hold(page, CHECK);
  await page.goto(choose(FIRST));
  await field(page).fill(PASSWORD);
  const late = await call(0);
  await field(page).press("Enter");
  await expect(status(page)).toHaveText("This password is too easy to guess.");
  await late(GOOD);
  await expect(status(page)).toHaveText("This password is too easy to guess.");
});

test("a password that has been sent is not checked", async ({page}) => {
  await reply(page, VALIDATE, LIVE);
  await reply(page, CHOOSE, completions.refused);
  await page.goto(choose(FIRST));
  await expect(field(page)).toBeFocused();
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await send(field(page), PASSWORD);
  await expect(status(page)).toHaveText("This password is too easy to guess.");
  const calls = callsOf(page);
  await page.clock.runFor(1_000);
  expect(calls).toEqual([]);
});
