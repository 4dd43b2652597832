// The page "Forgot your password?".

import {callsOf, expect, hold, LOST, reply, send, status, test, throttle, WAITS} from "./harness.js";
import {FORGOT, VALIDATE} from "./stack.js";

const field = (page) => page.getByLabel("Email address");
const button = (page) => page.locator("form button");
const text = (page) => page.locator("#text");
const again = (page) => page.locator("#wait");
const SENT = "an email with a link is on its way";
const OFFLINE = "We could not reach the service";

test("a mail is asked for", async ({page, stack, inspect}) => {
  await page.goto(FORGOT);
  await expect(field(page)).toBeFocused();
  await inspect("forgot");

  await field(page).fill("nobody");
  await button(page).click();
  await expect(status(page)).toContainText("Please enter an email address");
  await expect(field(page), "focus goes to the error").toBeFocused();
  await expect(field(page)).toHaveAttribute("aria-invalid", "true");
  await inspect("forgot-invalid");

  const email = await stack.account();
  await send(field(page), email);
  await expect(text(page)).toContainText(SENT);
  await expect(page.getByRole("heading", {name: "Check your email"})).toBeFocused();
  await expect(page).toHaveTitle("Check your email – Rekey");
  await expect(status(page)).toHaveText("");
  await expect(field(page)).not.toHaveAttribute("aria-invalid");
  await expect(again(page)).toContainText("You can send it again in ");
  await expect(button(page)).toBeDisabled();
  await inspect("forgot-sent");
  expect((await stack.mails(email, 1))[0].subject).toBe("Reset your Rekey password");

  // A new page knows nothing of the mail.
  await page.goto(FORGOT);
  await send(field(page), email);
  await expect(status(page)).toContainText("Too many attempts. Please try again in ");
  await inspect("forgot-throttled");
});

test("the same address waits for a minute, another does not", async ({page, stack}) => {
  await page.clock.install();
  await page.goto(FORGOT);
  await page.clock.pauseAt(Date.now() + 3_600_000);
  const calls = callsOf(page);
  const email = await stack.account();
  await send(field(page), email);
  await expect(again(page)).toHaveText("You can send it again in 60 seconds.");
  await expect(button(page)).toHaveText("Send it again");
  await field(page).fill("else@example.com");
  await expect(button(page)).toBeEnabled();
  await expect(button(page)).toHaveText("Send link");
  await expect(again(page)).toBeHidden();
  await field(page).fill(email);
  await expect(button(page)).toBeDisabled();
  await page.clock.runFor(59_000);
  await expect(again(page)).toHaveText("You can send it again in 1 second.");
  await expect(button(page)).toBeDisabled();
  await page.clock.runFor(1_000);
  await expect(again(page)).toBeHidden();
  await expect(button(page)).toBeEnabled();

  // The second mail belongs to the same request.
  await button(page).click();
  await expect(again(page)).toContainText("60 seconds");
  await expect(text(page)).toContainText(SENT);
  expect(calls).toEqual([FORGOT, VALIDATE, VALIDATE]);
});

for (const code of [404, 429]) {
  test(`a request that is answered ${code} is replaced by a new one`, async ({page, stack}) => {
    await page.clock.install();
    await page.goto(FORGOT);
    await send(field(page), await stack.account());
    await expect(text(page)).toContainText(SENT);
    const calls = callsOf(page);
    await reply(page, VALIDATE, {status: code, headers: {"Retry-After": "7000"}}, 1);
    await page.clock.runFor(60_000);
    await button(page).click();
    // By the stack's clock no minute has passed: that is the answer for the new request.
    await expect(status(page)).toContainText(/Too many attempts. Please try again in \d+ seconds?\./);
    expect(calls).toEqual([VALIDATE, FORGOT, VALIDATE]);
  });
}

test("a request that cannot be replaced is not tried for ever", async ({page}) => {
  await page.goto(FORGOT);
  const calls = callsOf(page);
  await reply(page, VALIDATE, {status: 404});
  await send(field(page), "a@example.com");
  await expect(status(page)).toHaveText("That did not work. Please try again in a moment.");
  expect(calls).toEqual([FORGOT, VALIDATE]);
});

test("a lost connection loses nothing", async ({page, context, stack, inspect}) => {
  await page.goto(FORGOT);
  await context.setOffline(true);
  const email = await stack.account();
  await send(field(page), email);
  await expect(status(page)).toContainText(OFFLINE);
  await expect(status(page)).toBeFocused();
  await expect(field(page)).toHaveValue(email);
  await inspect("forgot-offline");
  await context.setOffline(false);
  await button(page).click();
  await expect(text(page)).toContainText(SENT);
  await stack.mails(email, 1);
});

for (const path of [FORGOT, VALIDATE]) {
  test(`${path} fails, or its answer is lost`, async ({page, stack, inspect}) => {
    await page.goto(FORGOT);
    await reply(page, path, {status: 503, headers: {"Retry-After": "1"}}, 1);
    await reply(page, path, LOST, 1);
    await send(field(page), await stack.account());
    await expect(status(page)).toContainText(OFFLINE);
    await button(page).click();
    await expect(status(page)).toHaveText("That did not work. Please try again in a moment.");
    await expect(status(page)).toBeFocused();
    await inspect("forgot-failed");
    await button(page).click();
    await expect(text(page)).toContainText(SENT);
  });
}

test("while an answer is awaited the form is not sent again", async ({page}) => {
  await page.goto(FORGOT);
  const calls = callsOf(page);
  const call = await hold(page, FORGOT);
  await send(field(page), "a@example.com");
  const answer = await call(0);
  await expect(status(page)).toHaveText("Sending…");
  await expect(button(page)).toBeDisabled();
  await page.evaluate(() => document.querySelector("form").requestSubmit());
  await field(page).fill("b@example.com");
  await page.evaluate(() => document.querySelector("form").requestSubmit());
  await answer({status: 503});
  expect(calls).toEqual([FORGOT]);
});

test("an answer that arrives when another address stands in the field is not about that one", async ({page}) => {
  await page.goto(FORGOT);
  const calls = callsOf(page);
  const call = await hold(page, VALIDATE);
  await send(field(page), "a@example.com");
  const answer = await call(0);
  await field(page).fill("b@example.com");
  await answer({status: 204});
  await expect(button(page)).toBeEnabled();
  await expect(button(page)).toHaveText("Send link");
  await expect(again(page)).toBeHidden();
  await field(page).fill("a@example.com");
  await expect(button(page)).toBeDisabled();
  await expect(button(page)).toHaveText("Send it again");
  // The other address has a request of its own.
  await send(field(page), "b@example.com");
  await (await call(1))({status: 204});
  await expect(again(page)).toBeVisible();
  expect(calls).toEqual([FORGOT, VALIDATE, FORGOT, VALIDATE]);
});

test("how long to wait is said in seconds, minutes or hours", async ({page}) => {
  await page.goto(FORGOT);
  await throttle(page, FORGOT);
  await field(page).fill("a@example.com");
  for (const [, wait] of WAITS) {
    await button(page).click();
    await expect(status(page)).toHaveText(`Too many attempts. Please try again ${wait}.`);
  }
});

test("without JavaScript the page says so", async ({openWithoutScript, inspect}) => {
  await openWithoutScript(FORGOT);
  await inspect("forgot-no-script");
});
